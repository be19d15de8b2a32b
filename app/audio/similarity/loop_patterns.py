"""Describe the rhythm and the harmony of a loop by numbers that don't depend on gain and length."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.audio.estimation.boosted_trees import load_forest
from app.audio.listening.front_end_features import FrontEndFeatures
from app.audio.listening.periodicity import read_curve

RHYTHM_BANDS = ("low", "mid", "high")
# Events a beat: from one a bar of four beats to sixteenths, with dotted and swung values between.
EVENTS_PER_BEAT = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
TEMPO_WEIGHT = 0.25

Array = npt.NDArray[np.float64]


def rhythm_pattern(features: FrontEndFeatures, bpm: float | None) -> Array:
    """Return the rhythm of a loop, shape (26,); all numbers are 0 without a tempo.

    The first 24 are how much of the onset strength recurs at each of `EVENTS_PER_BEAT`, for each of
    `RHYTHM_BANDS`: the spectrum of the onset strength at multiples of the tempo (after Peeters 2011). They
    are the same at any tempo and wherever in the bar the loop begins. The last two are the tempo as an angle,
    the same for half and double tempo.

    Parameters
    ----------
    features : FrontEndFeatures
    bpm : float or None
        The tempo in beats a minute.
    """
    if bpm is None:
        return np.zeros(len(RHYTHM_BANDS) * len(EVENTS_PER_BEAT) + 2)
    r = features.rhythm
    places = np.array(EVENTS_PER_BEAT) * bpm / 60 / r.wave_hz
    rows = [np.nan_to_num(read_curve(r.waves[name], places, 0.5)) for name in RHYTHM_BANDS]
    angle = 2 * np.pi * np.log2(bpm / 60)
    return np.concatenate([*rows, TEMPO_WEIGHT * np.array([np.cos(angle), np.sin(angle)])])


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
