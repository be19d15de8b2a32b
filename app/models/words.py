"""The words of a text, told by the marks between them, here and in the database alike."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, func, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

MARKS = "\n\t-_.,;:!?\"'()[]{}<>/\\|+&*=~#@"
_BLANKS = str.maketrans(MARKS, " " * len(MARKS))


def bare(text: str | None) -> str | None:
    """`Beat (Trap) 140` → `Beat  Trap  140`."""
    return text if text is None else text.translate(_BLANKS)


class Bare(FunctionElement[str]):
    """The same in a query. SQLite has no such function and is given ours when it connects."""

    name = "bare"
    type = Text()
    inherit_cache = True


@compiles(Bare)
def _given(element: Bare, compiler: SQLCompiler, **options: Any) -> str:
    return f"{Bare.name}({compiler.process(element.clauses, **options)})"


@compiles(Bare, "postgresql")
def _translated(element: Bare, compiler: SQLCompiler, **options: Any) -> str:
    marks = literal(MARKS), literal(" " * len(MARKS))
    return compiler.process(func.translate(*element.clauses, *marks), **options)
