"""Fill a page from tiers: see `tiers`.

Each tier is *walked*, along the index that has its order, until the page is full; or *gathered*, by the
inverted index, and sorted. Walking takes as long as there are rows passed over, gathering as long as there
are rows found. So a tier of few rows is gathered, and others are first walked only so far as that would take.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from math import isqrt
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, Select, and_, false, or_, select, true

from app.extensions import db
from app.models.search_row import SearchRow
from app.search import inverted_index, matching, ranking
from app.search.condition import Condition, all_of
from app.search.index_terms import Group
from app.search.ranking import SortOrder
from app.search.tiers import Tier


class Library(NamedTuple):
    """A user's library and how many samples it has."""

    user_id: str
    size: int


class Start(NamedTuple):
    """What a page continues after: a sample's id, empty for none, and what the sample is sorted by."""

    after: str = ""
    place: Any = None


def fill_page(
    library: Library, conditions: Sequence[Condition], tiers: Sequence[Tier], after: str, limit: int
) -> list[str]:
    """Return the ids of samples that come next in the tiers after the one with that id, or first."""
    number, start = _find_start(library.user_id, tiers, after)
    ids: list[str] = []
    for tier in islice(tiers, number, None):
        ids += _next_of_tier(library, conditions, tier, start, limit - len(ids))
        if len(ids) >= limit:
            break
        start = Start()
    return ids


def _find_start(user_id: str, tiers: Sequence[Tier], after: str) -> tuple[int, Start]:
    """Return the number of the tier that a sample is in, and its place there.

    Nothing comes after a sample that is not the user's: the number is that of no tier.
    """
    if not after:
        return 0, Start()
    if len(tiers) == 1 and tiers[0].order.column is ranking.BY_DATE:
        return 0, Start(after, after)
    is_in = [tier.exact.label(f"is_in_{number}") for number, tier in enumerate(tiers)]
    places = [tier.order.column.label(f"place_{number}") for number, tier in enumerate(tiers)]
    own = SearchRow.sample_id == after, SearchRow.user_id == user_id
    row = db.session.execute(select(*is_in, *places).where(*own)).one_or_none()
    if row is None:
        return len(tiers), Start()
    number = next(number for number in range(len(tiers)) if row[number])
    return number, Start(after, row[len(tiers) + number])


def _next_of_tier(
    library: Library, conditions: Sequence[Condition], tier: Tier, start: Start, limit: int
) -> Sequence[str]:
    wanted = all_of(*conditions, tier.condition)
    few = isqrt(limit * library.size)  # so many are as quickly gathered as walked, if they are spread evenly
    for groups in (tier.condition.groups, wanted.groups if tier.condition.groups else ()):
        if _are_named(library, groups, few):
            return _gather(library, Condition(wanted.exact, groups), tier, start, limit)
    ids = _walk(library, wanted, tier, start, limit, most=2 * few)
    if len(ids) >= limit:
        return ids
    if _are_named(library, wanted.groups, matching.MAX_GATHERED):
        return _gather(library, wanted, tier, start, limit)
    return _walk(library, wanted, tier, start, limit)


def _are_named(library: Library, groups: Sequence[Group], most: int) -> bool:
    """Say whether the inverted index names at most so many samples."""
    return bool(groups) and inverted_index.count_named(library.user_id, groups, most) <= most


def _gather(library: Library, wanted: Condition, tier: Tier, start: Start, limit: int) -> Sequence[str]:
    rows = matching.gathered(library.user_id, [wanted], *sorted_columns(tier.order)).where(tier.span)
    return db.session.scalars(next_rows(rows.subquery(), tier.order, *start).limit(limit)).all()


def _walk(
    library: Library, wanted: Condition, tier: Tier, start: Start, limit: int, most: int | None = None
) -> Sequence[str]:
    """Follow an index from a place on. Rows in the same place are a range of their own."""
    order, ids = tier.order, list[str]()
    ranges: list[ColumnElement[bool]] = [true()]
    if start.after:
        equal = and_(order.column == start.place, SearchRow.sample_id < start.after)
        ranges = [] if order.column is ranking.BY_DATE else [equal]
        ranges.append(_is_further(order, order.column, start.place))
    for each in ranges:
        if len(ids) < limit:
            rows = _rows_of_range(library.user_id, wanted, tier, each, most)
            ids += db.session.scalars(rows.limit(limit - len(ids)))
    return ids


def _rows_of_range(
    user_id: str, wanted: Condition, tier: Tier, place: ColumnElement[bool], most: int | None
) -> Select[Any]:
    """Return the ids in a range of an index that match; with `most`, only of its first rows."""
    in_order = _sorted(tier.order, tier.order.column), SearchRow.sample_id.desc()
    if most is None:
        return (
            matching.walked(user_id, [wanted], SearchRow.sample_id)
            .where(tier.span, place)
            .order_by(*in_order)
        )
    every = matching.walked(user_id, [], SearchRow.sample_id, wanted.exact.label("is_wanted"))
    passed = every.where(tier.span, place).order_by(*in_order).limit(most).subquery()
    return select(passed.c.sample_id).where(passed.c.is_wanted)


def place_of(user_id: str, order: SortOrder, after: str) -> Any:
    """Return what a sample is sorted by, also a deleted one; None for one that is not the user's."""
    if not after or order.column is ranking.BY_DATE:
        return after
    own = SearchRow.sample_id == after, SearchRow.user_id == user_id
    return db.session.scalar(select(order.column).where(*own))


def next_rows(found: FromClause, order: SortOrder, after: str, place: Any) -> Select[Any]:
    """Return the ids of found rows that come next after a sample, in order."""
    ids = select(found.c.sample_id).order_by(_sorted(order, found.c.place), found.c.sample_id.desc())
    if after:
        further = _is_further(order, found.c.place, place)
        ids = ids.where(or_(further, and_(found.c.place == place, found.c.sample_id < after)))
    return ids


def sorted_columns(order: SortOrder) -> tuple[Any, Any]:
    """Return the columns that `next_rows` needs of the rows it sorts."""
    return SearchRow.sample_id, order.column.label("place")


def _sorted(order: SortOrder, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return column.desc() if order.descending else column.asc()


def _is_further(order: SortOrder, column: ColumnElement[Any], place: Any) -> ColumnElement[bool]:
    """Require a place beyond this one. Nothing is beyond the place of a sample that is not the user's."""
    if place is None:
        return false()
    further: ColumnElement[bool] = column < place if order.descending else column > place
    return further
