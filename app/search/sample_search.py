"""Step 7 of a search: run it, a page at a time.

The steps, each in its own module: 1 `sample_query` reads the address, 2 `sentence_parser` turns the sentence
into terms, 3 `learned_words` explains words no rule knows, 4 `filters` and 5 `conditions` choose the rows,
6 `ranking` orders them, and this module runs the statements. `chips`, `term_labels` and `facets` say on the
page what was understood and what else could be searched.

All of it reads the search index, `SearchRow`; only the samples of the page itself are loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, or_, select, union_all
from sqlalchemy.sql.base import ExecutableOption

from app.extensions import db
from app.models import Sample, User
from app.models.search_row import SearchRow
from app.search import indexing, ranking
from app.search.condition import Condition
from app.search.conditions import term_conditions
from app.search.filters import filter_conditions
from app.search.match_counts import MatchCounts, count_matches
from app.search.matching import gathered, walked
from app.search.ranking import SortOrder
from app.search.sample_query import SampleQuery

PAGE_SIZE = 50
MAX_RANKED = 2_000  # of more than MAX_GATHERED matches, only so many of the newest are ranked


@dataclass(frozen=True)
class SamplePage:
    """One page of results; `next_after` is the id to continue after, None on the last page."""

    samples: list[Sample]
    next_after: str | None
    counts: MatchCounts

    @property
    def total(self) -> int:
        """How many samples match, as far as they are counted: see `MatchCounts.is_more`."""
        return self.counts.total


def find_samples(
    user: User,
    query: SampleQuery,
    after: str | None,
    limit: int = PAGE_SIZE,
    options: Sequence[ExecutableOption] = (),
) -> SamplePage:
    """Return one page of the user's samples that match, continued after the sample with that id."""
    indexing.follow_changes(user.id)
    counts = count_matches(user.id, query)
    ids = db.session.scalars(_page_ids(user.id, query, counts, after, limit)).all()
    own = Sample.user_id == user.id, Sample.deleted_at.is_(None), Sample.id.in_(ids[:limit])
    loaded = {
        sample.id: sample for sample in db.session.scalars(select(Sample).where(*own).options(*options))
    }
    samples = [loaded[sample_id] for sample_id in ids[:limit] if sample_id in loaded]
    return SamplePage(samples, ids[limit - 1] if len(ids) > limit else None, counts)


def is_page_start(user: User, after: str) -> bool:
    """Say whether a page can continue after this id: any sample of the user's, also a deleted one."""
    known = select(Sample.id).where(Sample.id == after, Sample.user_id == user.id)
    return db.session.scalar(known) is not None


def row_conditions(query: SampleQuery) -> list[Condition]:
    """Return all conditions of a search: the filters and the sentence's terms."""
    return [*filter_conditions(query), *term_conditions(query.terms)]


def _page_ids(
    user_id: str, query: SampleQuery, counts: MatchCounts, after: str | None, limit: int
) -> Select[Any]:
    """Return a statement for the ids of a page, and one more, which tells whether there is a next page.

    Pages are by key: the next one starts after this page's last row, whatever was added meanwhile. Of rows in
    the same place the newest comes first.
    """
    order = ranking.choose_order(query.sort, query.ask, query.terms)
    conditions = row_conditions(query)
    place = after if order.column is ranking.BY_DATE else _place_of(user_id, order, after) if after else None
    if order.is_stored and (counts.is_more or counts.total**2 > limit * counts.library_size):
        return _walk(user_id, conditions, order, after, place, limit + 1)
    columns = SearchRow.sample_id, order.column.label("place")
    if counts.is_more:
        newest = walked(user_id, conditions, *columns).order_by(SearchRow.sample_id.desc()).limit(MAX_RANKED)
        rows = newest.subquery()
    else:
        rows = gathered(user_id, conditions, *columns).subquery()
    found = select(rows.c.sample_id)
    if after:
        found = found.where(_is_beyond(order, rows.c.place, place, rows.c.sample_id, after))
    in_order = rows.c.place.desc() if order.descending else rows.c.place
    return found.order_by(in_order, rows.c.sample_id.desc()).limit(limit + 1)


def _walk(
    user_id: str, conditions: list[Condition], order: SortOrder, after: str | None, place: Any, limit: int
) -> Select[Any]:
    """Follow an index from a place on. Rows in the same place are a range of their own."""
    columns = SearchRow.sample_id, order.column.label("place")
    in_order = order.column.desc() if order.descending else order.column
    rows = walked(user_id, conditions, *columns).order_by(in_order, SearchRow.sample_id.desc()).limit(limit)
    if not after:
        return rows.with_only_columns(SearchRow.sample_id)
    beyond = rows.where(order.column < place if order.descending else order.column > place)
    if order.column is ranking.BY_DATE:
        return beyond.with_only_columns(SearchRow.sample_id)
    equal = rows.where(order.column == place, SearchRow.sample_id < after)
    both = union_all(select(equal.subquery()), select(beyond.subquery())).subquery()
    in_order = both.c.place.desc() if order.descending else both.c.place
    return select(both.c.sample_id).order_by(in_order, both.c.sample_id.desc()).limit(limit)


def _place_of(user_id: str, order: SortOrder, after: str) -> Any:
    """Return what a row is sorted by, also a deleted one's; None for a row that is not the user's."""
    own = SearchRow.sample_id == after, SearchRow.user_id == user_id
    return db.session.scalar(select(order.column).where(*own))


def _is_beyond(order: SortOrder, column: Any, place: Any, sample_id: Any, after: str) -> Any:
    further = column < place if order.descending else column > place
    return or_(further, and_(column == place, sample_id < after))
