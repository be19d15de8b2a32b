"""The inverted index of both databases: SQLite's FTS5, PostgreSQL's text search.

The table `search_index` has no model, because in SQLite it is a virtual table. A migration makes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, column, func, literal, literal_column, select, table, text
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
NO_SCANS = text("SET LOCAL enable_seqscan = off")
STORE_TERMS = {
    "sqlite": text("INSERT INTO search_index (rowid, terms) VALUES (:number, :terms)"),
    "postgresql": text("INSERT INTO search_index (rowid, terms) VALUES (:number, CAST(:terms AS tsvector))"),
}


class IndexFirst(Join):
    """A join with the inverted index, which is read first. Then each row that it names is looked up.

    The databases can't know how few rows the terms leave, and would rather read all rows of an owner.
    """

    inherit_cache = True

    @property
    def condition(self) -> ColumnElement[bool]:
        return cast(ColumnElement[bool], self.onclause)


@compiles(IndexFirst, "sqlite")
def _compile_for_sqlite(element: IndexFirst, compiler: SQLCompiler, **options: Any) -> str:
    options |= {"asfrom": True}
    left, right = (compiler.process(side, **options) for side in (element.left, element.right))
    return f"{left} CROSS JOIN {right} ON {compiler.process(element.condition, **options)}"


@compiles(IndexFirst, "postgresql")
def _compile_for_postgresql(element: IndexFirst, compiler: SQLCompiler, **options: Any) -> str:
    """Write each look-up as a subquery of its own: with `OFFSET 0`, PostgreSQL does not rearrange it."""
    options |= {"asfrom": True}
    left, rows = (compiler.process(side, **options) for side in (element.left, element.right))
    found = f"SELECT * FROM {rows} WHERE {compiler.process(element.condition, **options)} OFFSET 0"  # noqa: S608 - parts of a statement, without values
    return f"{left} CROSS JOIN LATERAL ({found}) AS {rows}"


def join_rows(
    rows: FromClause, number: ColumnElement[int], user_id: str, groups: Iterable[Group]
) -> IndexFirst:
    """Return the rows, by their numbers, that the index names for a term of each group, of this owner's."""
    has_terms = _has_terms(user_id, groups)
    if _dialect() == "sqlite":
        return IndexFirst(SEARCH_INDEX, rows, and_(number == SEARCH_INDEX.c.rowid, has_terms))
    named = select(SEARCH_INDEX.c.rowid).where(has_terms).offset(literal_column("0")).subquery("named")
    return IndexFirst(named, rows, number == named.c.rowid)


def count_named(user_id: str, groups: Iterable[Group], most: int) -> int:
    """Count the samples that the index names for a term of each group, up to one more than `most`."""
    named = select(SEARCH_INDEX.c.rowid).where(_has_terms(user_id, groups))
    if (
        _dialect() == "postgresql"
    ):  # which plans for a limit by reading on until enough rows have a frequent term
        named = select(named.cte("named").prefix_with("MATERIALIZED").c.rowid)
    return db.session.scalar(select(func.count()).select_from(named.limit(most + 1).subquery())) or 0


def avoid_scans() -> None:
    """Keep PostgreSQL, until the transaction ends, from reading the whole index for a frequent term.

    It does not know that most terms are stored apart from their rows, which makes that slow.
    """
    if _dialect() == "postgresql":
        db.session.execute(NO_SCANS)


def _has_terms(user_id: str, groups: Iterable[Group]) -> ColumnElement[bool]:
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
