"""Step 5 of a search: turn the sentence's terms into conditions on the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_

from app.models import Sample, Tag
from app.models.base import utcnow
from app.music import sound_words
from app.music.sound_classes import HI_HAT, TEXTURE, sounds_named
from app.search import text_conditions
from app.search.sentence_parser import Term

BREAK_WORDS = ("break", "breaks", "breakbeat", "breakbeats")  # in a name or tag
BARS_TOLERANCE = 0.04  # relative; cuts are rarely sample-accurate
BEATS_PER_BAR = 4
# A sample has one value in each of these fields, so two terms for one field mean "either of them".
SINGLE_VALUE_FIELDS = ("kind", "sound", "riser", "texture", "era", "use", "role")


def term_conditions(terms: Iterable[Term]) -> list[ColumnElement[bool]]:
    """Return the conditions that rows must meet, one for each term or group of alternatives.

    Terms that only sort add no condition.
    """
    groups: dict[Any, list[ColumnElement[bool]]] = {}
    for place, term in enumerate(terms):
        if not term.is_ranking:
            condition = CONDITION_BUILDERS[term.field](*term.value)
            group = _alternative_group(term) or place
            groups.setdefault(group, []).append(~condition if term.negated else condition)
    return [or_(*alternatives) for alternatives in groups.values()]


def _alternative_group(term: Term) -> tuple[str, str] | None:
    """Return what a term shares with its alternatives: a single-value field, or the word a model explained.

    None for a term that must be met by itself.
    """
    if term.negated or not (term.guess or term.field in SINGLE_VALUE_FIELDS):
        return None
    field = "sound" if term.field == "riser" else term.field
    return ("" if term.field in SINGLE_VALUE_FIELDS else term.guess, field)


def _bpm_between(low: float | None, high: float | None) -> ColumnElement[bool]:
    """Require a tempo in the range; a sample without a tempo is in none."""
    return _is_between(func.coalesce(Sample.bpm, 0.0), low or 1.0, high)


def _length_between(low: float | None, high: float | None) -> ColumnElement[bool]:
    return _is_between(Sample.duration_s.expression, low, high)


def _has_bar_count(count: int) -> ColumnElement[bool]:
    """Require this many bars of four beats, within the tolerance."""
    bars = Sample.duration_s * func.coalesce(Sample.bpm, 0.0) / (60 * BEATS_PER_BAR)
    return _is_between(bars, count * (1 - BARS_TOLERANCE), count * (1 + BARS_TOLERANCE))


def _is_between(column: ColumnElement[Any], low: float | None, high: float | None) -> ColumnElement[bool]:
    bounds = [column >= low] if low is not None else []
    return and_(*bounds, *([column <= high] if high is not None else []))


def _has_sound(sound: str) -> ColumnElement[bool]:
    """Require the sound class, or its word in the name or tags.

    A loop is of one class, and a name that says "kick" may be right where the analysis is wrong.
    """
    is_class = func.coalesce(Sample.sound, "").in_(sounds_named(sound))
    if sound == "drums":
        return or_(is_class, text_conditions.contains_text("drum"))
    is_named = (text_conditions.FOLDED_NAME.contains(each) for each in _name_spellings(sound))
    return or_(is_class, *is_named, Sample.tags.any(Tag.name == sound.replace(" ", "-")))


def _name_spellings(sound: str) -> list[str]:
    """Return how a name may spell a class; of hats also `OpenHat`, `closed hi-hat`."""
    words = sound_words.SOUND_WORDS[sound] if sound.endswith(" hat") or sound == HI_HAT else ()
    spaced = [word for word in words if " " in word]
    return sorted({sound, *(word.replace(" ", mark) for word in spaced for mark in (" ", "", "-"))})


def _is_kind(kind: str, *words: str) -> ColumnElement[bool]:
    """Require the kind, or one of the words in the name."""
    return or_(Sample.kind == kind, *map(_name_says, words))


def _is_riser(word: str) -> ColumnElement[bool]:
    """Require a texture, a one-shot of the class "fx", or the word in the name."""
    return or_(Sample.kind == TEXTURE, func.coalesce(Sample.sound, "") == "fx", _name_says(word))


def _name_says(word: str) -> ColumnElement[bool]:
    name = text_conditions.FOLDED_NAME
    return or_(*(text_conditions.contains_words(name, each) for each in (word, f"{word}s")))


def _is_break(_: str) -> ColumnElement[bool]:
    """Require a drum loop, or "break" in the text."""
    drum_loop = and_(Sample.kind == "loop", _has_sound("drums"))
    text = text_conditions.SEARCHED_TEXT
    return or_(drum_loop, *(text_conditions.contains_words(text, word) for word in BREAK_WORDS))


def _contains_any(*spellings: str) -> ColumnElement[bool]:
    return or_(*map(text_conditions.contains_text, spellings))


def _has_property(name: str, is_there: bool) -> ColumnElement[bool]:
    """Require that the sample has, or lacks, a key, a tempo or tags; corrections count."""
    values = {"key": Sample.key.is_not(None), "bpm": Sample.bpm.is_not(None), "tags": Sample.tags.any()}
    return values[name] if is_there else ~values[name]


CONDITION_BUILDERS: dict[str, Callable[..., ColumnElement[bool]]] = {
    "bpm": _bpm_between,
    "seconds": _length_between,
    "bars": _has_bar_count,
    "sound": _has_sound,
    "break": _is_break,
    "word": _contains_any,
    "kind": _is_kind,
    "riser": _is_riser,
    "key": lambda *names: func.coalesce(Sample.key, "").in_(names),
    "has": _has_property,
    "liked": lambda _: Sample.liked.is_(True),
    "days": lambda count: Sample.created_at >= utcnow() - timedelta(days=count),
    "format": lambda name: Sample.format == name,
    "boost": lambda word, _: text_conditions.mentions_word(word),
    **{
        field: partial(text_conditions.is_described_as, field) for field in text_conditions.DESCRIPTION_FIELDS
    },
}
