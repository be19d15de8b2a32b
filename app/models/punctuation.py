"""Replace punctuation by blanks, in Python and in the database alike, so that words can be compared."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, func, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

PUNCTUATION = "\n\t-_.,;:!?\"'()[]{}<>/\\|+&*=~#@"
_TO_BLANKS = str.maketrans(PUNCTUATION, " " * len(PUNCTUATION))


def blank_punctuation(text: str | None) -> str | None:
    """Return the text with a blank for each mark: `Beat (Trap) 140` → `Beat  Trap  140`."""
    return text if text is None else text.translate(_TO_BLANKS)


class BlankPunctuation(FunctionElement[str]):
    """The same as an SQL function. SQLite has none, so each connection is given `blank_punctuation`."""

    name = "blank_punctuation"
    type = Text()
    inherit_cache = True


@compiles(BlankPunctuation)
def _compile_sqlite(element: BlankPunctuation, compiler: SQLCompiler, **options: Any) -> str:
    return f"{BlankPunctuation.name}({compiler.process(element.clauses, **options)})"


@compiles(BlankPunctuation, "postgresql")
def _compile_postgresql(element: BlankPunctuation, compiler: SQLCompiler, **options: Any) -> str:
    marks = literal(PUNCTUATION), literal(" " * len(PUNCTUATION))
    return compiler.process(func.translate(*element.clauses, *marks), **options)
