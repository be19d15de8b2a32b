"""Onset detection for chopping: where the level rises in many bands at once, to about 2 ms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.ndimage
import scipy.signal

from app.audio.listening.front_end import MAX_RHYTHM_S, RATE_HZ, Floats, spectrum_blocks
from app.audio.listening.front_end_features import FrontEndFeatures

MAX_ONSETS = 2_000

_WINDOW, _HOP = 256, 44  # samples: 12 and 2 ms
_BANDS, _LOWEST_BIN = 20, 1
# Where the whole sound has an RMS of 0.1, levels below these hardly count: to find onsets, to compare them.
_QUIET, _SOFT = 1e-4, 3e-3
# Levels are compared with the largest of so many frames, which end so many frames before.
_LAG, _BEFORE = 2, 12
_MIN_GAP = 25
# The least mean rise of the bands, in nepers: 1 dB. Steady noise rises by less.
_MIN_RISE = 0.11
# An onset begins where the rise has this share of its peak, at most so many frames before it. The window sees
# it so long before it comes.
_START_SHARE, _MAX_START, _EARLY_S = 0.2, 8, 0.0028
_ATTACK = 6  # frames from the peak of the rise to the peak of the level


@dataclass(frozen=True)
class Onsets:
    """The onsets of a sound.

    Attributes
    ----------
    times_s : where the rise begins, in seconds, shape (n,).
    heights : strength relative to the strongest onset, which has 1, shape (n,).
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
    An onset is a local maximum, at least 50 ms from a larger one, of the rise of the log level, averaged over
    bands. Each band's level is compared with the largest of the 24 ms before, so that what only fluctuates
    does not rise (as the maximum filter of Böck and Widmer's SuperFlux, 2013, works across frequency). In the
    log level, a soft hat in a pause rises like a loud kick. The strength, which tells the
    two apart, is the same rise with soft sounds compressed less.
    """
    if features.is_silent:
        return Onsets(np.zeros(0), np.zeros(0, dtype=np.float32))
    level = _band_levels(features.front_end.y[: int(MAX_RHYTHM_S * RATE_HZ)])
    rise = _mean_rise(level)
    padded = np.concatenate([[0.0], rise, [0.0]])
    peaks = scipy.signal.find_peaks(padded, distance=_MIN_GAP, height=_MIN_RISE)[0][:MAX_ONSETS] - 1
    times = np.array([max(_rise_start(rise, int(p)) * _HOP / RATE_HZ + _EARLY_S, 0.0) for p in peaks])
    strength = _strength(level, peaks)
    return Onsets(times, (strength / strength.max(initial=1e-9)).astype(np.float32))


def _band_levels(y: Floats) -> Floats:
    """Return the RMS level of each band in each frame, shape (bands, frames)."""
    edges = np.unique(np.round(np.geomspace(_LOWEST_BIN, _WINDOW // 2, _BANDS + 1)).astype(int))
    widths = np.diff(np.append(edges, _WINDOW // 2 + 1))
    rows = []
    for _, block in spectrum_blocks(y, _WINDOW, _HOP):
        power = np.add.reduceat(np.square(block), edges, axis=1) / widths
        rows.append(np.sqrt(power) * np.float32(4 / _WINDOW))
    return np.ascontiguousarray(np.concatenate(rows).T, dtype=np.float32)


def _mean_rise(level: Floats) -> Floats:
    """Return how much the log level rises in the mean of all bands, slightly smoothed, shape (frames,)."""
    total = np.zeros(level.shape[1], dtype=np.float32)
    for band in level:
        log = np.log(band + np.float32(_QUIET))
        before = scipy.ndimage.maximum_filter1d(
            log, _BEFORE, origin=(_BEFORE - 1) // 2, mode="constant", cval=np.log(_QUIET)
        )
        past = np.concatenate([np.full(_LAG, np.log(_QUIET), np.float32), before])[: log.size]
        total += np.maximum(log - past, 0)
    smooth = scipy.ndimage.convolve1d(total / len(level), np.array([0.25, 0.5, 0.25]), mode="constant")
    return np.asarray(smooth, dtype=np.float32)


def _rise_start(rise: Floats, peak: int) -> int:
    """Return the frame where the rise to a peak begins."""
    low = max(peak - _MAX_START, 0)
    below = np.flatnonzero(rise[low:peak] <= _START_SHARE * rise[peak])
    return low + int(below[-1]) + 1 if below.size else low


def _strength(level: Floats, peaks: npt.NDArray[np.intp]) -> Floats:
    """Return how much the level rises at each peak, in the mean of all bands, shape (peaks,)."""
    found = []
    for peak in peaks:
        before = level[:, max(peak - _BEFORE, 0) : max(peak - _LAG, 0)].max(axis=1, initial=0)
        after = level[:, peak : peak + _ATTACK].max(axis=1)
        found.append(np.maximum(np.log((after + _SOFT) / (before + _SOFT)), 0).mean())
    return np.array(found, dtype=np.float32)
