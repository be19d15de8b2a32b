"""The inverted index of both databases: SQLite's FTS5, PostgreSQL's text search.

The table `search_index` has no model, because in SQLite it is a virtual table. A migration makes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, column, literal, literal_column, table, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import FromClause, Join

from app.extensions import db
from app.search.index_terms import Group, hash_terms

SEARCH_INDEX = table("search_index", column("rowid"), column("terms"))
WHOLE_ROW: ColumnElement[Any] = literal_column(
    "search_index.search_index"
)  # what FTS5 matches: it is named like the table
STORE_TERMS = {
    "sqlite": text("INSERT INTO search_index (rowid, terms) VALUES (:number, :terms)"),
    "postgresql": text("INSERT INTO search_index (rowid, terms) VALUES (:number, CAST(:terms AS tsvector))"),
}


class IndexFirst(Join):
    """A join with the inverted index that SQLite must read first. It can't know how few rows that leaves."""

    inherit_cache = True

    @property
    def condition(self) -> ColumnElement[bool]:
        return cast(ColumnElement[bool], self.onclause)


@compiles(IndexFirst, "sqlite")
def _compile_index_first(element: IndexFirst, compiler: SQLCompiler, **options: Any) -> str:
    options |= {"asfrom": True}
    left, right = (compiler.process(side, **options) for side in (element.left, element.right))
    return f"{left} CROSS JOIN {right} ON {compiler.process(element.condition, **options)}"


def join_index(rows: FromClause, number: ColumnElement[int]) -> IndexFirst:
    """Return the inverted index joined with rows by their numbers."""
    return IndexFirst(SEARCH_INDEX, rows, number == SEARCH_INDEX.c.rowid)


def has_terms(user_id: str, groups: Iterable[Group]) -> ColumnElement[bool]:
    """Require a term of each group, of this owner's."""
    hashed = [hash_terms(user_id, group).split() for group in groups]
    if _dialect() == "sqlite":
        wanted = " AND ".join(f"({' OR '.join(each)})" for each in hashed)
        return WHOLE_ROW.op("MATCH", is_comparison=True)(wanted)
    wanted = " & ".join(f"({' | '.join(each)})" for each in hashed)
    return SEARCH_INDEX.c.terms.op("@@", is_comparison=True)(literal(wanted).cast(TSQUERY))


def store_terms(rows: Sequence[tuple[int, str]]) -> None:
    """Store the hashed terms of new rows of the index; those of deleted rows go by themselves."""
    if rows:
        values = [{"number": number, "terms": terms} for number, terms in rows]
        db.session.execute(STORE_TERMS[_dialect()], values)


def _dialect() -> str:
    return db.session.get_bind().dialect.name
