"""Tempo: the length of the file and the periodicity of its onsets propose, small fitted trees choose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.audio.estimation.boosted_trees import load_forest, load_weights, logistic_probability
from app.audio.listening.front_end import FRAME_RATE_HZ
from app.audio.listening.front_end_features import FrontEndFeatures
from app.audio.listening.periodicity import tempo_features

MAX_CANDIDATES = 5
SAME_TEMPO_RATIO = 0.02
MAX_BEATS = 4_000
END_MARGIN_BEATS = 0.02
MIN_DURATION_S = 0.4

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TempoEstimate:
    """`bpm` is None when nothing repeats; `candidates` are (bpm, confidence), best first.

    `confidence` is calibrated: of results at 0.8 about 80 % lie within 4 %. `regularity` from 0 to 1 says
    how much of the onset strength repeats at the best tempo; `fits_length` that the file is a whole number
    of half bars long.
    """

    bpm: float | None
    confidence: float
    candidates: tuple[tuple[float, float], ...]
    regularity: float
    fits_length: bool


NO_TEMPO = TempoEstimate(None, 0.0, (), 0.0, False)


def estimate_tempo(ear: FrontEndFeatures) -> TempoEstimate:
    """Estimate the tempo of a loop, phrase or track; whether it is one at all is for `classify` to say.

    Notes
    -----
    Candidates are 60 N / duration for whole beats N (as Font and Serra, ISMIR 2016, test a length) and
    peaks of the generalised autocorrelation of a banded log-mel flux. Each is described by about ninety
    numbers; gradient-boosted trees fitted on the development corpus give its chance; chances of near tempi
    add up.
    """
    r = ear.rhythm
    if ear.silent or ear.heard.duration_s < MIN_DURATION_S or r.bpm.size == 0:
        return NO_TEMPO
    chances = load_forest("tempo").probabilities(tempo_features(r))[:, 0]
    bpm, shares = merge_tempi(r.bpm, chances)
    confidence = calibrated_confidence(shares)
    rest = shares[1:MAX_CANDIDATES] / (shares[0] + 1e-9)
    found = (
        (bpm[0], confidence),
        *zip(bpm[1:MAX_CANDIDATES], np.minimum(rest, 1) * (1 - confidence), strict=False),
    )
    candidates = tuple((round(float(b), 3), round(float(c), 3)) for b, c in found)
    return TempoEstimate(
        candidates[0][0],
        candidates[0][1],
        candidates,
        _regularity(ear, bpm[0]),
        _fits_half_bars(ear.heard.duration_s, bpm[0]),
    )


def merge_tempi(bpm: Array, chances: Array) -> tuple[Array, Array]:
    """Tempi further than 2 % apart and the sum of the chances round each, best first."""
    near = np.abs(np.log(bpm[:, None] / bpm[None, :])) < SAME_TEMPO_RATIO
    total = near @ chances
    left = np.ones(bpm.size, dtype=np.bool_)
    kept, shares = [], []
    while left.any():
        top = int(np.argmax(np.where(left, total, -1)))
        group = near[top] & left
        kept.append(bpm[np.flatnonzero(group)[int(np.argmax(chances[group]))]])
        shares.append(total[top])
        left &= ~group
    return np.array(kept), np.array(shares)


def calibrated_confidence(shares: Array) -> float:
    """Chance that the first is right, from its share, the runner-up's and that of all."""
    return logistic_probability(load_weights("tempo_scale")["coefficients"], confidence_features(shares))


def confidence_features(shares: Array) -> Array:
    """Log odds of the winner's share, its lead over the runner-up, its part of the whole."""
    best = float(np.clip(shares[0], 1e-3, 0.999))
    second = float(np.clip(shares[1] if shares.size > 1 else 0.0, 1e-3, 0.999))
    whole = float(np.clip(best / shares.sum(), 1e-3, 0.999))
    return np.array([np.log(best / (1 - best)), np.log(best / second), np.log(whole / (1 - whole))])


def _regularity(ear: FrontEndFeatures, bpm: float) -> float:
    lagged = ear.rhythm.lagged["all"]
    places = [60 * FRAME_RATE_HZ / bpm * k for k in (1, 2, 4)]
    read = [float(np.interp(p, np.arange(lagged.size), lagged)) for p in places if p < 0.85 * lagged.size]
    return float(np.clip(max(read, default=0.0), 0.0, 1.0))


def _fits_half_bars(duration_s: float, bpm: float) -> bool:
    beats = duration_s * bpm / 60
    return beats > 1.5 and abs(beats / 2 - round(beats / 2)) * 2 < 0.01 + 0.0005 * beats


def beat_times(bpm: float, ear: FrontEndFeatures) -> tuple[float, ...]:
    """Times in seconds of a steady pulse of `bpm` in its best phase; at most 4,000."""
    first = _first_beat_s(bpm, ear)
    # A beat at the very end begins the next round of the loop: files are cut to a sample, tempi are not.
    total = min(int((ear.heard.duration_s - first) * bpm / 60 - END_MARGIN_BEATS) + 1, MAX_BEATS)
    return tuple(round(first + i * 60 / bpm, 4) for i in range(total))


def _first_beat_s(bpm: float, ear: FrontEndFeatures) -> float:
    """Offset of the first beat; the start of a file that fits its beats is preferred."""
    curve = ear.heard.flux[0] + 0.7 * ear.heard.flux[1]
    period = 60 / bpm * FRAME_RATE_HZ
    phases = np.arange(0.0, period, 0.5)
    count = max(int(curve.size / period), 1)
    places = phases[:, None] + np.arange(count)[None, :] * period
    gains = np.interp(places, np.arange(curve.size), curve).sum(axis=1)
    start = ear.heard.start_s * FRAME_RATE_HZ
    off = np.abs((phases - start + period / 2) % period - period / 2)
    gains = gains * (1 + 0.35 * (off < 4)) if _fits_half_bars(ear.heard.duration_s, bpm) else gains
    # The flux peaks half a frame before the hit it marks; a first beat just before the file is its start.
    best = float(phases[int(np.argmax(gains))]) + 0.6
    return max(best - period if best > period - 3 else best, 0.0) / FRAME_RATE_HZ


def downbeat_times(
    times_s: tuple[float, ...], ear: FrontEndFeatures, beats_per_bar: int = 4
) -> tuple[float, ...]:
    """Which of the beats begin a bar: the phase with most low onset strength and change of sound."""
    if len(times_s) < beats_per_bar:
        return times_s[:1]
    low, mel = ear.heard.flux[1] + 0.3 * ear.heard.flux[0], ear.heard.mel
    at = np.minimum((np.array(times_s) * FRAME_RATE_HZ).astype(int), mel.shape[1] - 1)
    step = max(int(60 / 120 * FRAME_RATE_HZ), 1)
    change = [
        float(
            np.linalg.norm(mel[:, i : i + step].mean(axis=1) - mel[:, max(i - step, 0) : i + 1].mean(axis=1))
        )
        for i in at
    ]
    weight = np.array([low[max(i - 2, 0) : i + 4].max() for i in at]) + 0.02 * np.array(change)
    totals = [float(weight[k::beats_per_bar].mean()) for k in range(beats_per_bar)]
    totals[0] *= 1.4 if _fits_half_bars(ear.heard.duration_s, 60 / (times_s[1] - times_s[0])) else 1.0
    return times_s[int(np.argmax(totals)) :: beats_per_bar]
