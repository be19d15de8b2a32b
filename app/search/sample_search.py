"""Step 7 of a search: run it. Filters, conditions and order become one statement, a page at a time.

The steps, each in its own module: 1 `sample_query` reads the address, 2 `sentence_parser` turns the sentence
into terms, 3 `learned_words` explains words no rule knows, 4 `filters` and 5 `conditions` choose the rows,
6 `ranking` orders them, and this module runs the statement. `chips`, `term_labels` and `facets` say on the
page what was understood and what else could be searched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, func, or_, select
from sqlalchemy.sql.base import ExecutableOption

from app.extensions import db
from app.models import Sample, User
from app.search import ranking
from app.search.conditions import term_conditions
from app.search.filters import filter_conditions
from app.search.sample_query import SampleQuery

PAGE_SIZE = 50


@dataclass(frozen=True)
class SamplePage:
    """One page of results; `next_after` is the id to continue after, None on the last page."""

    samples: list[Sample]
    next_after: str | None
    total: int


def find_samples(
    user: User,
    query: SampleQuery,
    after: str | None,
    limit: int = PAGE_SIZE,
    options: Sequence[ExecutableOption] = (),
) -> SamplePage:
    """Return one page of the user's samples that match, continued after the sample with that id."""
    wanted = row_conditions(user, query)
    statement = _page_rows(select(Sample).where(*wanted), user, query, after, limit)
    rows = db.session.scalars(statement.options(*options)).all()
    has_more = len(rows) > limit
    total = db.session.scalar(select(matching_count(user, query))) or 0
    return SamplePage(list(rows[:limit]), rows[limit - 1].id if has_more else None, total)


def is_page_start(user: User, after: str) -> bool:
    """Say whether a page can continue after this id: any sample of the user's, also a deleted one."""
    known = select(Sample.id).where(Sample.id == after, Sample.user_id == user.id)
    return db.session.scalar(known) is not None


def matching_count(user: User, query: SampleQuery) -> ScalarSelect[int]:
    """Return a subquery that counts the user's samples that match, to be selected alone or with others."""
    return select(func.count()).select_from(Sample).where(*row_conditions(user, query)).scalar_subquery()


def row_conditions(user: User, query: SampleQuery) -> list[ColumnElement[bool]]:
    """Return all conditions of a search: the user's own samples, the filters, the sentence's terms."""
    own = [Sample.user_id == user.id, Sample.deleted_at.is_(None)]
    return own + filter_conditions(query) + term_conditions(query.terms)


def _page_rows(
    rows: Select[Sample], user: User, query: SampleQuery, after: str | None, limit: int
) -> Select[Sample]:
    """Page by key: the next page starts after this page's last row, whatever was added meanwhile.

    One row more than the page holds is selected, which tells whether there is a next page.
    """
    _, column, descending = ranking.choose_order(query.sort, query.ask, query.terms)
    if after:
        last = select(column).where(Sample.id == after, Sample.user_id == user.id).scalar_subquery()
        beyond = column < last if descending else column > last
        rows = rows.where(or_(beyond, and_(column == last, Sample.id < after)))
    return rows.order_by(column.desc() if descending else column.asc(), Sample.id.desc()).limit(limit + 1)
