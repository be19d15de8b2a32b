"""The rows of one library that meet conditions, found in one of two ways.

*Gathered*: by the inverted index where the conditions allow it, in no order, at most `MAX_GATHERED` rows.
That takes as long as there are rows found. *Walked*: along an index that has the order of the page already,
which takes as long as there are rows passed over until the page is full. So few rows are gathered, and many
walked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from app.models.search_row import SearchRow
from app.search import inverted_index
from app.search.condition import Condition, all_of

MAX_GATHERED = 10_000


def gathered(
    user_id: str, conditions: Sequence[Condition], *columns: Any, limit: int | None = None
) -> Select[Any]:
    """Return a statement for columns of rows that match: at most one row more than the limit."""
    wanted = all_of(*conditions)
    rows = _own_rows(user_id, wanted, columns).limit((MAX_GATHERED if limit is None else limit) + 1)
    if not wanted.groups:
        return rows.select_from(SearchRow)
    number = SearchRow.number.expression
    return rows.select_from(inverted_index.join_rows(SearchRow.__table__, number, user_id, wanted.groups))


def walked(user_id: str, conditions: Sequence[Condition], *columns: Any) -> Select[Any]:
    """Return a statement for columns of rows that match, to be ordered as an index is."""
    return _own_rows(user_id, all_of(*conditions), columns)


def _own_rows(user_id: str, wanted: Condition, columns: Sequence[Any]) -> Select[Any]:
    return select(*columns).where(SearchRow.user_id == user_id, SearchRow.live.is_(True), wanted.exact)
