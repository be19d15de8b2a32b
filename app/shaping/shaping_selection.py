"""The samples that a preset shapes: those that are ticked, or those that a search finds, some at a time."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from app.models import User
from app.search.sample_query import SampleQuery, with_learned_words
from app.search.sample_search import list_samples
from app.shaping import orders

MAX_AT_ONCE = 500


@dataclass(frozen=True)
class ChosenSounds:
    """Samples to shape now.

    Attributes
    ----------
    ids : tuple of str
        Those of ticked samples are not checked: whoever uses them asks for the user's own.
    total : int
        How many were chosen, with those that come later.
    is_more : bool
        Whether more were chosen than `total`.
    next_args : dict or None
        The form values that choose the next samples; None when these are the last.
    """

    ids: tuple[str, ...]
    total: int
    is_more: bool = False
    next_args: dict[str, str] | None = None


def choose_sounds(user: User, given: MultiDict[str, str]) -> ChosenSounds:
    """Return what the library's form chose: with `all` the results of its search, else each `sample`.

    Of a search they are as many as the plan still allows today, at most `MAX_AT_ONCE`.
    """
    if not given.get("all"):
        ids = tuple(dict.fromkeys(given.getlist("sample")))
        return ChosenSounds(ids[:MAX_AT_ONCE], len(ids))
    query = with_learned_words(user, SampleQuery.from_args(given))
    left = orders.renders_left(user)
    found = list_samples(user, query, given.get("after"), min(left, MAX_AT_ONCE) if left > 0 else MAX_AT_ONCE)
    ids = tuple(sample.id for sample in found.samples)
    return ChosenSounds(ids, found.total, found.is_more, _next_args(given, found.next_after))


def _next_args(given: MultiDict[str, str], after: str | None) -> dict[str, str] | None:
    return None if after is None else search_args(given) | {"after": after}


def search_args(given: MultiDict[str, str]) -> dict[str, str]:
    """Return the form values that choose all results of the search of a form, from `after` on."""
    after = {"after": given["after"]} if given.get("after") else {}
    return SampleQuery.from_args(given).to_args() | {"all": "1"} | after
