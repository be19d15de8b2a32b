"""Step 6 of a search: choose the order of the results.

The order the user picked comes first, then a date the sentence asks for, then how well each sample fits the
words that rank: measured axes such as "darkest", and boosts such as "dusty".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Float, case, func, literal

from app.models.search_row import SearchRow
from app.search import text_conditions
from app.search.condition import Condition, any_of
from app.search.sentence_parser import Term

# A sentence that asks for risers finds textures and effects; those that were measured to rise come first.
COURSE_OF_RISERS = {
    "riser": ("rising",), "uplifter": ("rising",), "sweep": ("rising", "falling"), "downlifter": ("falling",),
    "downer": ("falling",),
}  # fmt: skip
NAME_MATCH_SCORE = 1000.0  # above any sum of ranks and boosts
UNKNOWN_SCORE = -10.0  # below any sum of ranks, so that samples without the measurement come last
HALF_SCORE_LENGTH_S = 10.0
# The words of a character that lie at the high and at the low end of an axis.
AXIS_CHARACTERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "brightness": (("crisp", "bright"), ("dull",)),
    "noisiness": (("noisy",), ("clean",)),
    "punch": (("punchy", "snappy"), ("swelling",)),
    "length": (("long",), ("short",)),
}
Number = ColumnElement[Any]


class SortOrder(NamedTuple):
    """A column to sort by; `is_stored` says that an index has its order."""

    label: str
    column: Number
    descending: bool
    is_stored: bool = True


BY_DATE = SearchRow.sample_id.expression  # ids begin with the time
SORT_ORDERS = {
    "newest": SortOrder("Newest", BY_DATE, True),
    "oldest": SortOrder("Oldest", BY_DATE, False),
    "name": SortOrder("Name", SearchRow.name.expression, False),
    "bpm": SortOrder("BPM", SearchRow.bpm.expression, False),
    "length": SortOrder("Length", SearchRow.duration_s.expression, False),
}


def choose_order(sort: str, sentence: str, terms: Sequence[Term]) -> SortOrder:
    """Return the order in force: the picked one, else a date from the sentence, else the best fit.

    With the best fit, samples whose name contains the whole sentence come first, whatever else it means.
    """
    ranked = effective_terms(terms)
    if sort:
        return SORT_ORDERS[sort]
    if ranked and ranked[0].field == "sort":
        return SORT_ORDERS[ranked[0].value[0]]
    has_name = text_conditions.name_contains(sentence)
    scores = [_rank_score(ranked)] if ranked else []
    scores += [_riser_score(term) for term in terms if term.field == "riser" and not term.negated]
    if has_name is not None:
        scores.append(case((has_name.exact, NAME_MATCH_SCORE), else_=0.0))
    return SortOrder("As asked", _add_up(scores), True, False) if scores else SORT_ORDERS["newest"]


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


def _rank_score(terms: Sequence[Term]) -> Number:
    """Add up what the terms rank by, each between 0 and 1 and weighted; the best fit is the highest sum."""
    axes = [_axis_score(axis) * weight for axis, weight in _weights(terms, "rank")]
    boosts = [
        case((text_conditions.mentions_word(word).exact, weight), else_=0.0)
        for word, weight in _weights(terms, "boost")
    ]
    return _add_up([*([func.coalesce(_add_up(axes), UNKNOWN_SCORE)] if axes else []), *boosts])


def _axis_score(axis: str) -> Number:
    """Return where a sample lies on an axis, 0 to 1: half by its figure, half by the words of its character.

    So a kick that is called punchy comes before a loop that happens to have the same crest.
    """
    high, low = AXIS_CHARACTERS.get(axis, ((), ()))
    return AXIS_SCORES[axis] / 2 + 0.25 + (_has_character(high) - _has_character(low)) / 4


def _riser_score(term: Term) -> Number:
    """Return 1 for a sound whose level takes the course that the word means, else 0."""
    return _has_character(COURSE_OF_RISERS[term.value[0]])


def _has_character(words: tuple[str, ...]) -> Number:
    """Return 1 for a sample whose character has one of the words, else 0."""
    if not words:
        return literal(0.0, Float)
    return case((text_conditions.has_trait("character", *words).exact, 1.0), else_=0.0)


def _weights(terms: Iterable[Term], field: str) -> list[tuple[str, float]]:
    """Return the axis or word of each ranking term in a field, with its weight."""
    return [(term.value[0], term.value[1]) for term in terms if term.field == field and term.is_ranking]


def _add_up(numbers: list[Number]) -> Number:
    return sum(numbers[1:], numbers[0])


def _scale_to_unit(column: Any, low: float, high: float) -> Number:
    """Scale the range from `low` to `high` to 0..1."""
    scaled: Number = (column - literal(low, Float)) / literal(high - low, Float)
    return scaled


AXIS_SCORES: dict[str, Number] = {
    "brightness": _scale_to_unit(SearchRow.brightness, 0, 100),
    "noisiness": _scale_to_unit(SearchRow.noisiness, 0, 100),
    "loudness": _scale_to_unit(SearchRow.loudness, -60, 0),
    "punch": _scale_to_unit(SearchRow.punch, 0, 30),
    "energy": _scale_to_unit(SearchRow.energy, 0, 100),
    # Saturates, so that an hour-long recording does not outweigh every other term.
    "length": SearchRow.duration_s / (SearchRow.duration_s + HALF_SCORE_LENGTH_S),
}
