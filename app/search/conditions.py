"""Step 5 of a search: turn the sentence's terms into conditions on the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, true

from app.models.base import utcnow
from app.models.search_row import SearchRow
from app.music import sound_words
from app.music.sound_classes import HI_HAT, KINDS, LOOP, TEXTURE, sounds_named
from app.search import index_terms, text_conditions
from app.search.condition import Condition, all_of, any_of
from app.search.search_rows import BARS_TOLERANCE, DESCRIPTION_FIELDS
from app.search.sentence_parser import Term
from app.search.text_conditions import has_trait

BREAK_WORDS = ("break", "breaks", "breakbeat", "breakbeats")  # in a name or tag
BEATS_PER_BAR = 4
OF_ANY_KIND = SearchRow.kind.in_(KINDS)  # always true; the indexes on lengths and tempi begin with the kind
# A sample has one value in each of these fields, so two terms for one field mean "either of them".
SINGLE_VALUE_FIELDS = ("kind", "sound", "riser", "texture", "era", "use", "role")


def term_conditions(terms: Iterable[Term]) -> list[Condition]:
    """Return the conditions that rows must meet, one for each term or group of alternatives.

    Terms that only sort add no condition.
    """
    groups: dict[Any, list[Condition]] = {}
    for place, term in enumerate(terms):
        if not term.is_ranking:
            condition = CONDITION_BUILDERS[term.field](*term.value)
            group = _alternative_group(term) or place
            groups.setdefault(group, []).append(~condition if term.negated else condition)
    return [any_of(*alternatives) for alternatives in groups.values()]


def _alternative_group(term: Term) -> tuple[str, str] | None:
    """Return what a term shares with its alternatives: a single-value field, or the word a model explained.

    None for a term that must be met by itself.
    """
    if term.negated or not (term.guess or term.field in SINGLE_VALUE_FIELDS):
        return None
    field = "sound" if term.field == "riser" else term.field
    return ("" if term.field in SINGLE_VALUE_FIELDS else term.guess, field)


def one_of(field: str, *values: str) -> Condition:
    """Require one of the values in a column of that name, which is a trait too."""
    column = getattr(SearchRow, field)
    terms = frozenset(index_terms.trait_term(index_terms.trait(field, value)) for value in values)
    groups = (terms,) if all(values) else ()  # the index has no term for having none
    return Condition(column.in_(values), groups, {field: frozenset(values)})


def bpm_between(low: float | None, high: float | None) -> Condition:
    """Require a tempo in the range; a sample without a tempo is in none."""
    low = low or 1.0
    in_range = and_(OF_ANY_KIND, _is_between(SearchRow.bpm, low, high))
    return Condition(in_range, index_terms.groups_of_tempo(low, high))


def is_liked(_: bool = True) -> Condition:
    """Require a like."""
    return Condition(SearchRow.liked.is_(True), (frozenset({index_terms.trait_term("liked")}),))


def length_between(low: float | None, high: float | None) -> Condition:
    """Require a length in seconds in the range."""
    return Condition(and_(OF_ANY_KIND, _is_between(SearchRow.duration_s, low, high)))


def _has_bar_count(count: int) -> Condition:
    """Require this many bars of four beats, within the tolerance."""
    bars = SearchRow.duration_s * SearchRow.bpm / (60 * BEATS_PER_BAR)
    exact = _is_between(bars, count * (1 - BARS_TOLERANCE), count * (1 + BARS_TOLERANCE))
    return Condition(exact, has_trait("bars", str(count)).groups)


def _is_between(column: Any, low: float | None, high: float | None) -> ColumnElement[bool]:
    bounds = [column >= low] if low is not None else []
    return and_(true(), *bounds, *([column <= high] if high is not None else []))


def _has_sound(sound: str) -> Condition:
    """Require the sound class, or its word in the name or tags.

    A loop is of one class, and a name that says "kick" may be right where the analysis is wrong.
    """
    is_class = one_of("sound", *sounds_named(sound))
    if sound == "drums":
        return any_of(is_class, text_conditions.contains_text("drum"))
    is_named = map(text_conditions.name_has_part, _name_spellings(sound))
    return any_of(is_class, has_trait("tag", sound.replace(" ", "-")), *is_named)


def _name_spellings(sound: str) -> list[str]:
    """Return how a name may spell a class; of hats also `OpenHat`, `closed hi-hat`."""
    words = sound_words.SOUND_WORDS[sound] if sound.endswith(" hat") or sound == HI_HAT else ()
    spaced = [word for word in words if " " in word]
    return sorted({sound, *(word.replace(" ", mark) for word in spaced for mark in (" ", "", "-"))})


def _is_kind(kind: str, *words: str) -> Condition:
    """Require the kind, or one of the words in the name."""
    return any_of(one_of("kind", kind), *map(_name_says, words))


def _is_riser(word: str) -> Condition:
    """Require a texture, a one-shot of the class "fx", or the word in the name."""
    return any_of(one_of("kind", TEXTURE), one_of("sound", "fx"), _name_says(word))


def _name_says(word: str) -> Condition:
    return any_of(*map(text_conditions.name_says, (word, f"{word}s")))


def _is_break(_: str) -> Condition:
    """Require a drum loop, or "break" in the text."""
    drum_loop = all_of(one_of("kind", LOOP), _has_sound("drums"))
    return any_of(drum_loop, *map(text_conditions.text_says, BREAK_WORDS))


def _contains_any(*spellings: str) -> Condition:
    return any_of(*map(text_conditions.contains_text, spellings))


def _has_property(name: str, is_there: bool) -> Condition:
    """Require that the sample has, or lacks, a key, a tempo or tags; corrections count."""
    return has_trait("has" if is_there else "lacks", name)


def _added_within(days: int) -> Condition:
    return Condition(SearchRow.created_at >= utcnow() - timedelta(days=days))


CONDITION_BUILDERS: dict[str, Callable[..., Condition]] = {
    "bpm": bpm_between,
    "seconds": length_between,
    "bars": _has_bar_count,
    "sound": _has_sound,
    "break": _is_break,
    "word": _contains_any,
    "kind": _is_kind,
    "riser": _is_riser,
    "key": partial(one_of, "key"),
    "has": _has_property,
    "liked": is_liked,
    "days": _added_within,
    "format": partial(has_trait, "format"),
    "boost": lambda word, _: text_conditions.mentions_word(word),
    **{field: partial(text_conditions.is_described_as, field) for field in DESCRIPTION_FIELDS},
}
