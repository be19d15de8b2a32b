"""Score how well two sounds go together, from what was measured: key, tempo, bands, rhythm and role."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from app.music.key_fit import MAX_SHIFT, MIXES, NEUTRAL, best_shift, key_fit, moved_key
from app.music.sound_classes import DRUMS, HI_HAT, LOOP, ONE_SHOT

KEY, TEMPO, BANDS, RHYTHM, ROLE = "key", "tempo", "bands", "rhythm", "role"
PARTS = (KEY, TEMPO, BANDS, RHYTHM, ROLE)
WEIGHTS: Mapping[str, float] = {KEY: 0.3, TEMPO: 0.45, BANDS: 0.07, RHYTHM: 0.05, ROLE: 0.13}
"""Fitted on the first 20 arrangements of `benchmarks.goes_with`, whose figures are of the others."""
EIGHT_BANDS = 8
STEPS = 16
_PITCHLESS = (*DRUMS, HI_HAT, "drums", "percussion")
_SPREAD = 0.25  # of log2 of the stretch
_RATIOS = ((0.0, 1.0), (1.0, 0.9), (-1.0, 0.9), (math.log2(4 / 3), 0.5), (math.log2(3 / 4), 0.5))
_MOVE_COST = 0.3  # of a semitone, beside a correlation of 1


@dataclass(frozen=True, slots=True)
class SoundPart:
    """A sound as a part of a kit or a track. None and () are for what is not known.

    Attributes
    ----------
    chroma : tuple of float, length 12
        The strength of the pitch classes from C.
    bands : tuple of float, length `EIGHT_BANDS`
        The share of the energy in each band, low to high.
    steps : tuple of float, length `STEPS`
        The onsets of a loop on the sixteenths of a bar, the strongest 1.
    """

    kind: str
    sound: str | None
    bpm: float | None = None
    key: str | None = None
    chroma: tuple[float, ...] = ()
    bands: tuple[float, ...] = ()
    steps: tuple[float, ...] = ()

    @property
    def is_pitched(self) -> bool:
        """Whether its key matters beside others."""
        return self.sound not in _PITCHLESS


@dataclass(frozen=True, slots=True)
class PairFit:
    """How well two sounds go together, 0 to 1: in each of `PARTS`, and all in all.

    `shift` is the move in semitones that the first one needs.
    """

    total: float
    parts: Mapping[str, float]
    shift: int = 0


def part_of_measurement(
    measured: Mapping[str, Any],
    kind: str,
    sound: str | None,
    bpm: float | None,
    key: str | None,
) -> SoundPart:
    """Return a sound as a part, from its stored analysis and the values in force.

    Parameters
    ----------
    measured : mapping of str to value
        As `Analysis.to_dict` gives it.
    kind, sound, bpm, key
        With their owner's corrections.
    """
    spectral = measured.get("spectral") or {}
    return SoundPart(
        kind,
        sound,
        bpm,
        key,
        chroma=tuple((spectral.get("chroma") or {}).get("mean") or ()),
        bands=_eight_bands(spectral.get("bands_db") or ()),
        steps=_steps(measured.get("onsets") or (), bpm, measured.get("downbeats") or ())
        if kind == LOOP
        else (),
    )


def pair_fit(one: SoundPart, other: SoundPart) -> PairFit:
    """Return how well two sounds go together.

    Parameters
    ----------
    one, other : SoundPart

    Notes
    -----
    After AutoMashUpper (Davies et al. 2014), with rules for what a mean spectrum can't tell. Key: the better
    of the Camelot wheel and the correlation of the pitch classes, over moves of up to 2 semitones, which
    cost a little; drums are neutral. Tempo: the stretch that a ratio of 1, 2 or ½ needs, and by half 4/3 and
    3/4; over 15 % is poor. Bands: how little the energies in eight bands overlap. Rhythm: onsets that fill
    each other's gaps on the grid of sixteenths, without leaving the strong steps. Role: two sounds of one
    class are in each other's way, two basses most. The total is a weighted mean.
    """
    key, shift = _key_part(one, other)
    parts = {
        KEY: key,
        TEMPO: tempo_fit(one.bpm, other.bpm) if one.kind == LOOP and other.kind == LOOP else NEUTRAL,
        BANDS: _band_part(one.bands, other.bands),
        RHYTHM: _rhythm_part(one.steps, other.steps),
        ROLE: _role_part(one, other),
    }
    return PairFit(sum(WEIGHTS[name] * parts[name] for name in PARTS), parts, shift)


def kit_fit(parts: Sequence[SoundPart]) -> tuple[float | None, list[float | None]]:
    """Return how well several sounds go together, and each of them with the rest; None for fewer than two.

    Parameters
    ----------
    parts : sequence of SoundPart

    Returns
    -------
    tuple of float or None, and list of float or None
        Means of the pairs' totals, 0 to 1.
    """
    if len(parts) < 2:
        return None, [None] * len(parts)
    totals = [[pair_fit(one, other).total for other in parts] for one in parts]
    each: list[float | None] = [fmean(row[:place] + row[place + 1 :]) for place, row in enumerate(totals)]
    return fmean(value for value in each if value is not None), each


def tempo_fit(one: float | None, other: float | None) -> float:
    """Return how well two tempi go together, 0 to 1.

    Parameters
    ----------
    one, other : float or None
        In beats a minute; an unknown one is neutral.

    Notes
    -----
    1 for equal tempi, 0.9 for the double or half, about half at a stretch of 15 %, a tenth at 30 %.
    """
    if not one or not other:
        return NEUTRAL
    apart = math.log2(one / other)
    return max(worth * math.exp(-(((apart - ratio) / _SPREAD) ** 2)) for ratio, worth in _RATIOS)


def _key_part(one: SoundPart, other: SoundPart) -> tuple[float, int]:
    if not (one.is_pitched and other.is_pitched):
        return NEUTRAL, 0
    shift = best_shift(one.key, other.key)
    by_wheel = key_fit(moved_key(one.key, shift), other.key) if one.key and other.key else NEUTRAL
    by_wheel = min(by_wheel, MIXES) if shift else by_wheel
    if not (one.chroma and other.chroma):
        return by_wheel, shift
    found = {
        step: _correlation(_rotated(one.chroma, step), other.chroma) - _MOVE_COST * abs(step)
        for step in range(-MAX_SHIFT, MAX_SHIFT + 1)
    }
    step = max(found, key=lambda each: (found[each], -abs(each)))
    return (by_wheel + max(found[step], 0.0)) / 2, step


def _band_part(one: Sequence[float], other: Sequence[float]) -> float:
    if not one or not other:
        return NEUTRAL
    return 1 - sum(min(a, b) for a, b in zip(one, other, strict=True))


def _rhythm_part(one: Sequence[float], other: Sequence[float]) -> float:
    if not any(one) or not any(other):
        return NEUTRAL
    return (1 + _correlation(one, other)) / 2


def _role_part(one: SoundPart, other: SoundPart) -> float:
    if (one.kind, one.sound) != (other.kind, other.sound) or one.sound is None:
        return 1.0
    if one.kind == ONE_SHOT and one.sound in DRUMS:
        return NEUTRAL  # a second snare is welcome
    return 0.0 if one.sound == "bass" else 0.3


def _eight_bands(bands_db: Sequence[float]) -> tuple[float, ...]:
    """Return the share of the energy in eight groups of bands."""
    size = len(bands_db) // EIGHT_BANDS
    if not size:
        return ()
    power = [10 ** (level / 10) for level in bands_db]
    groups = [sum(power[at : at + size]) for at in range(0, size * EIGHT_BANDS, size)]
    return tuple(each / sum(groups) for each in groups)


def _steps(
    onsets: Sequence[Sequence[float]], bpm: float | None, downbeats: Sequence[float]
) -> tuple[float, ...]:
    """Return the strength of the onsets by sixteenth of a bar."""
    if not bpm or not onsets:
        return ()
    step_s, first = 15 / bpm, downbeats[0] if downbeats else 0.0
    found = [0.0] * STEPS
    for time, strength in onsets:
        found[round((time - first) / step_s) % STEPS] += strength
    most = max(found)
    return tuple(each / most for each in found) if most > 0 else ()


def _rotated(chroma: Sequence[float], steps: int) -> list[float]:
    return [chroma[(place - steps) % 12] for place in range(12)]


def _correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Return Pearson's correlation; 0 where one of them is constant."""
    mean, other_mean = fmean(one), fmean(other)
    a, b = [x - mean for x in one], [x - other_mean for x in other]
    size = math.sqrt(math.fsum(x * x for x in a) * math.fsum(x * x for x in b))
    return math.fsum(x * y for x, y in zip(a, b, strict=True)) / size if size > 1e-12 else 0.0
