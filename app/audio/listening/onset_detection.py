"""Onsets for chopping: peaks of the flux, moved to where the sound starts to rise and to a zero crossing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.signal

from app.audio.decoding.scratch_file import Samples, SampleSource
from app.audio.listening.front_end import HOP, RATE_HZ, Floats
from app.audio.listening.front_end_features import FrontEndFeatures

MAX_ONSETS = 2_000

_MIN_GAP_FRAMES = 5
_ENVELOPE_BLOCK = 22  # samples of the envelope in which the rise is looked for, 1 ms
_BEFORE_S, _AFTER_S = 0.035, 0.015
_MAX_SNAP_S = 0.002


@dataclass(frozen=True)
class Onsets:
    """`times_s` and `heights` of the onsets, shape (n,); `strength`, shape (t,), one in 220 samples.

    `heights` are relative, the strongest 1; times are where the rise begins, to a millisecond.
    """

    strength: Floats
    times_s: npt.NDArray[np.float64]
    heights: Floats


def detect_onsets(ear: FrontEndFeatures) -> Onsets:
    """Find onsets; at most 2,000, none in silence.

    Notes
    -----
    Half-wave rectified log-mel flux in four bands less its local mean (after Dixon 2006 and Böck 2012); an
    onset is a local maximum at least 50 ms after the one before.
    """
    strength = ear.heard.flux[0]
    top = float(strength.max(initial=0.0))
    if ear.silent or top <= 0:
        return Onsets(strength, np.zeros(0), np.zeros(0, dtype=np.float32))
    padded = np.concatenate([[0.0], strength, [0.0]])
    peaks, _ = scipy.signal.find_peaks(
        padded, distance=_MIN_GAP_FRAMES, height=0.08 * top, prominence=0.06 * top
    )
    places = np.asarray(peaks[:MAX_ONSETS] - 1, dtype=np.intp)
    times = np.array([_rise_start(ear.heard.y, int(p) * HOP) / RATE_HZ for p in places])
    return Onsets(strength, times, (strength[places] / top).astype(np.float32))


def snap_to_zero_crossing(time_s: float, sound: SampleSource, sample_rate: int) -> float:
    """Move a time to the nearest zero crossing of the sound itself, where a cut makes no click.

    Parameters
    ----------
    time_s
        In seconds.
    sound
        Shape (frames, channels), at its own rate: a crossing at the rate of the ear would miss it by samples.
    sample_rate
        In Hz.

    Returns
    -------
    float
        Seconds, exact to a sample: where the mean of the channels is zero or first beyond it. The time
        itself, to a sample, where that is nowhere within 2 ms, and the very start, where nothing is cut.
    """
    at, reach = round(time_s * sample_rate), max(int(_MAX_SNAP_S * sample_rate), 1)
    if at == 0:
        return 0.0
    low = max(at - reach, 0)
    crossings = _zero_crossings(sound[low : at + reach + 1]) + low
    return float(crossings[np.argmin(np.abs(crossings - at))] if crossings.size else at) / sample_rate


def _zero_crossings(part: Samples) -> npt.NDArray[np.intp]:
    mean = part.mean(axis=1)
    signs = np.sign(mean)
    return np.flatnonzero((signs == 0) | (signs != np.concatenate([signs[:1], signs[:-1]])))


def _rise_start(y: Floats, about: int) -> int:
    """Sample at which the level leaves a tenth of the peak near `about`, to a millisecond."""
    low = max(about - int(_BEFORE_S * RATE_HZ), 0)
    part = np.abs(y[low : about + int(_AFTER_S * RATE_HZ)])
    count = part.size // _ENVELOPE_BLOCK
    if count < 3:
        return about
    level = part[: count * _ENVELOPE_BLOCK].reshape(count, _ENVELOPE_BLOCK).max(axis=1)
    quiet, top = int(np.argmin(level[: max(int(np.argmax(level)), 1)])), float(level.max())
    rise = quiet + int(np.argmax(level[quiet:] > level[quiet] + 0.1 * (top - level[quiet])))
    return low + rise * _ENVELOPE_BLOCK
