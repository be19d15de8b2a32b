"""The samples of one page, in their order.

Pages are by key: the next one starts after the last row of this one, whatever was added meanwhile. Of rows in
the same place the newest comes first. Up to `MAX_COUNTED` matches are all read and sorted. Of more, the page
is filled from tiers; where the order has none, up to `MAX_RANKED` are ranked. Each process keeps what it has
sorted last until the library changes, for the next pages of a search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select, union

from app.extensions import db
from app.models.search_row import SearchRow
from app.search import match_counts, page_walk, ranking
from app.search.condition import Condition, all_of, without_frequent
from app.search.conditions import term_conditions
from app.search.filters import filter_conditions
from app.search.match_counts import CountedSearch, MatchCounts
from app.search.matching import gathered, walked
from app.search.page_walk import next_rows, place_of, sorted_columns
from app.search.ranking import SortOrder
from app.search.sample_query import SampleQuery
from app.search.tiers import split_order

MAX_RANKED = 2_000  # at least match_counts.MAX_COUNTED; of more, so many of the newest are ranked
MAX_ORDERS_KEPT = 64  # each takes up to 200 kB
MAX_PAGES_KEPT = 512  # each takes some 15 kB, with its counts


class SortedIds(NamedTuple):
    """The ids of a page; with `is_partly_ranked` some matches are on no page, because not all are ranked."""

    ids: Sequence[str]
    is_partly_ranked: bool = False


@dataclass(frozen=True)
class SortedSearch:
    """A search in an order that was picked, or in its own. Its counts follow from the search."""

    search: CountedSearch
    sort: str
    counts: MatchCounts = field(compare=False)

    @property
    def query(self) -> SampleQuery:
        return replace(self.search.query, sort=self.sort)


def sorted_ids(user_id: str, query: SampleQuery, counts: MatchCounts, after: str, limit: int) -> SortedIds:
    """Return the ids of the samples that come next after the one with that id, or first."""
    tiers, lists_all = split_order(query), not row_conditions(query)
    if tiers is not None and lists_all and (len(tiers) == 1 or _are_too_many(counts)):
        return SortedIds(_walk_page(user_id, query, counts, after, limit))
    search = match_counts.name_search(user_id, query, MAX_RANKED, counts.version)
    sorted_search = SortedSearch(search, query.sort, counts)
    if tiers is not None and _are_too_many(counts):
        return SortedIds(kept_page(sorted_search, after, limit))
    every = kept_ids(sorted_search)
    if after and after not in every.ids:
        return _ids_after(user_id, query, counts, after, limit)
    first = every.ids.index(after) + 1 if after else 0
    return every._replace(ids=every.ids[first : first + limit])


@lru_cache(MAX_ORDERS_KEPT)
def kept_ids(sorted_search: SortedSearch) -> SortedIds:
    """Sort as `_sort_all` does, or return what was sorted for an equal search."""
    return _sort_all(sorted_search.search.user_id, sorted_search.query, sorted_search.counts)


@lru_cache(MAX_PAGES_KEPT)
def kept_page(sorted_search: SortedSearch, after: str, limit: int) -> Sequence[str]:
    """Fill a page as `_walk_page` does, or return the same page of an equal search."""
    search, query = sorted_search.search, sorted_search.query
    counts = replace(sorted_search.counts, version=search.version)
    return _walk_page(search.user_id, query, counts, after, limit)


def _walk_page(
    user_id: str, query: SampleQuery, counts: MatchCounts, after: str, limit: int
) -> Sequence[str]:
    """Return the ids of a page of many matches."""
    kinds = [kind for kind, _ in counts.kinds]
    library = page_walk.WalkedLibrary(user_id, counts.library_size, kinds, counts.version)
    return page_walk.fill_page(library, _conditions(query, counts), split_order(query) or (), after, limit)


def _sort_all(user_id: str, query: SampleQuery, counts: MatchCounts) -> SortedIds:
    """Return the ids of all that is found, or of up to `MAX_RANKED` of it."""
    rows, is_partly_ranked = _rows_to_sort(user_id, query, counts)
    every = next_rows(rows.subquery(), _order_of(query), "", None)
    return SortedIds(db.session.scalars(every).all(), is_partly_ranked)


def _ids_after(user_id: str, query: SampleQuery, counts: MatchCounts, after: str, limit: int) -> SortedIds:
    """Return what comes next after a sample that the search does not find, such as a deleted one."""
    order = _order_of(query)
    rows, is_partly_ranked = _rows_to_sort(user_id, query, counts)
    page = next_rows(rows.subquery(), order, after, place_of(user_id, order, after)).limit(limit)
    return SortedIds(db.session.scalars(page).all(), is_partly_ranked)


def _rows_to_sort(user_id: str, query: SampleQuery, counts: MatchCounts) -> tuple[Any, bool]:
    """Return a statement for the rows that are found, and whether it leaves some out."""
    conditions = _conditions(query, counts)
    if _are_too_many(counts) and _are_more(user_id, conditions, MAX_RANKED):
        return _rows_to_rank(user_id, query, conditions), True
    return gathered(user_id, conditions, *sorted_columns(_order_of(query)), limit=MAX_RANKED), False


def _are_too_many(counts: MatchCounts) -> bool:
    return counts.is_more or counts.total > match_counts.MAX_COUNTED


def _conditions(query: SampleQuery, counts: MatchCounts) -> list[Condition]:
    conditions = row_conditions(query)
    return [without_frequent(all_of(*conditions), counts.shares)] if conditions else []


def _order_of(query: SampleQuery) -> SortOrder:
    return ranking.choose_order(query.sort, query.ask, query.terms)


def row_conditions(query: SampleQuery) -> list[Condition]:
    """Return all conditions of a search: the filters and the sentence's terms."""
    return [*filter_conditions(query), *term_conditions(query.terms)]


def _are_more(user_id: str, conditions: list[Condition], most: int) -> bool:
    """Say whether more rows match."""
    found = gathered(user_id, conditions, SearchRow.number, limit=most).subquery()
    return (db.session.scalar(select(func.count()).select_from(found)) or 0) > most


def _rows_to_rank(user_id: str, query: SampleQuery, conditions: list[Condition]) -> Select[Any] | Any:
    """Return the rows to rank where there are too many: those with a word that ranks, and the newest."""
    columns = sorted_columns(_order_of(query))
    newest = SearchRow.sample_id.desc()
    preferred = ranking.preferred_rows(query.ask, query.terms)
    all_newest = walked(user_id, conditions, *columns).order_by(newest).limit(MAX_RANKED)
    if preferred is None:
        return all_newest
    if _are_more(user_id, [*conditions, preferred], MAX_RANKED):
        return walked(user_id, [*conditions, preferred], *columns).order_by(newest).limit(MAX_RANKED)
    with_word = gathered(user_id, [*conditions, preferred], *columns, limit=MAX_RANKED)
    return union(select(with_word.subquery()), select(all_newest.subquery()))
