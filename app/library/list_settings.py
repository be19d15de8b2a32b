"""How a user's library is listed: the order and the columns, as they were chosen last."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from app.models import User
from app.models.base import transaction
from app.search.sample_query import SampleQuery

# The columns that can be hidden, with their words. The name always stays.
COLUMNS = {
    "wave": "Waveform", "kind": "Kind", "key": "Key", "bpm": "BPM", "length": "Length", "like": "Like",
    "words": "Tags and words",
}  # fmt: skip
SEPARATOR = " "
REMEMBERED = "remembered"  # what the search form sends as the order as long as none is chosen in it


def with_chosen_order(user: User, query: SampleQuery, args: Mapping[str, str]) -> SampleQuery:
    """Remember the order that an address names, or return the search in the order that was chosen last.

    A sentence asks for its own order, so it gets no other one unless the address says so.
    """
    if is_order_left_open(args):
        return with_remembered_order(user, query)
    if query.sort != user.library_sort:
        with transaction():
            user.library_sort = query.sort
    return query


def is_order_left_open(args: Mapping[str, str]) -> bool:
    """Say whether an address names no order."""
    return args.get("sort", REMEMBERED) == REMEMBERED


def with_remembered_order(user: User, query: SampleQuery) -> SampleQuery:
    """Return a search that names no order in the one chosen last, unless a sentence asks for its own."""
    if query.ask or query.sort or not user.library_sort:
        return query
    return replace(query, sort=user.library_sort, is_sort_remembered=True)


def hidden_columns(user: User) -> list[str]:
    """Return the columns that the user does not want to see."""
    return [name for name in user.hidden_columns.split(SEPARATOR) if name in COLUMNS]


def show_columns(user: User, shown: Collection[str]) -> None:
    """Hide all other columns from now on."""
    with transaction():
        user.hidden_columns = SEPARATOR.join(name for name in COLUMNS if name not in shown)
