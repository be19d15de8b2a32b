"""Read stored texts alike in Python and in both databases: words without punctuation, and first lines."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, func, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

PUNCTUATION = "\n\t-_.,;:!?\"'()[]{}<>/\\|+&*=~#@" + "·•¡¿‹›、。・「」『』【】〈〉《》؟،؛।"
_TO_BLANKS = str.maketrans(PUNCTUATION, " " * len(PUNCTUATION))


def blank_punctuation(text: str | None) -> str | None:
    """Return the words of a text, with one blank in place of any run of punctuation.

    `Beat - (Trap) 140` becomes `Beat Trap 140`. A blank at an end stays.
    """
    if text is None:
        return None
    words = text.translate(_TO_BLANKS)
    while "  " in words:  # cheaper than a regular expression: SQLite calls this for every row
        words = words.replace("  ", " ")
    return words


class BlankPunctuation(FunctionElement[str]):
    """The same as an SQL function. SQLite has none, so each connection is given `blank_punctuation`."""

    name = "blank_punctuation"
    type = Text()
    inherit_cache = True


class FirstLine(FunctionElement[str]):
    """The first line of a text, as an SQL function: the whole text if it has only one."""

    name = "first_line"
    type = Text()
    inherit_cache = True


@compiles(BlankPunctuation)
def _compile_sqlite(element: BlankPunctuation, compiler: SQLCompiler, **options: Any) -> str:
    return f"{BlankPunctuation.name}({compiler.process(element.clauses, **options)})"


@compiles(BlankPunctuation, "postgresql")
def _compile_postgresql(element: BlankPunctuation, compiler: SQLCompiler, **options: Any) -> str:
    marks = literal(PUNCTUATION), literal(" " * len(PUNCTUATION))
    blanked = func.translate(*element.clauses, *marks)
    return compiler.process(func.regexp_replace(blanked, " +", " ", "g"), **options)


@compiles(FirstLine)
def _compile_first_line(element: FirstLine, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = element.clauses
    length = func.instr(text.concat("\n"), "\n") - 1
    return compiler.process(func.substr(text, 1, length), **options)


@compiles(FirstLine, "postgresql")
def _compile_first_line_postgresql(element: FirstLine, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(func.split_part(*element.clauses, "\n", 1), **options)
