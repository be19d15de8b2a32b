"""Onset detection for chopping: peaks of the onset strength, moved to where the sound starts to rise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.signal

from app.audio.listening.front_end import HOP, RATE_HZ, Floats
from app.audio.listening.front_end_features import FrontEndFeatures

MAX_ONSETS = 2_000

_MIN_GAP_FRAMES = 5
_ENVELOPE_BLOCK = 22  # samples, 1 ms: the steps in which the start of the rise is searched
_BEFORE_S, _AFTER_S = 0.035, 0.015


@dataclass(frozen=True)
class Onsets:
    """The onsets of a sound.

    Attributes
    ----------
    times_s : where the rise begins, in seconds, to a millisecond, shape (n,).
    heights : onset strength relative to the strongest onset, which has 1, shape (n,).
    """

    times_s: npt.NDArray[np.float64]
    heights: Floats


def detect_onsets(features: FrontEndFeatures) -> Onsets:
    """Find the onsets of a sound: at most `MAX_ONSETS`, none in silence.

    Parameters
    ----------
    features : FrontEndFeatures

    Notes
    -----
    An onset is a local maximum of the onset strength at least 50 ms after the one before. The onset
    strength is the half-wave rectified log-mel flux in four bands, less its local mean (after Dixon 2006 and
    Böck 2012).
    """
    strength = features.front_end.onset_strength[0]
    top = float(strength.max(initial=0.0))
    if features.is_silent or top <= 0:
        return Onsets(np.zeros(0), np.zeros(0, dtype=np.float32))
    padded = np.concatenate([[0.0], strength, [0.0]])
    peaks, _ = scipy.signal.find_peaks(
        padded, distance=_MIN_GAP_FRAMES, height=0.08 * top, prominence=0.06 * top
    )
    places = np.asarray(peaks[:MAX_ONSETS] - 1, dtype=np.intp)
    times = np.array([_rise_start(features.front_end.y, int(p) * HOP) / RATE_HZ for p in places])
    return Onsets(times, (strength[places] / top).astype(np.float32))


def _rise_start(y: Floats, about: int) -> int:
    """Return the sample near `about` where the level starts to rise to its peak, to a millisecond."""
    low = max(about - int(_BEFORE_S * RATE_HZ), 0)
    part = np.abs(y[low : about + int(_AFTER_S * RATE_HZ)])
    count = part.size // _ENVELOPE_BLOCK
    if count < 3:
        return about
    level = part[: count * _ENVELOPE_BLOCK].reshape(count, _ENVELOPE_BLOCK).max(axis=1)
    quiet, top = int(np.argmin(level[: max(int(np.argmax(level)), 1)])), float(level.max())
    rise = quiet + int(np.argmax(level[quiet:] > level[quiet] + 0.1 * (top - level[quiet])))
    return low + rise * _ENVELOPE_BLOCK
