"""The length of a loop to which an MP3 encoder added silence: its hits repeat after whole beats."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.fft

from app.audio.decoding.mp3_frames import EncoderPadding

MAX_LENGTH_S = 40.0
# Twice a millisecond, the level of the sound is measured.
BLOCK = 11
# Whole beats that a loop may have, and how long a beat may be.
BEATS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
MIN_BEAT_S, MAX_BEAT_S = 0.28, 1.25
STEP_S = 2e-5
# How much better than the mean of all lengths the best one has to be, and how well whole tempi have to fit.
MIN_CONTRAST, SAME_FIT = 1.25, 0.97
WHOLE_BPM_REACH = 0.08

Array = npt.NDArray[np.float64]


def loop_length_s(
    y: npt.NDArray[np.float32], rate_hz: int, duration_s: float, rate: int, padding: EncoderPadding | None
) -> float:
    """Return the length of a sound without what an MP3 encoder added, or its duration where that is unknown.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
        The sound with the silence around it.
    rate_hz : int
        Its rate.
    duration_s : float
        Its length.
    rate : int
        The rate that `padding` counts in.
    padding : EncoderPadding or None
        None in files without such silence.
    """
    if not padding:
        return duration_s
    most, least = (duration_s - (padding.lead + tail) / rate for tail in (padding.min_tail, padding.max_tail))
    return find_loop_length(y, rate_hz, least, most) or duration_s


def find_loop_length(y: npt.NDArray[np.float32], rate_hz: int, least_s: float, most_s: float) -> float | None:
    """Return the length in seconds between two bounds at which the sound repeats itself by whole beats.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
        The sound with the silence around it.
    rate_hz : int
        Its rate.
    least_s, most_s : float
        Shortest and longest length.

    Returns
    -------
    float or None
        None when nothing repeats, or when the sound is longer than `MAX_LENGTH_S`.

    Notes
    -----
    An MP3 says how long it is to within a frame of 26 ms, which is 1.3 % of a bar. In the autocorrelation of
    the rise of the level, hits that are whole beats apart make narrow peaks. For each number of beats that
    fits, the sum of the peaks over all beats is largest at the length of the loop. Tempi of whole beats a
    minute are preferred where they fit as well.
    """
    if not 0.4 < least_s < most_s <= MAX_LENGTH_S:
        return None
    repeats, best = _level_autocorrelation(y), (0.0, 0.0, 0)
    lengths = np.arange(least_s, most_s, STEP_S)
    index = np.arange(repeats.size) * BLOCK / rate_hz
    for beats in BEATS:
        if not MIN_BEAT_S <= most_s / beats <= MAX_BEAT_S:
            continue
        fit = np.sum([np.interp(k * lengths / beats, index, repeats) for k in range(1, beats)], axis=0)
        top = int(np.argmax(fit))
        if fit[top] > MIN_CONTRAST * fit.mean() and fit[top] > best[0]:
            length = _prefer_whole_tempo(lengths, fit, beats)
            best = (float(fit[top]), length, beats)
    return best[1] or None


def _prefer_whole_tempo(lengths: Array, fit: Array, beats: int) -> float:
    """Return the best length, or the one of the whole tempo beside it that fits as well."""
    length = float(lengths[int(np.argmax(fit))])
    bpm = 60 * beats / length
    whole = 60 * beats / round(bpm)
    near = abs(bpm - round(bpm)) < WHOLE_BPM_REACH and lengths[0] <= whole <= lengths[-1]
    return whole if near and np.interp(whole, lengths, fit) > SAME_FIT * fit.max() else length


def _level_autocorrelation(y: npt.NDArray[np.float32]) -> Array:
    """Return the autocorrelation of the rise of the level, of the sound and of its high end."""
    whole = y[: y.size - y.size % BLOCK]
    rows = np.stack([_level_rise(s) for s in (whole, np.diff(whole, prepend=np.float32(0)))])
    size = scipy.fft.next_fast_len(2 * rows.shape[1], real=True)
    power = np.square(np.abs(scipy.fft.rfft(rows, size, axis=1))).sum(axis=0)
    return np.asarray(scipy.fft.irfft(power, size)[: rows.shape[1]])


def _level_rise(y: npt.NDArray[np.float32]) -> Array:
    """Return the half-wave rectified rise of the log level over 2 ms, scaled to a norm of one."""
    level = np.sqrt(np.square(y).reshape(-1, BLOCK).mean(axis=1, dtype=np.float64))
    smooth = np.convolve(level, np.hanning(9)[1:-1], "same")
    log = np.log1p(50 * smooth / (smooth.max(initial=0) + 1e-12))
    rise = np.maximum(log[4:] - log[:-4], 0)
    return np.asarray(rise / (np.linalg.norm(rise) + 1e-12))
