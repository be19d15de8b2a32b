"""Tempo: autocorrelation of onset strength, and the length of the file as evidence.

A loop cut to bars states its tempo exactly (60 x beats / duration); the autocorrelation says which count
of beats is meant. Without such a match the best autocorrelation peak is refined on the onset curve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.signal

from app.audio.frames import Frames
from app.audio.onsets import Onsets

CANDIDATES_MAX = 5
SLOWEST_BPM, FASTEST_BPM = 55.0, 200.0

_LOOP_MAX_S = 64.0
_ONSETS_MIN = 4
_GRID_BPM = 0.5
_PREFERRED_BPM, _PREFERENCE_OCTAVES = 115.0, 0.75
_BEAT_MIN = 0.15
_BEATS_MAX = 4_000
_REFINE_STEPS = 121
_AGREES = 0.0025

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tempo:
    """`bpm` is None when nothing repeats; `candidates` are (bpm, confidence), best first.

    `regularity` from 0 to 1 says how much of the onset strength repeats at the best tempo;
    `fits_length` that the file is a whole number of bars or half bars long.
    """

    bpm: float | None
    confidence: float
    candidates: tuple[tuple[float, float], ...]
    regularity: float
    fits_length: bool


@dataclass(frozen=True, slots=True)
class _Candidate:
    bpm: float
    score: float
    exact: bool


NO_TEMPO = Tempo(None, 0.0, (), 0.0, False)


def estimate(frames: Frames, onsets: Onsets) -> Tempo:
    """Estimate the tempo of a sound that repeats.

    Notes
    -----
    Generalised autocorrelation (magnitude to the power 0.67) of the onset strength, read at one, two and
    four beats, times a log-normal preference for tempi about 115 BPM (Moelants 2002); loop-length
    candidates as in Font and Serra, "Tempo estimation for music loops" (ISMIR 2016).
    """
    if len(onsets.times_s) < _ONSETS_MIN or frames.duration_s < 1.0:
        return NO_TEMPO
    rate = frames.frame_rate_hz
    likeness = _autocorrelation(onsets.strength)
    heard = _grid(likeness, rate, onsets)
    candidates = heard + _whole_beats(likeness, rate, frames.duration_s, heard)
    return _decide(_distinct(sorted(candidates, key=lambda one: -one.score)), likeness, rate)


def beats(bpm: float, frames: Frames, onsets: Onsets) -> tuple[float, ...]:
    """Return the times in seconds of a steady pulse of `bpm`, in the phase that meets most onset strength."""
    period = 60.0 / bpm * frames.frame_rate_hz
    phases = np.arange(0.0, period, 0.5)
    count = max(int(len(onsets.strength) / period), 1)
    places = phases[:, None] + np.arange(count)[None, :] * period
    gains = np.interp(places, np.arange(len(onsets.strength)), onsets.strength).sum(axis=1)
    first = float(phases[int(np.argmax(gains))]) / frames.frame_rate_hz
    total = min(int((frames.duration_s - first) * bpm / 60.0) + 1, _BEATS_MAX)
    return tuple(round(first + index * 60.0 / bpm, 4) for index in range(total))


def _autocorrelation(strength: npt.NDArray[np.float32]) -> Doubles:
    centred = strength.astype(np.float64) - strength.mean()
    size = scipy.fft.next_fast_len(2 * len(centred))
    spectrum = np.abs(scipy.fft.rfft(centred, size)) ** (2 * 0.67)
    found: Doubles = scipy.fft.irfft(spectrum, size)[: len(centred)]
    # Fewer pairs overlap at long lags: what is left is compared with what could be there.
    found /= np.maximum(1.0 - np.arange(len(found)) / len(centred), 0.25)
    found /= max(float(found[0]), 1e-12)
    return found


def _at(likeness: Doubles, lag: float) -> float:
    if lag >= len(likeness) - 1:
        return math.nan
    near = np.arange(max(math.floor(lag) - 1, 1), min(math.ceil(lag) + 2, len(likeness)))
    weights = np.maximum(1.0 - np.abs(near - lag) / 2.0, 0.0)
    return float(np.max(likeness[near] * weights))


def _strength(likeness: Doubles, rate: float, bpm: float) -> float:
    lag = 60.0 / bpm * rate
    weights = {1.0: 1.0, 2.0: 1.0, 4.0: 1.0, 0.5: 0.4}
    read = {beats: _at(likeness, beats * lag) for beats in weights}
    known = {beats: value for beats, value in read.items() if not math.isnan(value)}
    if 1.0 not in known:
        return 0.0
    # Every second beat alone also repeats at two and four beats: the beat itself has to show.
    shown = min(max(known[1.0] / _BEAT_MIN, 0.0), 1.0)
    return shown * sum(weights[b] * v for b, v in known.items()) / sum(weights[b] for b in known)


def _preference(bpm: float) -> float:
    return math.exp(-0.5 * (math.log2(bpm / _PREFERRED_BPM) / _PREFERENCE_OCTAVES) ** 2)


def _score(likeness: Doubles, rate: float, bpm: float) -> float:
    return max(_strength(likeness, rate, bpm), 0.0) * _preference(bpm)


def _grid(likeness: Doubles, rate: float, onsets: Onsets) -> list[_Candidate]:
    tempi = np.arange(SLOWEST_BPM, FASTEST_BPM + _GRID_BPM, _GRID_BPM)
    scores = np.array([_score(likeness, rate, bpm) for bpm in tempi])
    inner = np.flatnonzero((scores[1:-1] >= scores[:-2]) & (scores[1:-1] > scores[2:])) + 1
    best = inner[np.argsort(-scores[inner])][:8]
    return [_Candidate(_refined(onsets.strength, rate, tempi[i]), float(scores[i]), False) for i in best]


def _refined(strength: npt.NDArray[np.float32], rate: float, bpm: float) -> float:
    """Return the tempo within 3 % at which the onset curve has most energy in its beat and harmonics."""
    curve = strength - strength.mean()
    low, high = 0.97 * bpm / 60.0, 1.03 * bpm / 60.0
    near = np.linspace(low, high, _REFINE_STEPS) * 60.0
    # Harmonics sharpen the peak: the fourth is four times as narrow as the beat itself.
    total = np.sum([_energy(curve, rate, harmonic * low, harmonic * high) for harmonic in (1, 2, 4)], axis=0)
    top = int(np.argmax(total))
    if not 0 < top < len(near) - 1:
        return float(bpm)
    before, at, after = total[top - 1 : top + 2]
    shift = 0.5 * (before - after) / min(before - 2 * at + after, -1e-12)
    return float(near[top] + shift * (near[1] - near[0]))


def _energy(curve: npt.NDArray[np.float32], rate: float, low_hz: float, high_hz: float) -> Doubles:
    found: Doubles = np.abs(
        scipy.signal.zoom_fft(curve, [low_hz, high_hz], m=_REFINE_STEPS, fs=rate, endpoint=True)
    )
    return found


def _whole_beats(
    likeness: Doubles, rate: float, duration_s: float, heard: list[_Candidate]
) -> list[_Candidate]:
    """Return tempi at which the file is a whole number of beats, where the sound itself agrees."""
    if duration_s > _LOOP_MAX_S:
        return []
    found = []
    for count in range(2, int(duration_s * FASTEST_BPM / 60.0) + 1):
        bpm = 60.0 * count / duration_s
        if bpm >= SLOWEST_BPM and any(abs(one.bpm / bpm - 1.0) < _AGREES for one in heard):
            bonus = 1.3 if count in (4, 8, 16, 32, 64) else 1.15 if count % 4 == 0 else 1.0
            found.append(_Candidate(bpm, _score(likeness, rate, bpm) * bonus, count % 2 == 0))
    return found


def _distinct(ordered: list[_Candidate]) -> list[_Candidate]:
    kept: list[_Candidate] = []
    for one in ordered:
        if all(abs(one.bpm / other.bpm - 1.0) > 0.02 for other in kept):
            kept.append(one)
    return kept[:CANDIDATES_MAX]


def _decide(ordered: list[_Candidate], likeness: Doubles, rate: float) -> Tempo:
    if not ordered or ordered[0].score < 0.05:
        return NO_TEMPO
    total = sum(one.score**2 for one in ordered)
    best = ordered[0]
    regularity = min(max(_strength(likeness, rate, best.bpm), 0.0), 1.0)
    # Sure to the degree that it repeats and that nothing else competes.
    candidates = tuple(
        (round(one.bpm, 3), round(one.score**2 / total * min(1.0, 0.35 + regularity), 3)) for one in ordered
    )
    return Tempo(candidates[0][0], candidates[0][1], candidates, regularity, best.exact)
