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
from app.search.sentence_parser import Piece
from app.vibe.vocabulary import ENDS

BREAKS = ("break", "breaks", "breakbeat", "breakbeats")  # in a name or tag
BARS_AWRY = 0.04
UNKNOWN = -10.0  # below every sum of ranks, so that a row without the measurement comes last
Number = ColumnElement[Any]
# A sample has one of each: of two that are asked for, either will do.
ONE_EACH = ("kind", "sound", "texture", "era", "use", "role")


def conditions(pieces: Iterable[Piece]) -> list[ColumnElement[bool]]:
    """One condition a piece; what ranks is none, it only orders what is found."""
    wanted: dict[Any, list[ColumnElement[bool]]] = {}
    for place, piece in enumerate(pieces):
        if not piece.is_ranking:
            condition = CONDITIONS[piece.field](*piece.value)
            together = _together(piece) or place
            wanted.setdefault(together, []).append(~condition if piece.negated else condition)
    return [or_(*either) for either in wanted.values()]


def _together(piece: Piece) -> tuple[str, str] | None:
    """What pieces share of which either will do: a field that a sample has one of, or one guessed word."""
    if piece.negated or not (piece.guess or piece.field in ONE_EACH):
        return None
    return ("" if piece.field in ONE_EACH else piece.guess, piece.field)


def rank(pieces: Iterable[Piece]) -> Number:
    """The sum of what is ranked by, each between 0 and 1 and weighted; the best is the highest."""
    all_ = list(pieces)
    measured = [AXES[axis]() * weight for axis, weight in _weights(all_, "rank")]
    said = [case((text_conditions.says(word), weight), else_=0.0) for word, weight in _weights(all_, "soft")]
    return _sum([*([func.coalesce(_sum(measured), UNKNOWN)] if measured else []), *said])


def ranking(pieces: Iterable[Piece]) -> str:
    """What sorts, in words: `dusty and darkest first`, or nothing."""
    order = [WORDS[piece.field](*piece.value).rpartition(" ") for piece in pieces]
    ends = {place: [end for end, _, its in order if its == place] for place in ("first", "last")}
    return ", ".join(f"{_listed(each)} {place}" for place, each in ends.items() if each)


def words(piece: Piece) -> str:
    said = piece.value[0] if piece.field == "soft" and piece.negated else WORDS[piece.field](*piece.value)
    guessed = f" (AI guess, from “{piece.guess}”)" if piece.guess else ""
    return f"{'not ' if piece.negated else ''}{said}{guessed}"


def tempo(low: float | None, high: float | None) -> str:
    return _range(low, high, "BPM") if (low, high) != (None, None) else ""


def as_filters(piece: Piece) -> dict[str, Any]:
    """The same wish as a filter of the page, where there is one."""
    if piece.negated:
        return {}
    if piece.field == "bpm":
        return {"bpm_min": piece.value[0], "bpm_max": piece.value[1]}
    simple = piece.field in ("kind", "sound", "key", "liked", "sort")
    fits = simple and len(piece.value) == 1 and piece.value[0] not in synonyms.FAMILIES
    return {piece.field: piece.value[0]} if fits else {}


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def _weights(pieces: Iterable[Piece], field: str) -> list[tuple[str, float]]:
    return [(piece.value[0], piece.value[1]) for piece in pieces if piece.field == field and piece.is_ranking]


def _sum(numbers: list[Number]) -> Number:
    return sum(numbers[1:], numbers[0])


def _bpm(low: float | None, high: float | None) -> ColumnElement[bool]:
    return _within(func.coalesce(Sample.bpm, 0.0), low or 1.0, high)


def _seconds(low: float | None, high: float | None) -> ColumnElement[bool]:
    return _within(Sample.duration_s.expression, low, high)


def _bars(count: int) -> ColumnElement[bool]:
    """So many bars of four beats, give or take what a cut is off."""
    bars = Sample.duration_s * func.coalesce(Sample.bpm, 0.0) / 240
    return _within(bars, count * (1 - BARS_AWRY), count * (1 + BARS_AWRY))


def _within(column: ColumnElement[Any], low: float | None, high: float | None) -> ColumnElement[bool]:
    bounds = [column >= low] if low is not None else []
    return and_(*bounds, *([column <= high] if high is not None else []))


def _sound(sound: str) -> ColumnElement[bool]:
    """Heard as such, or called so: a loop has no class, and a name may know better than the ear."""
    heard = func.coalesce(Sample.sound, "").in_(synonyms.FAMILIES.get(sound, (sound,)))
    if sound in synonyms.FAMILIES:
        return or_(heard, Sample.search_text.contains(sound.removesuffix("s")))
    return or_(heard, func.lower(Sample.name).contains(sound), Sample.tags.any(Tag.name == sound))


def _break(_: str) -> ColumnElement[bool]:
    drum_loop = and_(Sample.kind == "loop", _sound("drums"))
    return or_(drum_loop, *(text_conditions.speaks(Sample.search_text.expression, each) for each in BREAKS))


def _word(*spellings: str) -> ColumnElement[bool]:
    return or_(*(Sample.search_text.contains(each, autoescape=True) for each in spellings))


def _measured(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return select(column).where(AudioFeatures.sample_id == Sample.id).correlate(Sample).scalar_subquery()


def _in_force(name: str) -> Number:
    """A figure of the description, or what the user has corrected it to."""
    return func.coalesce(Sample.corrections[name].as_float(), Sample.described[name].as_float())


def _share(column: ColumnElement[Any], low: float, high: float) -> Number:
    return (column - literal(low, Float)) / literal(high - low, Float)


def _has(what: str, there: bool) -> ColumnElement[bool]:
    """Whether there is one, by the value in force."""
    values = {"key": Sample.key.is_not(None), "bpm": Sample.bpm.is_not(None), "tags": Sample.tags.any()}
    return values[what] if there else ~values[what]


CONDITIONS: dict[str, Callable[..., ColumnElement[bool]]] = {
    "bpm": _bpm,
    "seconds": _seconds,
    "bars": _bars,
    "sound": _sound,
    "break": _break,
    "word": _word,
    "kind": lambda kind: Sample.kind == kind,
    "key": lambda *names: func.coalesce(Sample.key, "").in_(names),
    "has": _has,
    "liked": lambda _: Sample.liked.is_(True),
    "days": lambda count: Sample.created_at >= utcnow() - timedelta(days=count),
    "format": lambda name: Sample.format == name,
    "soft": lambda word, _: text_conditions.says(word),
    **{field: partial(text_conditions.has, field) for field in text_conditions.KEPT_AS},
}

AXES: dict[str, Callable[[], Number]] = {
    "brightness": lambda: _share(_measured(AudioFeatures.brightness.expression), 0, 100),
    "noisiness": lambda: _share(_measured(AudioFeatures.noisiness.expression), 0, 100),
    "loudness": lambda: _share(_measured(AudioFeatures.loudness_db.expression), -60, 0),
    "punch": lambda: _share(_measured(AudioFeatures.measured["crest_db"].as_float()), 0, 30),
    "energy": lambda: _share(_in_force("energy"), 0, 100),
    # Half at ten seconds, so that an hour does not outweigh every other wish.
    "length": lambda: Sample.duration_s / (Sample.duration_s + 10.0),
}


def _range(low: float | None, high: float | None, unit: str) -> str:
    if low is None or high is None:
        return f"{'up to' if low is None else 'from'} {high if low is None else low:g} {unit}"
    return f"{low:g}–{high:g} {unit}"


def _either(field: str, *names: str) -> str:
    return f"{field}: {' or '.join(names)}"


def _having(what: str, there: bool) -> str:
    called = {"bpm": "tempo"}.get(what, what)
    return f"has {'tags' if what == 'tags' else f'a {called}'}" if there else f"no {called}"


def _keys(*names: str) -> str:
    return f"any {names[0].split()[1]} key" if len(names) > 4 else " or ".join(names)


WORDS: dict[str, Callable[..., str]] = {
    "bpm": tempo,
    "seconds": lambda low, high: _range(low, high, "s"),
    "bars": lambda count: f"{count} bars",
    "sound": str,
    "break": lambda _: "drum loop or “break”",
    "word": lambda *spellings: f"“{spellings[0]}”",
    "kind": str,
    "key": _keys,
    "liked": lambda _: "liked",
    "days": lambda count: "today" if count == 1 else f"the last {count} days",
    "format": str,
    "has": _having,
    "rank": lambda axis, weight: f"{ENDS[axis][weight < 0]} first",
    "sort": lambda date: f"{date} first",
    "soft": lambda word, weight: f"{word} {'last' if weight < 0 else 'first'}",
    **{field: partial(_either, field) for field in text_conditions.KEPT_AS},
}
