"""The samples of one page, in their order.

Pages are by key: the next one starts after the last row of this one, whatever was added meanwhile. Of rows in
the same place the newest comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    false,
    func,
    null,
    or_,
    select,
    union,
    union_all,
)

from app.extensions import db
from app.models.search_row import SearchRow
from app.search import matching, ranking, text_conditions
from app.search.condition import Condition, all_of
from app.search.conditions import term_conditions
from app.search.filters import filter_conditions
from app.search.match_counts import MatchCounts
from app.search.matching import gathered, walked
from app.search.ranking import SortOrder
from app.search.sample_query import SampleQuery

MAX_RANKED = 2_000  # of more than matching.MAX_GATHERED matches, so many of the newest are ranked


def sorted_ids(
    user_id: str, query: SampleQuery, counts: MatchCounts, after: str, limit: int
) -> Sequence[str]:
    """Return the ids of the samples that come next after the one with that id, or first."""
    order = ranking.choose_order(query.sort, query.ask, query.terms)
    conditions = row_conditions(query)
    place = _place_of(user_id, order, after)
    if not _are_too_many(counts):
        rows = gathered(user_id, conditions, *_columns(order))
    elif order.is_stored:
        return _walk(user_id, conditions, order, after, place, limit)
    elif axis := ranking.single_axis(query.terms):
        return _walk_axis(user_id, query, axis, after, limit)
    else:
        rows = _rows_to_rank(user_id, query, conditions, order)
    return db.session.scalars(_next_rows(rows.subquery(), order, after, place, limit)).all()


def ranks_only_some(query: SampleQuery, counts: MatchCounts) -> bool:
    """Say whether there are so many matches, and such an order, that only some are ranked and listed."""
    order = ranking.choose_order(query.sort, query.ask, query.terms)
    return _are_too_many(counts) and not order.is_stored and ranking.single_axis(query.terms) is None


def _are_too_many(counts: MatchCounts) -> bool:
    return counts.is_more or counts.total > matching.MAX_GATHERED


def gather_page(
    user_id: str, query: SampleQuery, after: str, limit: int
) -> tuple[dict[int, int], Sequence[str]]:
    """Count all rows that match in each cell of the library, and return the ids of a page, together.

    There may be more rows than were gathered. Then the cells have more than `MAX_GATHERED` in all, and the
    ids are no page.
    """
    order = ranking.choose_order(query.sort, query.ask, query.terms)
    place = _place_of(user_id, order, after)
    columns = SearchRow.cell, *_columns(order)
    found = gathered(user_id, row_conditions(query), *columns).cte("found").prefix_with("MATERIALIZED")
    counted = select(found.c.cell, func.count().label("samples"), null().label("sample_id"))
    page = _next_rows(found, order, after, place, limit).subquery()
    both = union_all(counted.group_by(found.c.cell), select(null(), null(), page.c.sample_id))
    rows = db.session.execute(both).all()
    ids = [row.sample_id for row in rows if row.sample_id is not None]
    return {row.cell: row.samples for row in rows if row.sample_id is None}, ids


def _next_rows(found: FromClause, order: SortOrder, after: str, place: Any, limit: int) -> Select[Any]:
    ids = select(found.c.sample_id).order_by(_sorted(order, found.c.place), found.c.sample_id.desc())
    if after:
        further = _is_further(order, found.c.place, place)
        ids = ids.where(or_(further, and_(found.c.place == place, found.c.sample_id < after)))
    return ids.limit(limit)


def row_conditions(query: SampleQuery) -> list[Condition]:
    """Return all conditions of a search: the filters and the sentence's terms."""
    return [*filter_conditions(query), *term_conditions(query.terms)]


def _rows_to_rank(
    user_id: str, query: SampleQuery, conditions: list[Condition], order: SortOrder
) -> Select[Any] | Any:
    """Return the rows to rank where there are too many: those with a word that ranks, and the newest."""
    columns = _columns(order)
    newest = SearchRow.sample_id.desc()
    preferred = ranking.preferred_rows(query.ask, query.terms)
    all_newest = walked(user_id, conditions, *columns).order_by(newest).limit(MAX_RANKED)
    if preferred is None:
        return all_newest
    found = gathered(user_id, [*conditions, preferred], SearchRow.number, limit=MAX_RANKED).subquery()
    if (db.session.scalar(select(func.count()).select_from(found)) or 0) > MAX_RANKED:
        return walked(user_id, [*conditions, preferred], *columns).order_by(newest).limit(MAX_RANKED)
    with_word = gathered(user_id, [*conditions, preferred], *columns, limit=MAX_RANKED)
    return union(select(with_word.subquery()), select(all_newest.subquery()))


def _walk(
    user_id: str, conditions: list[Condition], order: SortOrder, after: str, place: Any, limit: int
) -> Sequence[str]:
    """Follow an index from a place on. Rows in the same place are a range of their own."""
    rows = walked(user_id, conditions, SearchRow.sample_id)
    rows = rows.order_by(_sorted(order, order.column), SearchRow.sample_id.desc())
    if not after:
        return db.session.scalars(rows.limit(limit)).all()
    ids: list[str] = []
    if order.column is not ranking.BY_DATE:
        equal = rows.where(order.column == place, SearchRow.sample_id < after)
        ids += db.session.scalars(equal.limit(limit))
    if len(ids) < limit:
        further = rows.where(_is_further(order, order.column, place))
        ids += db.session.scalars(further.limit(limit - len(ids)))
    return ids


def _walk_axis(user_id: str, query: SampleQuery, axis: SortOrder, after: str, limit: int) -> Sequence[str]:
    """Return the samples that have the sentence in their name, then all others along the axis.

    Samples whose figure is not known are left out.
    """
    conditions, known = row_conditions(query), Condition(axis.column.is_not(None))
    has_name = text_conditions.name_contains(query.ask)
    named: list[str] = []
    if has_name is not None:
        rows = gathered(user_id, [*conditions, has_name, known], *_columns(axis)).subquery()
        in_order = select(rows.c.sample_id).order_by(_sorted(axis, rows.c.place), rows.c.sample_id.desc())
        named = list(db.session.scalars(in_order))
        known = all_of(known, ~has_name)
    place = _place_of(user_id, axis, after) if after not in named else None
    ids = named[named.index(after) + 1 :] if after in named else [] if after else named
    if len(ids) >= limit:
        return ids[:limit]
    start = after if after not in named else ""
    return [*ids, *_walk(user_id, [*conditions, known], axis, start, place, limit - len(ids))]


def _place_of(user_id: str, order: SortOrder, after: str) -> Any:
    """Return what a sample is sorted by, also a deleted one; None for one that is not the user's."""
    if not after or order.column is ranking.BY_DATE:
        return after
    own = SearchRow.sample_id == after, SearchRow.user_id == user_id
    return db.session.scalar(select(order.column).where(*own))


def _columns(order: SortOrder) -> tuple[Any, Any]:
    return SearchRow.sample_id, order.column.label("place")


def _sorted(order: SortOrder, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return column.desc() if order.descending else column.asc()


def _is_further(order: SortOrder, column: ColumnElement[Any], place: Any) -> ColumnElement[bool]:
    """Require a place beyond this one. Nothing is beyond the place of a sample that is not the user's."""
    if place is None:
        return false()
    further: ColumnElement[bool] = column < place if order.descending else column > place
    return further
