"""Step 6 of a search: choose the order of the results.

The order the user picked comes first, then a date the sentence asks for, then how well each sample fits the
words that rank: measured axes such as "darkest", and boosts such as "dusty".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, case, func, literal_column

from app.models.search_row import NO_TEMPO, SearchRow
from app.music.sound_classes import LOOP, sounds_named
from app.search import text_conditions
from app.search.condition import Condition, all_of, any_of
from app.search.conditions import one_of
from app.search.sentence_parser import Term

# A sentence that asks for risers finds textures and effects; those that were measured to rise come first.
COURSE_OF_RISERS = {
    "riser": ("rising",), "uplifter": ("rising",), "sweep": ("rising", "falling"), "downlifter": ("falling",),
    "downer": ("falling",),
}  # fmt: skip
CLASS_SCORE = 2000.0  # above a name: what is a closed hat comes before what is only called so
NAME_MATCH_SCORE = 1000.0  # above any sum of ranks and boosts
UNKNOWN_SCORE = -10.0  # below any sum of ranks, so that samples without the measurement come last
Number = ColumnElement[Any]


class SortOrder(NamedTuple):
    """A column to sort by. If it `is_stored`, an index has its order, or that of each value of `by`."""

    label: str
    column: Number
    descending: bool
    is_stored: bool = True
    by: Literal["", "kind", "sound", "key"] = ""


BPM = SearchRow.bpm.expression
KEY, SOUND = SearchRow.key.expression, SearchRow.sound.expression
CLASS = SearchRow.kind + literal_column("' '") + SOUND
AFTER_ALL_KEYS = "z"  # so samples without a key come last
FASTER_THAN_ALL = 1e6  # so samples without a tempo come last in either order
BY_DATE = SearchRow.sample_id.expression  # ids begin with the time
SORT_ORDERS = {
    "newest": SortOrder("Newest", BY_DATE, True, by="key"),
    "oldest": SortOrder("Oldest", BY_DATE, False, by="key"),
    "name": SortOrder("Name", SearchRow.name.expression, False, by="sound"),
    "kind": SortOrder("Kind", CLASS, False, False),
    "key": SortOrder("Key", case((KEY == "", AFTER_ALL_KEYS), else_=KEY), False, False),
    "bpm": SortOrder("BPM", case((BPM == NO_TEMPO, FASTER_THAN_ALL), else_=BPM), False, False),
    "length": SortOrder("Length", SearchRow.duration_s.expression, False, by="kind"),
    "-name": SortOrder("Name, Z to A", SearchRow.name.expression, True, by="sound"),
    "-kind": SortOrder("Kind, backwards", CLASS, True, False),
    "-key": SortOrder("Key, backwards", KEY, True, False),
    "-bpm": SortOrder("BPM, fastest first", BPM, True, by="kind"),
    "-length": SortOrder("Length, longest first", SearchRow.duration_s.expression, True, by="kind"),
}
NEWEST = SORT_ORDERS["newest"]


def choose_order(sort: str, sentence: str, terms: Sequence[Term]) -> SortOrder:
    """Return the order in force: the picked one, else a date from the sentence, else the best fit.

    With the best fit, samples of a class that the sentence asks for come first, then those whose name
    contains the whole sentence, whatever else it means: the newest of them first.
    """
    ranked = effective_terms(terms)
    if sort:
        return SORT_ORDERS[sort]
    if ranked and ranked[0].field == "sort":
        return SORT_ORDERS[ranked[0].value[0]]
    scores = [_rank_score(ranked)] if ranked else []
    scores += [case((riser.exact, 1.0), else_=0.0) for riser in _measured_risers(terms)]
    has_name, is_class = text_conditions.name_contains(sentence), asked_class(terms)
    if has_name is not None:
        scores = [case((has_name.exact, NAME_MATCH_SCORE), else_=_add_up(scores) if scores else 0.0)]
    if is_class is not None:
        scores.append(case((is_class.exact, CLASS_SCORE), else_=0.0))
    return SortOrder("As asked", _add_up(scores), True, False) if scores else NEWEST


def asked_class(terms: Sequence[Term]) -> Condition | None:
    """Require a class that a sentence asks for, which its name alone does not give a sample.

    None where the sentence names no class, or where its words rank samples.
    """
    if effective_terms(terms):
        return None
    asked = [_class_of(term) for term in terms if term.field in ("sound", "break") and not term.negated]
    return any_of(*asked) if asked else None


def single_axis(terms: Sequence[Term]) -> SortOrder | None:
    """Return the order by an axis, which an index has, where a sentence ranks by that alone; else None."""
    ranked = effective_terms(terms)
    if len(ranked) != 1 or ranked[0].field != "rank" or any(term.field == "riser" for term in terms):
        return None
    axis, weight = ranked[0].value
    return SortOrder("As asked", _axis_column(axis), weight > 0, by="kind")


def boosts_alone(terms: Sequence[Term]) -> list[tuple[Condition, float]] | None:
    """Return the conditions that a sentence ranks by, with their weights; None where it ranks by an axis."""
    ranked = effective_terms(terms)
    if any(term.field != "boost" for term in ranked):
        return None
    words = [(text_conditions.mentions_word(word), weight) for word, weight in _weights(ranked, "boost")]
    return [*words, *((riser, 1.0) for riser in _measured_risers(terms))]


def preferred_rows(sentence: str, terms: Sequence[Term]) -> Condition | None:
    """Require a word that ranks samples, or the sentence in the name; None where there is neither."""
    words = [word for word, weight in _weights(effective_terms(terms), "boost") if weight > 0]
    found = [text_conditions.mentions_word(word) for word in words]
    has_name = text_conditions.name_contains(sentence)
    found += [has_name] if has_name is not None else []
    return any_of(*found) if found else None


def is_overridden(sort: str, terms: Sequence[Term], term: Term) -> bool:
    """Say whether a term would sort the results but another order goes first."""
    if not term.is_ranking or (term.field, term.value) == ("sort", (sort,)):
        return False
    return bool(sort) or term not in effective_terms(terms)


def effective_terms(terms: Sequence[Term]) -> list[Term]:
    """Return the terms that decide the order: the last date alone, or else all that rank."""
    ranked = [term for term in terms if term.is_ranking]
    return [term for term in ranked if term.field == "sort"][-1:] or ranked


def _class_of(term: Term) -> Condition:
    if term.field == "break":
        return all_of(one_of("kind", LOOP), one_of("sound", "drums"))
    return one_of("sound", *sounds_named(term.value[0]))


def _rank_score(terms: Sequence[Term]) -> Number:
    """Add up what the terms rank by, each between 0 and 1 and weighted; the best fit is the highest sum."""
    axes = [_axis_column(axis) * weight for axis, weight in _weights(terms, "rank")]
    boosts = [
        case((text_conditions.mentions_word(word).exact, weight), else_=0.0)
        for word, weight in _weights(terms, "boost")
    ]
    return _add_up([*([func.coalesce(_add_up(axes), UNKNOWN_SCORE)] if axes else []), *boosts])


def _axis_column(axis: str) -> Number:
    column: Number = getattr(SearchRow, f"{axis}_score").expression
    return column


def _measured_risers(terms: Iterable[Term]) -> list[Condition]:
    """Require, for each word for a riser, a sound whose level takes the course that the word means."""
    words = [term.value[0] for term in terms if term.field == "riser" and not term.negated]
    return [text_conditions.has_trait("character", *COURSE_OF_RISERS[word]) for word in words]


def _weights(terms: Iterable[Term], field: str) -> list[tuple[str, float]]:
    """Return the axis or word of each ranking term in a field, with its weight."""
    return [(term.value[0], term.value[1]) for term in terms if term.field == field and term.is_ranking]


def _add_up(numbers: list[Number]) -> Number:
    return sum(numbers[1:], numbers[0])
