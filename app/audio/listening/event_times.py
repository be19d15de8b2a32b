"""The events of a sound for telling its kind: peaks of the onset strength, to about 10 ms.

`onset_detection` finds more of the weak hits, and finds them more exactly. The bounds of the kinds were set
with these.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.signal

from app.audio.listening.front_end import HOP, RATE_HZ, Floats
from app.audio.listening.front_end_features import FrontEndFeatures

MAX_EVENTS = 2_000

_MIN_GAP_FRAMES = 5
_ENVELOPE_BLOCK = 22  # samples, 1 ms: the steps in which the start of the rise is searched
_BEFORE_S, _AFTER_S = 0.035, 0.015


def event_times(features: FrontEndFeatures) -> npt.NDArray[np.float64]:
    """Return the times of the events of a sound in seconds, at most `MAX_EVENTS`; none in silence.

    Parameters
    ----------
    features : FrontEndFeatures

    Returns
    -------
    ndarray of float64, shape (n,)

    Notes
    -----
    An event is a local maximum of the onset strength at least 50 ms after the one before. The onset
    strength is the half-wave rectified log-mel flux in four bands, less its local mean (after Dixon 2006 and
    Böck 2012). Its time is where the level begins to rise.
    """
    strength = features.front_end.onset_strength[0]
    top = float(strength.max(initial=0.0))
    if features.is_silent or top <= 0:
        return np.zeros(0)
    padded = np.concatenate([[0.0], strength, [0.0]])
    peaks, _ = scipy.signal.find_peaks(
        padded, distance=_MIN_GAP_FRAMES, height=0.08 * top, prominence=0.06 * top
    )
    return np.array(
        [_rise_start(features.front_end.y, (int(p) - 1) * HOP) / RATE_HZ for p in peaks[:MAX_EVENTS]]
    )


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
