"""Describe the rhythm and the harmony of a loop by numbers that don't depend on its gain and tempo."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.audio.estimation.boosted_trees import load_forest
from app.audio.listening.front_end import FRAME_RATE_HZ
from app.audio.listening.front_end_features import FrontEndFeatures
from app.audio.listening.periodicity import read_curve

# Events a beat: from one a bar of four beats to sixteenths, with dotted and swung values between.
EVENTS_PER_BEAT = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
BAR_STEPS = 16
EVENTS_PER_LOOP = 24
RHYTHM_NUMBERS = 3 * (len(EVENTS_PER_BEAT) + BAR_STEPS + EVENTS_PER_LOOP)
HARMONY_NUMBERS = 24

_BEATS_PER_BAR = 4
# Onset strength peaks about half a frame before the hit.
_PEAK_EARLY_FRAMES = 0.6
_MIN_FRAMES = 16

Array = npt.NDArray[np.float64]


def rhythm_pattern(features: FrontEndFeatures, bpm: float | None) -> Array:
    """Return the rhythm of a loop, shape (`RHYTHM_NUMBERS`,), as three descriptions in three bands.

    How much of the onset strength recurs at each of `EVENTS_PER_BEAT`: its spectrum at multiples of the tempo
    (after Peeters 2011). The mean bar in sixteenths, as square roots. How much recurs 1 to `EVENTS_PER_LOOP`
    times in the loop, which needs no tempo. The first two are 0 without a tempo.

    Parameters
    ----------
    features : FrontEndFeatures
    bpm : float or None
        The tempo in beats a minute.
    """
    strength = features.front_end.onset_strength.astype(np.float64)
    bands = np.stack([strength[1], strength[2] + strength[3], strength[4]])
    beats = np.zeros((3, len(EVENTS_PER_BEAT))) if bpm is None else _beat_spectrum(features, bpm)
    bar = np.zeros((3, BAR_STEPS)) if bpm is None else _mean_bar(bands, features.front_end.start_s, bpm)
    return np.concatenate(
        [beats.ravel(), bar.ravel(), _loop_spectrum(bands, features.front_end.loop_s).ravel()]
    )


def _beat_spectrum(features: FrontEndFeatures, bpm: float) -> Array:
    """Return the spectrum of the onset strength at multiples of the beat, shape (3, 8)."""
    r = features.rhythm
    places = np.array(EVENTS_PER_BEAT) * bpm / 60 / r.wave_hz
    return np.stack(
        [np.nan_to_num(read_curve(r.waves[name], places, 0.5)) for name in ("low", "mid", "high")]
    )


def _mean_bar(bands: Array, start_s: float, bpm: float) -> Array:
    """Return the square root of the mean onset strength by sixteenth of a bar, unit length, shape (3, 16)."""
    bar_frames = _BEATS_PER_BAR * 60 / bpm * FRAME_RATE_HZ
    frames = np.arange(bands.shape[1]) - start_s * FRAME_RATE_HZ + _PEAK_EARLY_FRAMES
    steps = frames / bar_frames % 1 * BAR_STEPS
    before = np.floor(steps).astype(int)
    share = steps - before
    rows = [
        np.bincount(before % BAR_STEPS, row * (1 - share), BAR_STEPS)
        + np.bincount((before + 1) % BAR_STEPS, row * share, BAR_STEPS)
        for row in bands
    ]
    found = np.sqrt(np.stack(rows))
    return np.asarray(found / (np.linalg.norm(found) + 1e-9))


def _loop_spectrum(bands: Array, loop_s: float) -> Array:
    """Return the magnitude of each number of events in the loop beside the sum of the band, shape (3, 24)."""
    part = bands[:, : max(int(loop_s * FRAME_RATE_HZ), _MIN_FRAMES)]
    magnitude = np.abs(np.fft.rfft(part, axis=1)) / (part.sum(axis=1, keepdims=True) + 1e-9)
    found = np.zeros((len(bands), EVENTS_PER_LOOP))
    count = min(EVENTS_PER_LOOP, magnitude.shape[1] - 1)
    found[:, :count] = magnitude[:, 1 : count + 1]
    return found


def tempo_angle(bpm: float | None) -> Array:
    """Return the tempo as a point of the unit circle, shape (2,): half and double tempo are the same point.

    Both numbers are 0 without a tempo.

    Parameters
    ----------
    bpm : float or None
        In beats a minute.
    """
    if bpm is None:
        return np.zeros(2)
    angle = 2 * np.pi * np.log2(bpm)
    return np.array([np.cos(angle), np.sin(angle)])


def harmony_pattern(features: FrontEndFeatures) -> Array:
    """Return the harmony of a loop, shape (24,): pitch-class profiles of all notes, then of the bass.

    They are square roots less their mean, and weigh as much as the sound is likely to be tonal, so the
    harmony of drums is near zero.

    Parameters
    ----------
    features : FrontEndFeatures
    """
    tonal = float(load_forest("tonal").probabilities(features.descriptors[None])[0, 0])
    halves = [np.sqrt(features.profiles[name]) for name in ("harmonic", "bass")]
    return tonal * np.concatenate([half - half.mean() for half in halves])
