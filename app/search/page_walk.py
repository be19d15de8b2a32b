"""Fill a page from tiers: see `tiers`.

Each tier is *walked*, along the index that has its order, until the page is full; or *gathered*, by the
inverted index, and sorted. Walking takes as long as there are rows passed over, gathering as long as there
are rows found. So a tier of few rows is gathered, and others are first walked only so far as that would take.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isqrt
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    Select,
    and_,
    case,
    false,
    func,
    or_,
    select,
    true,
    union_all,
)

from app.extensions import db
from app.models.search_row import SearchRow
from app.search import match_counts, matching, ranking
from app.search.condition import Condition, all_of
from app.search.conditions import one_of
from app.search.index_terms import Group
from app.search.match_counts import MAX_COUNTED
from app.search.ranking import SortOrder
from app.search.tiers import EVERY, Tier

MAX_TRIED = 2000  # rows that are walked before it is asked how many the search names, which takes as long
GATHERING_COST = 5  # gathering a row takes as long as walking past so many
MAX_LANES = 3  # the samples of more sounds or keys are found soon enough among all others


class WalkedLibrary(NamedTuple):
    """A user's library: how many samples it has, the kinds of those that a search may find, and its version.

    The version is None if it was not asked for.
    """

    user_id: str
    size: int
    kinds: Collection[str]
    version: int | None


class Start(NamedTuple):
    """What a page continues after: a sample's id, empty for none, and what the sample is sorted by."""

    after: str = ""
    place: Any = None


@dataclass(frozen=True)
class Lane:
    """Wanted rows that an index has in order: those of a tier, or of one kind, sound or key in it."""

    library: WalkedLibrary
    wanted: Condition
    tier: Tier
    value: str | None = None
    is_only: bool = False  # no wanted row has another value
    has_all: bool = False  # no condition leaves out any row of the part of the index

    @property
    def span(self) -> ColumnElement[bool]:
        """The part of the index that has all of the rows."""
        if self.value is None:
            return self.tier.span
        return and_(self.tier.span, getattr(SearchRow, self.tier.order.by) == self.value)

    @property
    def rare_groups(self) -> tuple[Group, ...]:
        """Terms of the lane that may name few samples, though those of the whole search name many."""
        own, every = self.tier.condition.groups, self.wanted.groups
        is_part = self.value is not None and not self.is_only and len(every) > 1
        return own or (every if is_part else ())


def fill_page(
    library: WalkedLibrary, conditions: Sequence[Condition], tiers: Sequence[Tier], after: str, limit: int
) -> list[str]:
    """Return the ids of samples that come next in the tiers after the one with that id, or first."""
    number, start = _find_start(library.user_id, tiers, after)
    ids: list[str] = []
    for tier in islice(tiers, number, None):
        order, room = tier.order, limit - len(ids)
        rows = _in_order(_rows_of_tier(_lanes(library, conditions, tier), start, room), order)
        ids += [row.sample_id for row in rows[:room]]
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


def _lanes(library: WalkedLibrary, conditions: Sequence[Condition], tier: Tier) -> list[Lane]:
    wanted = all_of(*conditions, tier.condition)
    has_all = not conditions and tier.condition.exact is EVERY.exact
    values = _values_to_walk(library, wanted, tier.order)
    if values is None:
        return [Lane(library, wanted, tier, has_all=has_all)]
    by = tier.order.by
    is_only = len(values) == 1 and by not in tier.condition.values
    return [Lane(library, all_of(wanted, one_of(by, each)), tier, each, is_only, has_all) for each in values]


def _values_to_walk(library: WalkedLibrary, wanted: Condition, order: SortOrder) -> Collection[str] | None:
    """Return the kinds, sounds or keys whose parts of an index are walked; None for an index of all rows."""
    values = wanted.values.get(order.by)
    if order.by == "kind":
        return set(library.kinds) if values is None else values & set(library.kinds)
    return values if values is not None and len(values) <= MAX_LANES else None


def _in_order(rows: Iterable[Row[Any]], order: SortOrder) -> list[Row[Any]]:
    newest = sorted(rows, key=attrgetter("sample_id"), reverse=True)
    return sorted(newest, key=attrgetter("place"), reverse=order.descending)


def _rows_of_tier(lanes: Sequence[Lane], start: Start, limit: int) -> list[Row[Any]]:
    """Return the ids and places of the rows that come next, in no order; there may be more than `limit`."""
    if all(lane.has_all for lane in lanes):
        return [*_walk(lanes, start, limit)]
    return [row for lane in lanes for row in _next_rows(lane, start, limit)]


def _next_rows(lane: Lane, start: Start, limit: int) -> Sequence[Row[Any]]:
    """Return the ids and places of the rows of a lane that come next."""
    few, rare = _few_rows(lane.library.size, limit), lane.rare_groups
    if rare and (named := _number_named(lane, rare, few)) <= few:
        return _gather(lane, rare, start, limit) if named else []
    rows, are_all = _walk_first(lane, start, limit, MAX_TRIED)
    if are_all or len(rows) >= limit:
        return rows
    return [*rows, *_rows_further_on(lane, _after(lane, rows, start), limit - len(rows), few)]


def _rows_further_on(lane: Lane, start: Start, limit: int, few: int) -> Sequence[Row[Any]]:
    """Return rows of a lane that does not have enough of them close by."""
    groups = lane.wanted.groups
    # The search finds more than MAX_COUNTED: only a part of it can be few, unless `few` is far more.
    may_be_few = bool(groups) and (bool(lane.rare_groups) or few > 2 * MAX_COUNTED)
    if may_be_few and (named := _number_named(lane, groups, few)) <= few:
        return _gather(lane, groups, start, limit) if named else []
    rows, are_all = _walk_first(lane, start, limit, 2 * GATHERING_COST * few)
    if are_all or len(rows) >= limit:
        return rows
    start, limit = _after(lane, rows, start), limit - len(rows)
    if groups and _number_named(lane, groups, matching.MAX_GATHERED) <= matching.MAX_GATHERED:
        return [*rows, *_gather(lane, groups, start, limit)]
    return [*rows, *_walk([lane], start, limit)]


def _after(lane: Lane, rows: Sequence[Row[Any]], start: Start) -> Start:
    """Return the place after the last of the rows, or `start` if there are none."""
    return Start(*_in_order(rows, lane.tier.order)[-1]) if rows else start


def _few_rows(size: int, limit: int) -> int:
    """Return how many rows are gathered as quickly as a page of them is walked, if they are spread evenly."""
    return isqrt(size * limit // GATHERING_COST)


def _number_named(lane: Lane, groups: Sequence[Group], most: int) -> int:
    """Return how many samples the inverted index names, up to one more than `most`."""
    return match_counts.number_named(lane.library.user_id, groups, most, lane.library.version)


def _gather(lane: Lane, groups: tuple[Group, ...], start: Start, limit: int) -> Sequence[Row[Any]]:
    order, wanted = lane.tier.order, Condition(lane.wanted.exact, groups)
    rows = matching.gathered(lane.library.user_id, [wanted], *sorted_columns(order)).where(lane.span)
    return db.session.execute(next_rows(rows.subquery(), order, *start).limit(limit)).all()


def _walk(lanes: Sequence[Lane], start: Start, limit: int) -> Sequence[Row[Any]]:
    """Follow the index of each lane from a place on, all in one statement: up to `limit` rows of each."""
    ranges = [(lane, place) for lane in lanes for place in _ranges(lane, start)]
    parts = [_rows_of_range(lane, place).limit(limit) for lane, place in ranges]
    if len(parts) == 1:
        return db.session.execute(parts[0]).all()
    return db.session.execute(union_all(*(select(part.subquery()) for part in parts))).all() if parts else []


def _walk_first(lane: Lane, start: Start, limit: int, most: int) -> tuple[Sequence[Row[Any]], bool]:
    """Return the wanted ones of the first `most` rows of an index from a place on, and whether these are all.

    Where there are more rows in that place, nothing beyond them is returned.
    """
    rows = list[Row[Any]]()
    for place in _ranges(lane, start):
        rows += db.session.execute(_rows_of_range(lane, place, most).limit(limit - len(rows)))
        if len(rows) >= limit or _is_cut(lane, place, most):
            return rows, False
    return rows, True


def _ranges(lane: Lane, start: Start) -> list[ColumnElement[bool]]:
    """Return the parts of a lane that come next. Rows in the same place are a part of their own."""
    order = lane.tier.order
    if not start.after:
        return [true()]
    further = _is_further(order, order.column, start.place)
    if order.column is ranking.BY_DATE:
        return [further]
    return [and_(order.column == start.place, SearchRow.sample_id < start.after), further]


def _is_cut(lane: Lane, place: ColumnElement[bool], most: int) -> bool:
    """Say whether a range of an index has rows beyond the first ones."""
    passed = matching.walked(lane.library.user_id, [], SearchRow.sample_id).where(lane.span, place)
    first = passed.limit(most + 1).subquery()
    return (db.session.scalar(select(func.count()).select_from(first)) or 0) > most


def _rows_of_range(lane: Lane, place: ColumnElement[bool], most: int | None = None) -> Select[Any]:
    """Return the wanted rows in a range of an index; with `most`, only those of its first rows."""
    order, columns = lane.tier.order, sorted_columns(lane.tier.order)
    in_order = _sorted(order, order.column), SearchRow.sample_id.desc()
    if most is None:
        rows = matching.walked(lane.library.user_id, [lane.wanted], *columns)
        return rows.where(lane.span, place).order_by(*in_order)
    # In a `CASE`, SQLite tests no further conditions of a row once one fails.
    is_wanted = case((lane.wanted.exact, 1), else_=0).label("is_wanted")
    every = matching.walked(lane.library.user_id, [], *columns, is_wanted)
    passed = every.where(lane.span, place).order_by(*in_order).limit(most).subquery()
    return select(passed.c.sample_id, passed.c.place).where(passed.c.is_wanted == 1)


def place_of(user_id: str, order: SortOrder, after: str) -> Any:
    """Return what a sample is sorted by, also a deleted one; None for one that is not the user's."""
    if not after or order.column is ranking.BY_DATE:
        return after
    own = SearchRow.sample_id == after, SearchRow.user_id == user_id
    return db.session.scalar(select(order.column).where(*own))


def next_rows(found: FromClause, order: SortOrder, after: str, place: Any) -> Select[Any]:
    """Return the found rows that come next after a sample, in order."""
    in_order = _sorted(order, found.c.place), found.c.sample_id.desc()
    rows = select(found.c.sample_id, found.c.place).order_by(*in_order)
    if after:
        further = _is_further(order, found.c.place, place)
        rows = rows.where(or_(further, and_(found.c.place == place, found.c.sample_id < after)))
    return rows


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
