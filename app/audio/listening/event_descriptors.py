"""Event descriptors: numbers that tell events that repeat from a sound that only goes on or only changes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.fft

from app.audio.listening.front_end import FRAME_RATE_HZ, HOP, RATE_HZ, FrontEnd

Array = npt.NDArray[np.float64]

MIN_REPEAT_S, MAX_REPEAT_SHARE = 0.18, 0.6
LEVEL_STEP_S = 0.05


def compute_event_descriptors(frames: FrontEnd) -> Array:
    """Return the event descriptors of a sound as one vector, shape (19,).

    Parameters
    ----------
    frames : FrontEnd

    Notes
    -----
    In order: how much the onsets stand out, how well the sound agrees with itself some time later, and how
    its level and its spectrum move. Noise has onsets of one size that never come again; a riser only moves.
    The trees were fitted on this order, so it must not change without new weights.
    """
    first = int(frames.start_s * FRAME_RATE_HZ)
    last = max(int(frames.end_s * FRAME_RATE_HZ) + 1, first + 4)
    strength = frames.onset_strength[:, first:last].astype(np.float64)
    mel = frames.mel[:, first:last].astype(np.float64)
    return np.concatenate([_prominence(strength[0]), _repeats(strength, mel), _movement(frames, mel)])


def _prominence(strength: Array) -> Array:
    """Return how far the onsets stand out: kurtosis, shares of the strongest, high peaks a second, spread."""
    if strength.size < 8 or strength.max() <= 0:
        return np.zeros(5)
    spread = strength.std() + 1e-9
    kurtosis = float(np.mean(((strength - strength.mean()) / spread) ** 4))
    order = np.sort(strength)[::-1]
    strongest = [float(order[: max(int(share * order.size), 1)].sum() / order.sum()) for share in (0.02, 0.1)]
    inner = (strength[1:-1] > strength[:-2]) & (strength[1:-1] >= strength[2:])
    peaks = strength[1:-1][inner]
    high = float(np.sum(peaks > strength.mean() + 4 * spread)) / strength.size * FRAME_RATE_HZ
    steady = float(np.std(peaks) / (np.mean(peaks) + 1e-9)) if peaks.size else 0.0
    return np.array([np.log(kurtosis), *strongest, high, steady])


def _repeats(strength: Array, mel: Array) -> Array:
    """Return the best correlations at a later time: of all onsets, low and high ones, and of the spectrum."""
    rows = [strength[:1], strength[1:2], strength[4:5], mel]
    found = []
    for row in rows:
        course = self_correlation(row)
        found += [
            float(course.max(initial=-1.0)),
            float(np.sort(course)[-8:].mean()) if course.size >= 8 else -1.0,
        ]
    return np.array(found)


def self_correlation(rows: Array) -> Array:
    """Return the correlation of rows with themselves at lags from 0.18 s to 60 % of their length.

    Parameters
    ----------
    rows : ndarray, shape (rows, frames)
        The mean of each row is removed first; the rows are correlated together.

    Returns
    -------
    ndarray, shape (lags,)
        Pearson's coefficient of the parts that overlap at each lag; empty for a short sound.
    """
    size = rows.shape[1]
    low, high = int(MIN_REPEAT_S * FRAME_RATE_HZ), int(MAX_REPEAT_SHARE * size)
    if high <= low:
        return np.zeros(0)
    x = rows - rows.mean(axis=1, keepdims=True)
    n = scipy.fft.next_fast_len(2 * size)
    lagged = scipy.fft.irfft(np.sum(np.abs(scipy.fft.rfft(x, n, axis=1)) ** 2, axis=0), n)[low:high]
    energy = np.concatenate([[0.0], np.cumsum(np.sum(x**2, axis=0))])
    lags = np.arange(low, high)
    overlap = np.sqrt(energy[size - lags] * (energy[-1] - energy[lags]))
    return np.asarray(lagged / (overlap + 1e-9))


def _movement(frames: FrontEnd, mel: Array) -> Array:
    """Return the trend of level and centroid, what the trend leaves, and how the two halves differ."""
    y = frames.y[
        int(frames.start_s * RATE_HZ) : max(int(frames.end_s * RATE_HZ), int(frames.start_s * RATE_HZ) + HOP)
    ]
    step = int(LEVEL_STEP_S * RATE_HZ)
    whole = np.pad(y.astype(np.float64), (0, -y.size % step)).reshape(-1, step)
    level = 10 * np.log10(np.mean(whole**2, axis=1) + 1e-7)
    bands = np.arange(mel.shape[0])[:, None]
    centre = (mel * bands).sum(axis=0) / (mel.sum(axis=0) + 1e-9)
    middle = max(mel.shape[1] // 2, 1)
    halves = [mel[:, :middle].mean(axis=1), mel[:, -middle:].mean(axis=1)]
    size = float(np.linalg.norm(halves[0]) * np.linalg.norm(halves[1])) + 1e-9
    return np.array(
        [*_trend(level), *_trend(centre), float(halves[0] @ halves[1]) / size, float(np.median(level))]
    )


def _trend(course: Array) -> tuple[float, float]:
    """Return the correlation of a course with time, and the deviation that a straight line leaves."""
    if course.size < 4:
        return 0.0, 0.0
    time = np.linspace(-1, 1, course.size)
    centred = course - course.mean()
    slope = float(centred @ time / (time @ time))
    rest = float(np.std(centred - slope * time))
    return slope / (abs(slope) + rest + 1e-9), rest
