"""The samples of one page, in their order.

Pages are by key: the next one starts after the last row of this one, whatever was added meanwhile. Of rows in
the same place the newest comes first. Up to `MAX_COUNTED` matches are all read and sorted. Of more, the page
is filled from tiers; where the order has none, up to `MAX_RANKED` are ranked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select, union

from app.extensions import db
from app.models.search_row import SearchRow
from app.search import match_counts, page_walk, ranking
from app.search.condition import Condition, all_of, without_frequent
from app.search.conditions import term_conditions
from app.search.filters import filter_conditions
from app.search.match_counts import MatchCounts
from app.search.matching import gathered, walked
from app.search.page_walk import next_rows, place_of, sorted_columns
from app.search.sample_query import SampleQuery
from app.search.tiers import split_order

MAX_RANKED = 2_000  # at least match_counts.MAX_COUNTED; of more, so many of the newest are ranked


class SortedIds(NamedTuple):
    """The ids of a page; with `is_partly_ranked` some matches are on no page, because not all are ranked."""

    ids: Sequence[str]
    is_partly_ranked: bool = False


def sorted_ids(user_id: str, query: SampleQuery, counts: MatchCounts, after: str, limit: int) -> SortedIds:
    """Return the ids of the samples that come next after the one with that id, or first."""
    conditions = row_conditions(query)
    if conditions:
        conditions = [without_frequent(all_of(*conditions), counts.shares)]
    are_too_many = counts.is_more or counts.total > match_counts.MAX_COUNTED
    if are_too_many and (tiers := split_order(query)) is not None:
        library = page_walk.WalkedLibrary(user_id, counts.library_size, [kind for kind, _ in counts.kinds])
        return SortedIds(page_walk.fill_page(library, conditions, tiers, after, limit))
    order = ranking.choose_order(query.sort, query.ask, query.terms)
    is_partly_ranked = are_too_many and _are_more(user_id, conditions, MAX_RANKED)
    if is_partly_ranked:
        rows = _rows_to_rank(user_id, query, conditions)
    else:
        rows = gathered(user_id, conditions, *sorted_columns(order), limit=MAX_RANKED)
    place = place_of(user_id, order, after)
    page = next_rows(rows.subquery(), order, after, place).limit(limit)
    return SortedIds(db.session.scalars(page).all(), is_partly_ranked)


def row_conditions(query: SampleQuery) -> list[Condition]:
    """Return all conditions of a search: the filters and the sentence's terms."""
    return [*filter_conditions(query), *term_conditions(query.terms)]


def _are_more(user_id: str, conditions: list[Condition], most: int) -> bool:
    """Say whether more rows match."""
    found = gathered(user_id, conditions, SearchRow.number, limit=most).subquery()
    return (db.session.scalar(select(func.count()).select_from(found)) or 0) > most


def _rows_to_rank(user_id: str, query: SampleQuery, conditions: list[Condition]) -> Select[Any] | Any:
    """Return the rows to rank where there are too many: those with a word that ranks, and the newest."""
    columns = sorted_columns(ranking.choose_order(query.sort, query.ask, query.terms))
    newest = SearchRow.sample_id.desc()
    preferred = ranking.preferred_rows(query.ask, query.terms)
    all_newest = walked(user_id, conditions, *columns).order_by(newest).limit(MAX_RANKED)
    if preferred is None:
        return all_newest
    if _are_more(user_id, [*conditions, preferred], MAX_RANKED):
        return walked(user_id, [*conditions, preferred], *columns).order_by(newest).limit(MAX_RANKED)
    with_word = gathered(user_id, [*conditions, preferred], *columns, limit=MAX_RANKED)
    return union(select(with_word.subquery()), select(all_newest.subquery()))
