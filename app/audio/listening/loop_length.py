"""The length of a loop to which an MP3 encoder added silence: where it stops, and how it repeats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft

from app.audio.decoding.mp3_frames import EncoderPadding
from app.audio.listening.loop_end import LoopEnd, find_loop_end

MAX_LENGTH_S = 40.0
# Twice a millisecond, the level of the sound is measured.
BLOCK = 11
# Whole beats that a loop may have, and how long a beat may be.
BEATS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
BEATS_OF_BARS = (2, 4, 8, 16, 32, 64)
MIN_BEAT_S, MAX_BEAT_S = 0.28, 1.25
STEP_S = 2e-5
# How much better than the mean of all lengths the best one has to be, also where the sound stops elsewhere,
# and how well whole tempi have to fit.
MIN_CONTRAST, STRONG_CONTRAST, SAME_FIT = 1.25, 1.6, 0.97
WHOLE_BPM_REACH = 0.08
# How exactly the end of a sound tells its length, and how many beats a minute a whole tempo may be off.
END_REACH_S, IS_WHOLE_BPM = 1.05e-3, 0.004
# A smaller fall may be the encoder's doing.
CLEAR_DROP_DB = 12.0
# Encoders that drop the end of a sound (shine) lose up to two frames of it.
LOST_END = 2_228

Floats = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RepeatedLength:
    """The length at which a sound repeats best.

    Attributes
    ----------
    length_s : in seconds.
    beats : how many beats that is.
    contrast : how much better it fits than the mean of all lengths.
    """

    length_s: float
    beats: int
    contrast: float


def loop_length_s(
    y: Floats, rate_hz: int, duration_s: float, rate: int, padding: EncoderPadding | None
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

    Notes
    -----
    An MP3 says how long it is to within a frame of 26 ms, which is 1.3 % of a bar. Most loops are cut while
    they sound: within that frame the level falls at once and stays down, which tells the length to half a
    millisecond. Where a loop has died away before, its hits tell (`find_loop_length`).
    """
    if not padding:
        return duration_s
    lead_s = padding.lead / rate
    most, least = (duration_s - lead_s - tail / rate for tail in (padding.min_tail, padding.max_tail))
    if not 0.4 < least < most <= MAX_LENGTH_S:
        return duration_s
    end = find_loop_end(y, rate_hz, lead_s + least, lead_s + most)
    found = find_loop_length(y, rate_hz, least, most)
    if end:
        return _choose_length(end, lead_s, found)
    if not found or found.contrast < STRONG_CONTRAST:
        longer = find_loop_length(y, rate_hz, most, most + LOST_END / rate)
        found = longer if longer and longer.contrast > STRONG_CONTRAST else found
    return found.length_s if found else duration_s


def _choose_length(end: LoopEnd, lead_s: float, found: RepeatedLength | None) -> float:
    """Return the length that the end of the sound tells, unless only the repetition has a whole tempo.

    A gate or a fade can end a sound before the loop is over, never after it.
    """
    length = _snap_to_whole_tempo(end.time_s - lead_s)
    if not found or found.contrast < STRONG_CONTRAST or _has_whole_tempo(length):
        return length
    is_possible = found.length_s > length - END_REACH_S or end.drop_db < CLEAR_DROP_DB
    bpm = 60 * found.beats / found.length_s
    return found.length_s if is_possible and abs(bpm - round(bpm)) < IS_WHOLE_BPM else length


def _has_whole_tempo(length_s: float) -> bool:
    tempi = [60 * beats / length_s for beats in BEATS_OF_BARS if _is_beat(length_s / beats)]
    return any(abs(bpm - round(bpm)) < IS_WHOLE_BPM for bpm in tempi)


def _snap_to_whole_tempo(length_s: float) -> float:
    """Return the nearest length of a whole tempo where it is within what the end of a sound tells."""
    tempi = [(60 * beats, 60 * beats / length_s) for beats in BEATS_OF_BARS if _is_beat(length_s / beats)]
    lengths = [beat_seconds / round(bpm) for beat_seconds, bpm in tempi]
    nearest = min(lengths, key=lambda whole: abs(whole - length_s), default=length_s)
    return nearest if abs(nearest - length_s) < END_REACH_S else length_s


def _is_beat(seconds: float) -> bool:
    return MIN_BEAT_S <= seconds <= MAX_BEAT_S


def find_loop_length(y: Floats, rate_hz: int, least_s: float, most_s: float) -> RepeatedLength | None:
    """Return the length between two bounds at which the sound repeats itself by whole beats.

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
    RepeatedLength or None
        None when nothing repeats, or when the sound is longer than `MAX_LENGTH_S`.

    Notes
    -----
    In the autocorrelation of the rise of the level, hits that are whole beats apart make narrow peaks. For
    each number of beats that fits, the sum of the peaks over all beats is largest at the length of the loop.
    Tempi of whole beats a minute are preferred where they fit as well.
    """
    if not 0.4 < least_s < most_s <= MAX_LENGTH_S:
        return None
    repeats, best, top_fit = _level_autocorrelation(y), None, 0.0
    lengths = np.arange(least_s, most_s, STEP_S)
    index = np.arange(repeats.size) * BLOCK / rate_hz
    for beats in BEATS:
        if not _is_beat(most_s / beats):
            continue
        fit = np.sum([np.interp(k * lengths / beats, index, repeats) for k in range(1, beats)], axis=0)
        highest, contrast = float(fit.max()), float(fit.max() / max(fit.mean(), 1e-12))
        if contrast > MIN_CONTRAST and highest > top_fit:
            best, top_fit = RepeatedLength(_prefer_whole_tempo(lengths, fit, beats), beats, contrast), highest
    return best


def _prefer_whole_tempo(lengths: Array, fit: Array, beats: int) -> float:
    """Return the best length, or the one of the whole tempo beside it that fits as well."""
    length = float(lengths[int(np.argmax(fit))])
    bpm = 60 * beats / length
    whole = 60 * beats / round(bpm)
    near = abs(bpm - round(bpm)) < WHOLE_BPM_REACH and lengths[0] <= whole <= lengths[-1]
    return whole if near and np.interp(whole, lengths, fit) > SAME_FIT * fit.max() else length


def _level_autocorrelation(y: Floats) -> Array:
    """Return the autocorrelation of the rise of the level, of the sound and of its high end."""
    whole = y[: y.size - y.size % BLOCK]
    rows = np.stack([_level_rise(s) for s in (whole, np.diff(whole, prepend=np.float32(0)))])
    size = scipy.fft.next_fast_len(2 * rows.shape[1], real=True)
    power = np.square(np.abs(scipy.fft.rfft(rows, size, axis=1))).sum(axis=0)
    return np.asarray(scipy.fft.irfft(power, size)[: rows.shape[1]])


def _level_rise(y: Floats) -> Array:
    """Return the half-wave rectified rise of the log level over 2 ms, scaled to a norm of one."""
    level = np.sqrt(np.square(y).reshape(-1, BLOCK).mean(axis=1, dtype=np.float64))
    smooth = np.convolve(level, np.hanning(9)[1:-1], "same")
    log = np.log1p(50 * smooth / (smooth.max(initial=0) + 1e-12))
    rise = np.maximum(log[4:] - log[:-4], 0)
    return np.asarray(rise / (np.linalg.norm(rise) + 1e-12))
