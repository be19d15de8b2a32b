"""Estimate the tempo: file length and onset periodicity give candidates, and fitted trees choose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.audio.estimation.boosted_trees import load_forest, load_weights, logistic_probability
from app.audio.listening.front_end import FRAME_RATE_HZ
from app.audio.listening.front_end_features import FrontEndFeatures
from app.audio.listening.periodicity import Rhythm, tempo_features

MAX_CANDIDATES = 5
SAME_TEMPO_RATIO = 0.02
MAX_BEATS = 4_000
END_MARGIN_BEATS = 0.02
MIN_DURATION_S = 0.4

NEARLY_BEST = 0.85
"""How likely a candidate is beside the likeliest near it, to count as just as good."""

POSSIBLE, PEAK_REACH_FRAMES, BEATS_A_BAR = 0.25, 1.5, 4
"""How likely a tempo of whole bars of the file has to be beside a peak that is no further from it than peaks
can be read, to be chosen: in a short loop, that is half a percent."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TempoEstimate:
    """The tempo of a sound.

    Attributes
    ----------
    bpm : beats a minute, None when nothing repeats.
    confidence : 0 to 1, calibrated: of results at 0.8 about 80 % lie within 4 % of the true tempo.
    candidates : pairs of bpm and confidence, best first, the chosen tempo included.
    """

    bpm: float | None
    confidence: float
    candidates: tuple[tuple[float, float], ...]


NO_TEMPO = TempoEstimate(None, 0.0, ())


def estimate_tempo(features: FrontEndFeatures) -> TempoEstimate:
    """Estimate the tempo of a loop, phrase or track. `sound_classifier` decides whether the sound is one.

    Parameters
    ----------
    features : FrontEndFeatures

    Notes
    -----
    Candidates are 60 N / duration for whole beats N (as Font and Serra, ISMIR 2016, test a length) and
    peaks of the generalised autocorrelation of the onset strength. Each is described by about ninety
    numbers. Gradient-boosted trees fitted on the development corpus give its probability; the probabilities
    of near tempi are added.
    """
    r = features.rhythm
    if features.is_silent or features.front_end.duration_s < MIN_DURATION_S or r.bpm.size == 0:
        return NO_TEMPO
    chances = load_forest("tempo").probabilities(tempo_features(r))[:, 0]
    bpm, shares = merge_tempi(r.bpm, chances, _tempi_of_bars(r))
    confidence = calibrated_confidence(shares)
    rest = shares[1:MAX_CANDIDATES] / (shares[0] + 1e-9)
    found = (
        (bpm[0], confidence),
        *zip(bpm[1:MAX_CANDIDATES], np.minimum(rest, 1) * (1 - confidence), strict=False),
    )
    candidates = tuple((round(float(b), 3), round(float(c), 3)) for b, c in found)
    return TempoEstimate(candidates[0][0], candidates[0][1], candidates)


def _tempi_of_bars(r: Rhythm) -> Array:
    """Return how near a peak has to be to each candidate that makes whole bars of a length; else 0."""
    reach = PEAK_REACH_FRAMES / FRAME_RATE_HZ / r.spans[0]
    bars = np.outer(r.spans, r.bpm) / 60 / BEATS_A_BAR
    is_whole = ((np.abs(bars - np.round(bars)) < 1e-6) & (bars > 0.5)).any(axis=0)
    return np.where(is_whole, reach, 0.0)


def merge_tempi(bpm: Array, chances: Array, reach: Array | None = None) -> tuple[Array, Array]:
    """Return tempi that are at least 2 % apart and the summed probability of the candidates near each.

    Parameters
    ----------
    bpm, chances : ndarray, shape (candidates,)
        Candidate tempi, those of the length of the sound first, and their probabilities.
    reach : ndarray, shape (candidates,), optional
        How near, as a ratio, the best of a group may be for a candidate to represent it in its place.

    Returns
    -------
    tempi, shares : ndarray, shape (groups,)
        Largest share first. A group is represented by the first of its candidates that is about as likely
        as the likeliest one: so the length of a loop decides about hundredths.
    """
    near = np.abs(np.log(bpm[:, None] / bpm[None, :])) < SAME_TEMPO_RATIO
    total = near @ chances
    left = np.ones(bpm.size, dtype=np.bool_)
    kept, shares = [], []
    while left.any():
        top = int(np.argmax(np.where(left, total, -1)))
        group = near[top] & left
        likely = group & (chances >= NEARLY_BEST * chances[group].max())
        best = bpm[int(np.argmax(likely))]
        if reach is not None:
            in_bars = group & (np.abs(bpm / best - 1) < reach)
            in_bars &= chances >= POSSIBLE * chances[group].max()
            best = bpm[int(np.argmax(in_bars))] if in_bars.any() else best
        kept.append(best)
        shares.append(total[top])
        left &= ~group
    return np.array(kept), np.array(shares)


def calibrated_confidence(shares: Array) -> float:
    """Return the probability that the first tempo is right.

    Parameters
    ----------
    shares : ndarray, shape (groups,)
        From `merge_tempi`.
    """
    return logistic_probability(load_weights("tempo_scale")["coefficients"], confidence_features(shares))


def confidence_features(shares: Array) -> Array:
    """Return what the calibration reads, shape (3,).

    These are the log odds of the largest share, its log ratio to the second, and the log odds of its part of
    the sum of all.

    Parameters
    ----------
    shares : ndarray, shape (groups,)
        From `merge_tempi`.
    """
    best = float(np.clip(shares[0], 1e-3, 0.999))
    second = float(np.clip(shares[1] if shares.size > 1 else 0.0, 1e-3, 0.999))
    whole = float(np.clip(best / shares.sum(), 1e-3, 0.999))
    return np.array([np.log(best / (1 - best)), np.log(best / second), np.log(whole / (1 - whole))])


def beat_times(bpm: float, features: FrontEndFeatures) -> tuple[float, ...]:
    """Return the times in seconds of a steady pulse of `bpm` in the phase that meets most onsets.

    Parameters
    ----------
    bpm : float
        Beats a minute.
    features : FrontEndFeatures

    Returns
    -------
    tuple of float
        In order; at most `MAX_BEATS`.
    """
    first = _first_beat_s(bpm, features)
    # A beat at the very end is the first one of the next round. Rounding the file's length to a sample can
    # put it just before the end. What an MP3 encoder added behind the end holds no beat.
    end = min(features.front_end.lead_s + features.front_end.loop_s, features.front_end.duration_s)
    total = min(int((end - first) * bpm / 60 - END_MARGIN_BEATS) + 1, MAX_BEATS)
    return tuple(round(first + i * 60 / bpm, 4) for i in range(total))


def _first_beat_s(bpm: float, features: FrontEndFeatures) -> float:
    """Return the time of the first beat, preferably the start of a file of whole half bars."""
    curve = features.front_end.onset_strength[0] + 0.7 * features.front_end.onset_strength[1]
    period = 60 / bpm * FRAME_RATE_HZ
    phases = np.arange(0.0, period, 0.5)
    count = max(int(curve.size / period), 1)
    places = phases[:, None] + np.arange(count)[None, :] * period
    gains = np.interp(places, np.arange(curve.size), curve).sum(axis=1)
    start = features.front_end.start_s * FRAME_RATE_HZ
    off = np.abs((phases - start + period / 2) % period - period / 2)
    gains = gains * (1 + 0.35 * (off < 4)) if _fits_half_bars(features.front_end.loop_s, bpm) else gains
    # Onset strength peaks about half a frame before the hit. A first beat just before the file is its start.
    best = float(phases[int(np.argmax(gains))]) + 0.6
    return max(best - period if best > period - 3 else best, 0.0) / FRAME_RATE_HZ


def _fits_half_bars(duration_s: float, bpm: float) -> bool:
    """Return whether a length is a whole number of half bars (two beats) of a tempo."""
    beats = duration_s * bpm / 60
    return beats > 1.5 and abs(beats / 2 - round(beats / 2)) * 2 < 0.01 + 0.0005 * beats


def downbeat_times(
    times_s: tuple[float, ...], features: FrontEndFeatures, beats_per_bar: int = 4
) -> tuple[float, ...]:
    """Return those of the beats that begin a bar.

    Parameters
    ----------
    times_s : tuple of float
        Beats in seconds, from `beat_times`.
    features : FrontEndFeatures
    beats_per_bar : int

    Returns
    -------
    tuple of float
        Every `beats_per_bar`-th beat in the phase with the most onset strength in the bass and the largest
        changes of the spectrum; of fewer beats than a bar, the first.
    """
    if len(times_s) < beats_per_bar:
        return times_s[:1]
    low, mel = (
        features.front_end.onset_strength[1] + 0.3 * features.front_end.onset_strength[0],
        features.front_end.mel,
    )
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
    totals[0] *= 1.4 if _fits_half_bars(features.front_end.loop_s, 60 / (times_s[1] - times_s[0])) else 1.0
    return times_s[int(np.argmax(totals)) :: beats_per_bar]
