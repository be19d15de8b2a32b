"""What a sentence asked for, as conditions on the rows, as an order, and in words again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, case, func, literal, or_, select

from app.models import Sample, Tag
from app.models.base import utcnow
from app.models.sample import AudioFeatures
from app.search import synonyms, text_conditions
from app.search.sentence_parser import Term
from app.vibe.vocabulary import AXIS_ENDS

BREAK_WORDS = ("break", "breaks", "breakbeat", "breakbeats")  # in a name or tag
BARS_TOLERANCE = 0.04
UNKNOWN_SCORE = -10.0  # below every sum of ranks, so that a row without the measurement comes last
Number = ColumnElement[Any]
# A sample has one of each: of two that are asked for, either will do.
SINGLE_VALUE_FIELDS = ("kind", "sound", "texture", "era", "use", "role")


def term_conditions(pieces: Iterable[Term]) -> list[ColumnElement[bool]]:
    """One condition a piece; what ranks is none, it only orders what is found."""
    wanted: dict[Any, list[ColumnElement[bool]]] = {}
    for place, piece in enumerate(pieces):
        if not piece.is_ranking:
            condition = CONDITION_BUILDERS[piece.field](*piece.value)
            together = _alternative_group(piece) or place
            wanted.setdefault(together, []).append(~condition if piece.negated else condition)
    return [or_(*either) for either in wanted.values()]


def _alternative_group(piece: Term) -> tuple[str, str] | None:
    """What pieces share of which either will do: a field that a sample has one of, or one guessed word."""
    if piece.negated or not (piece.guess or piece.field in SINGLE_VALUE_FIELDS):
        return None
    return ("" if piece.field in SINGLE_VALUE_FIELDS else piece.guess, piece.field)


def rank_score(pieces: Iterable[Term]) -> Number:
    """The sum of what is ranked by, each between 0 and 1 and weighted; the best is the highest."""
    all_ = list(pieces)
    measured = [AXIS_SCORES[axis]() * weight for axis, weight in _weighted_terms(all_, "rank")]
    said = [
        case((text_conditions.mentions_word(word), weight), else_=0.0)
        for word, weight in _weighted_terms(all_, "soft")
    ]
    return _add_up([*([func.coalesce(_add_up(measured), UNKNOWN_SCORE)] if measured else []), *said])


def describe_order(pieces: Iterable[Term]) -> str:
    """What sorts, in words: `dusty and darkest first`, or nothing."""
    order = [TERM_LABELS[piece.field](*piece.value).rpartition(" ") for piece in pieces]
    ends = {place: [end for end, _, its in order if its == place] for place in ("first", "last")}
    return ", ".join(f"{_join_words(each)} {place}" for place, each in ends.items() if each)


def term_label(piece: Term) -> str:
    said = (
        piece.value[0] if piece.field == "soft" and piece.negated else TERM_LABELS[piece.field](*piece.value)
    )
    guessed = f" (AI guess, from “{piece.guess}”)" if piece.guess else ""
    return f"{'not ' if piece.negated else ''}{said}{guessed}"


def tempo_label(low: float | None, high: float | None) -> str:
    return _range_label(low, high, "BPM") if (low, high) != (None, None) else ""


def equal_filters(piece: Term) -> dict[str, Any]:
    """The same wish as a filter of the page, where there is one."""
    if piece.negated:
        return {}
    if piece.field == "bpm":
        return {"bpm_min": piece.value[0], "bpm_max": piece.value[1]}
    simple = piece.field in ("kind", "sound", "key", "liked", "sort")
    fits = simple and len(piece.value) == 1 and piece.value[0] not in synonyms.FAMILIES
    return {piece.field: piece.value[0]} if fits else {}


def _join_words(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def _weighted_terms(pieces: Iterable[Term], field: str) -> list[tuple[str, float]]:
    return [(piece.value[0], piece.value[1]) for piece in pieces if piece.field == field and piece.is_ranking]


def _add_up(numbers: list[Number]) -> Number:
    return sum(numbers[1:], numbers[0])


def _bpm_between(low: float | None, high: float | None) -> ColumnElement[bool]:
    return _is_between(func.coalesce(Sample.bpm, 0.0), low or 1.0, high)


def _length_between(low: float | None, high: float | None) -> ColumnElement[bool]:
    return _is_between(Sample.duration_s.expression, low, high)


def _has_bar_count(count: int) -> ColumnElement[bool]:
    """So many bars of four beats, give or take what a cut is off."""
    bars = Sample.duration_s * func.coalesce(Sample.bpm, 0.0) / 240
    return _is_between(bars, count * (1 - BARS_TOLERANCE), count * (1 + BARS_TOLERANCE))


def _is_between(column: ColumnElement[Any], low: float | None, high: float | None) -> ColumnElement[bool]:
    bounds = [column >= low] if low is not None else []
    return and_(*bounds, *([column <= high] if high is not None else []))


def _has_sound(sound: str) -> ColumnElement[bool]:
    """Heard as such, or called so: a loop has no class, and a name may know better than the ear."""
    heard = func.coalesce(Sample.sound, "").in_(synonyms.FAMILIES.get(sound, (sound,)))
    if sound in synonyms.FAMILIES:
        return or_(heard, Sample.search_text.contains(sound.removesuffix("s")))
    return or_(heard, func.lower(Sample.name).contains(sound), Sample.tags.any(Tag.name == sound))


def _is_break(_: str) -> ColumnElement[bool]:
    drum_loop = and_(Sample.kind == "loop", _has_sound("drums"))
    return or_(
        drum_loop,
        *(text_conditions.contains_words(Sample.search_text.expression, each) for each in BREAK_WORDS),
    )


def _contains_any(*spellings: str) -> ColumnElement[bool]:
    return or_(*(Sample.search_text.contains(each, autoescape=True) for each in spellings))


def _feature_value(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return select(column).where(AudioFeatures.sample_id == Sample.id).correlate(Sample).scalar_subquery()


def _current_figure(name: str) -> Number:
    """A figure of the description, or what the user has corrected it to."""
    return func.coalesce(Sample.corrections[name].as_float(), Sample.described[name].as_float())


def _scale_to_unit(column: ColumnElement[Any], low: float, high: float) -> Number:
    return (column - literal(low, Float)) / literal(high - low, Float)


def _has_property(what: str, there: bool) -> ColumnElement[bool]:
    """Whether there is one, by the value in force."""
    values = {"key": Sample.key.is_not(None), "bpm": Sample.bpm.is_not(None), "tags": Sample.tags.any()}
    return values[what] if there else ~values[what]


CONDITION_BUILDERS: dict[str, Callable[..., ColumnElement[bool]]] = {
    "bpm": _bpm_between,
    "seconds": _length_between,
    "bars": _has_bar_count,
    "sound": _has_sound,
    "break": _is_break,
    "word": _contains_any,
    "kind": lambda kind: Sample.kind == kind,
    "key": lambda *names: func.coalesce(Sample.key, "").in_(names),
    "has": _has_property,
    "liked": lambda _: Sample.liked.is_(True),
    "days": lambda count: Sample.created_at >= utcnow() - timedelta(days=count),
    "format": lambda name: Sample.format == name,
    "soft": lambda word, _: text_conditions.mentions_word(word),
    **{
        field: partial(text_conditions.is_described_as, field) for field in text_conditions.DESCRIPTION_FIELDS
    },
}

AXIS_SCORES: dict[str, Callable[[], Number]] = {
    "brightness": lambda: _scale_to_unit(_feature_value(AudioFeatures.brightness.expression), 0, 100),
    "noisiness": lambda: _scale_to_unit(_feature_value(AudioFeatures.noisiness.expression), 0, 100),
    "loudness": lambda: _scale_to_unit(_feature_value(AudioFeatures.loudness_db.expression), -60, 0),
    "punch": lambda: _scale_to_unit(_feature_value(AudioFeatures.measured["crest_db"].as_float()), 0, 30),
    "energy": lambda: _scale_to_unit(_current_figure("energy"), 0, 100),
    # Half at ten seconds, so that an hour does not outweigh every other wish.
    "length": lambda: Sample.duration_s / (Sample.duration_s + 10.0),
}


def _range_label(low: float | None, high: float | None, unit: str) -> str:
    if low is None or high is None:
        return f"{'up to' if low is None else 'from'} {high if low is None else low:g} {unit}"
    return f"{low:g}–{high:g} {unit}"


def _either_label(field: str, *names: str) -> str:
    return f"{field}: {' or '.join(names)}"


def _property_label(what: str, there: bool) -> str:
    called = {"bpm": "tempo"}.get(what, what)
    return f"has {'tags' if what == 'tags' else f'a {called}'}" if there else f"no {called}"


def _key_label(*names: str) -> str:
    return f"any {names[0].split()[1]} key" if len(names) > 4 else " or ".join(names)


TERM_LABELS: dict[str, Callable[..., str]] = {
    "bpm": tempo_label,
    "seconds": lambda low, high: _range_label(low, high, "s"),
    "bars": lambda count: f"{count} bars",
    "sound": str,
    "break": lambda _: "drum loop or “break”",
    "word": lambda *spellings: f"“{spellings[0]}”",
    "kind": str,
    "key": _key_label,
    "liked": lambda _: "liked",
    "days": lambda count: "today" if count == 1 else f"the last {count} days",
    "format": str,
    "has": _property_label,
    "rank": lambda axis, weight: f"{AXIS_ENDS[axis][weight < 0]} first",
    "sort": lambda date: f"{date} first",
    "soft": lambda word, weight: f"{word} {'last' if weight < 0 else 'first'}",
    **{field: partial(_either_label, field) for field in text_conditions.DESCRIPTION_FIELDS},
}
