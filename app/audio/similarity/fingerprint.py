"""Fingerprint the start of a sound, so that copies of one recording are found among many sounds."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.ndimage
import soxr

from app.audio.decoding.scratch_file import SampleSource
from app.audio.similarity.layout import FINGERPRINT_BANDS

_RATE_HZ = 22_050
_SIZE, _HOP = 512, 110
_LOW_HZ, _HIGH_HZ = 40.0, 6000.0
# The centres of the spans in seconds from the start, and their widths (standard deviations).
_CENTRES_S = np.array([0.0, 0.012, 0.03, 0.06, 0.11, 0.2])
_WIDTHS_S = np.array([0.012, 0.015, 0.024, 0.04, 0.07, 0.09])
_READ_S, _BEFORE_S = 2.0, 0.06
# The start: the first level within 17 dB of the highest in the next 0.3 s, and within 50 dB of the peak.
_START_SHARE, _FLOOR_SHARE = 0.02, 1e-5
_LEVEL_S, _AHEAD_S = 0.006, 0.3
_END_LEVEL, _FIRST_S = 1e-3, 0.005  # of the peak; what always counts
_MIN_MEAN_SHARE = 0.01  # of the power of the loudest channel
_MAX_VALUE = 255

Array = npt.NDArray[np.float64]


def copy_fingerprint(sound: SampleSource, rate: int, start_s: float) -> tuple[int, ...]:
    """Return the fingerprint of the start of a sound, whole numbers from 0 to 255.

    There are `FINGERPRINT_LENGTH` of them, and none for silence. Copies of a recording have nearly the same:
    gain, channels, rate, encoding, a lead of silence and a cut end hardly change them.
    `duplicates.likely_duplicates` compares them.

    Parameters
    ----------
    sound : SampleSource
        Shape (frames, channels).
    rate : int
        In Hz.
    start_s : float
        Where the sound comes within 60 dB of its peak, in seconds.

    Notes
    -----
    Square roots of the magnitudes of 16 mel bands up to 6 kHz at six times within 0.2 s, which encoders keep.
    The start of an attack is steady: what an encoder puts before it is quieter by more than 17 dB. Spans
    behind the end are 0, so that only what two sounds both have is compared.
    """
    y = _read_start(sound, rate, start_s)
    if not np.any(y):
        return ()
    start = _attack_start(y)
    heard_s = _heard_s(y, start)
    course = np.sqrt(_span_magnitudes(y, start, heard_s))
    course[max(np.count_nonzero(heard_s >= _CENTRES_S + _WIDTHS_S), 1) :] = 0
    return tuple(np.round(course / course.max() * _MAX_VALUE).astype(int).ravel().tolist())


def mix_channels(sound: npt.ArrayLike) -> Array:
    """Return the mean of the channels, or the loudest channel where they cancel each other out.

    Parameters
    ----------
    sound : array_like, shape (frames, channels)

    Returns
    -------
    ndarray of float64, shape (frames,)
    """
    # One row a channel, because numpy is slow at a mean over an axis of length two.
    channels = np.ascontiguousarray(np.asarray(sound, dtype=np.float64).T)
    mean, power = channels.mean(axis=0), np.einsum("ij,ij->i", channels, channels)
    loudest = int(np.argmax(power))
    return np.asarray(mean if mean @ mean >= _MIN_MEAN_SHARE * power[loudest] else channels[loudest])


def _read_start(sound: SampleSource, rate: int, start_s: float) -> Array:
    """Return the first seconds of the mixed channels at `_RATE_HZ`."""
    first = max(int((start_s - _BEFORE_S) * rate), 0)
    mixed = mix_channels(sound[first : first + int(_READ_S * rate)])
    return np.asarray(soxr.resample(mixed, rate, _RATE_HZ))


def _attack_start(y: Array) -> int:
    """Return the first sample whose level is near the highest that follows it soon."""
    window, ahead = int(_LEVEL_S * _RATE_HZ), int(_AHEAD_S * _RATE_HZ)
    total = np.cumsum(np.concatenate([np.zeros(window), np.square(y)]))
    level = total[window:] - total[:-window]
    next_peak = scipy.ndimage.maximum_filter1d(level, ahead, origin=-(ahead // 2), mode="constant")
    return int(np.argmax((level >= _START_SHARE * next_peak) & (level >= _FLOOR_SHARE * level.max())))


def _heard_s(y: Array, start: int) -> float:
    """Return the time from the start to the end of the sound, in seconds."""
    audible = np.flatnonzero(np.abs(y) > _END_LEVEL * np.abs(y).max())
    return float(audible[-1] + 1 - start) / _RATE_HZ


def _span_magnitudes(y: Array, start: int, heard_s: float) -> Array:
    """Return the magnitude of each band around the centre of each span, shape (spans, bands).

    Windows that reach over the end don't count: a cut end clicks.
    """
    first = start - int(_BEFORE_S * _RATE_HZ) - _SIZE // 2
    last = start + int((_CENTRES_S[-1] + 3 * _WIDTHS_S[-1]) * _RATE_HZ) + _SIZE
    padded = np.pad(y[max(first, 0) : last], (max(-first, 0), max(last - y.size, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::_HOP]
    power = np.abs(scipy.fft.rfft(windows * np.hanning(_SIZE + 1)[:-1], axis=1)) ** 2 @ _mel_bank().T
    times_s = (first + _SIZE // 2 + np.arange(len(power)) * _HOP - start) / _RATE_HZ
    weights = np.exp(-0.5 * ((times_s - _CENTRES_S[:, None]) / _WIDTHS_S[:, None]) ** 2)
    weights[:, times_s > max(heard_s - _SIZE / 2 / _RATE_HZ, _FIRST_S)] = 0
    return np.asarray(np.sqrt(weights @ power / weights.sum(axis=1, keepdims=True)))


@lru_cache(maxsize=1)
def _mel_bank() -> Array:
    """Return triangles equally spaced in mel, each with a bin at least, shape (bands, bins)."""
    hz = np.arange(_SIZE // 2 + 1) * _RATE_HZ / _SIZE
    low, high = 2595 * np.log10(1 + np.array([_LOW_HZ, _HIGH_HZ]) / 700)
    mels = np.linspace(low, high, FINGERPRINT_BANDS + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    rise = (hz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - hz) / np.diff(edges)[1:, None]
    bank = np.maximum(0, np.minimum(rise, fall))
    for band in np.flatnonzero(bank.sum(axis=1) == 0):
        bank[band, np.argmin(np.abs(hz - edges[band + 1]))] = 1.0
    return np.asarray(bank)
