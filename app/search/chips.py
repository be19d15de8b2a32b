"""The chips above the results: each filter and term in force, and the addresses that change or drop it."""

from __future__ import annotations

from typing import Any, NamedTuple

from app.models.sample_places import BETWEEN_FOLDERS
from app.search import ranking
from app.search.sample_query import SampleQuery
from app.search.sentence_parser import Term, quote_term, remove_term
from app.search.term_labels import length_label, tempo_label, term_label

FILTER_FIELDS = ("kind", "sound", "key", "liked", "sort")


class Chip(NamedTuple):
    """A filter or term in words, with the arguments of the searches that it links to."""

    label: str
    without: dict[str, str]  # the search without it
    said: str = ""  # the words of the sentence that it was understood from
    as_filter: dict[str, str] | None = None  # the search with a filter in its place, to be changed by hand
    as_word: dict[str, str] | None = None  # the search for the word itself instead of a model's guess
    is_used: bool = True  # False for an order that another one overrides
    unused: str = ""  # the words of the sentence before it that ask for nothing


def search_chips(query: SampleQuery) -> list[Chip]:
    """Return a chip for each filter that is set, then one for each term of the sentence."""
    chips, at = _filter_chips(query), 0
    for term in query.terms:
        chips.append(_term_chip(query, term)._replace(unused=query.words_between(at, term.start)))
        at = max(at, term.end)
    return chips


def _filter_chips(query: SampleQuery) -> list[Chip]:
    key = f"{query.key}{' and compatible keys' if query.compatible else ''}" if query.key else ""
    filters: list[tuple[str, dict[str, Any]]] = [
        (f"“{query.q}”" if query.q else "", {"q": ""}),
        (query.kind, {"kind": ""}),
        (query.sound, {"sound": ""}),
        (key, {"key": "", "compatible": False}),
        (_tempo(query), {"bpm_min": None, "bpm_max": None, "half_double": False}),
        (length_label(query.seconds_min, query.seconds_max), {"seconds_min": None, "seconds_max": None}),
        (f"#{query.tag}" if query.tag else "", {"tag": ""}),
        ("liked" if query.liked else "", {"liked": False}),
        (_place_label(query), {"collection": "", "folder": ""}),
    ]
    return [Chip(label, query.to_args(**dropped)) for label, dropped in filters if label]


def _place_label(query: SampleQuery) -> str:
    if not query.collection:
        return ""
    name = query.collection_name or "a collection you don't have"
    return f"in {name}{' › ' if query.folder else ''}{query.folder.replace(BETWEEN_FOLDERS, ' › ')}"


def _tempo(query: SampleQuery) -> str:
    label = tempo_label(*query.tempo)
    return f"{label}, half or double" if label and query.half_double else label


def _term_chip(query: SampleQuery, term: Term) -> Chip:
    rest, label = remove_term(query.ask, term), term_label(term)
    is_used = not ranking.is_overridden(query.sort, query.terms, term)
    if not is_used:
        label += " (not used: another order applies)"
    if term.guess:
        as_word = query.to_args(ask=quote_term(query.ask, term))
        return Chip(label, query.to_args(ask=rest), term.guess, as_word=as_word)
    filters = _equal_filters(term)
    as_filter = query.to_args(ask=rest, **filters) if filters else None
    return Chip(label, query.to_args(ask=rest), query.ask[term.start : term.end], as_filter, None, is_used)


def _equal_filters(term: Term) -> dict[str, Any]:
    """Return the filters of the page that ask the same as a term; empty where no filter can."""
    if term.negated:
        return {}
    if term.field == "bpm":
        return {"bpm_min": term.value[0], "bpm_max": term.value[1]}
    is_single = term.field in FILTER_FIELDS and (len(term.value) == 1 or term.field == "kind")
    return {term.field: term.value[0]} if is_single else {}
