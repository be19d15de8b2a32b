"""The samples that the library's form chose: those that are ticked, or those that its search finds."""

from __future__ import annotations

from typing import NamedTuple

from werkzeug.datastructures import MultiDict

from app.models import User
from app.search.sample_query import SampleQuery, with_learned_words
from app.search.sample_search import list_samples

MAX_SELECTED = 1_000


class BulkSelection(NamedTuple):
    """The ids of the chosen samples in their order, and whether there were more than `MAX_SELECTED`."""

    ids: tuple[str, ...]
    is_more: bool


def choose(user: User, given: MultiDict[str, str]) -> BulkSelection:
    """Return what a form chose of a user's library: with `all` the results of its search, else each `sample`.

    Ids that are ticked are not checked here: whoever uses them asks for the user's own.
    """
    if not given.get("all"):
        ids = tuple(dict.fromkeys(given.getlist("sample")))
        return BulkSelection(ids[:MAX_SELECTED], len(ids) > MAX_SELECTED)
    query = with_learned_words(user, SampleQuery.from_args(given))
    found = list_samples(user, query, None, MAX_SELECTED)
    return BulkSelection(tuple(sample.id for sample in found.samples), found.next_after is not None)
