"""Find near duplicates: the same recording with another gain, length, rate, encoding or number of channels.

Candidates are near in the block `body` of their similarity vectors; the samples of both then confirm it.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import scipy.fft

from app.audio.similarity import layout

DUPLICATE_DISTANCE = 0.2
"""Least distance of the blocks `body` of sounds that are no near duplicates."""

MIN_SHARED_PART = 0.6
MIN_BAND_CORRELATION = 0.85
MAX_GAIN_SPREAD_DB = 2.5

_COMPARED_S = 3.0
_MAX_SHIFT_S = 0.12
_START_LEVEL, _SILENCE = 1e-3, 1e-6  # of the peak, of full scale
_EDGES_HZ = (0, 150, 400, 1000, 2500, 5000, 9000, 11_000)
_AUDIBLE_SHARE = 1e-3  # of the strongest band
_PRE_EMPHASIS = 0.9
_SINC_REACH = 32
# The strongest whole lag of a noisy sound can be two samples off, on a side lobe.
_FINE_STEPS = np.arange(-16, 17) / 8

Array = npt.NDArray[np.float64]
Spectrum = npt.NDArray[np.complex128]


def likely_duplicates(vector: npt.ArrayLike, others: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Return the indexes of vectors that may belong to the same recording, nearest first, shape (found,).

    `is_same_recording` confirms them.

    Parameters
    ----------
    vector : array_like, shape (`layout.LENGTH`,)
    others : array_like, shape (n, `layout.LENGTH`)
    """
    place = layout.BLOCKS[layout.BODY]
    rows = np.asarray(others, dtype=np.float64).reshape(-1, layout.LENGTH)[:, place]
    apart = np.linalg.norm(rows - np.asarray(vector, dtype=np.float64)[place], axis=1)
    order = np.argsort(apart, kind="stable")
    return order[: int(np.searchsorted(apart[order], DUPLICATE_DISTANCE))]


def is_same_recording(a: npt.ArrayLike, b: npt.ArrayLike, rate: int) -> bool:
    """Return whether two sounds are the same recording.

    Gain, channels, encoding, a lead of silence and a cut end don't matter. Another hit of the same instrument
    is another recording, and so is a filtered copy.

    Parameters
    ----------
    a, b : array_like, shape (frames,) or (frames, channels)
        At the same rate.
    rate : int
        In Hz, 22,050 or more.

    Notes
    -----
    The first 3 s of both, from where they begin to sound, are shifted to their best correlation, to an eighth
    of a sample. In each octave or so that both have energy in, they must correlate by `MIN_BAND_CORRELATION`
    and by one gain. Layers of an instrument agree in the bass at best.
    """
    first, second = _sounding_part(a, rate), _sounding_part(b, rate)
    shorter, longer = sorted((first.size, second.size))
    if shorter < 2 or shorter < MIN_SHARED_PART * longer:
        return False
    compared = int(_COMPARED_S * rate)
    spectra = _aligned_spectra(_emphasise(first[:compared]), _emphasise(second[:compared]), rate)
    correlations, gains_db = _compare_bands(*spectra, rate)
    return bool(
        correlations.min(initial=1) >= MIN_BAND_CORRELATION and np.ptp(gains_db) <= MAX_GAIN_SPREAD_DB
    )


def _sounding_part(sound: npt.ArrayLike, rate: int) -> Array:
    """Return the mean of the channels from where it begins to where it ends to sound; empty for silence."""
    y = np.asarray(sound, dtype=np.float64)
    y = y.mean(axis=1) if y.ndim == 2 else y
    level = np.abs(y)
    audible = np.flatnonzero(level > max(_START_LEVEL * level.max(initial=0), _SILENCE))
    return y[audible[0] : audible[-1] + 1] if audible.size else y[:0]


def _emphasise(y: Array) -> Array:
    """Return the sound with its high frequencies raised, where two takes differ."""
    return np.concatenate([y[:1], y[1:] - _PRE_EMPHASIS * y[:-1]])


def _aligned_spectra(a: Array, b: Array, rate: int) -> tuple[Spectrum, Spectrum]:
    """Return the spectra of what both have in common once the second is shifted to fit the first best."""
    reach = min(int(_MAX_SHIFT_S * rate), a.size - 1, b.size - 1)
    size = scipy.fft.next_fast_len(a.size + b.size, real=True)
    lagged = scipy.fft.irfft(scipy.fft.rfft(a, size) * np.conj(scipy.fft.rfft(b, size)), size)
    shift = _best_shift(lagged, reach)
    whole = round(shift)
    a, b = a[max(whole, 0) :], b[max(-whole, 0) :]
    shared = min(a.size, b.size)
    size = scipy.fft.next_fast_len(shared, real=True)
    first, second = scipy.fft.rfft(a[:shared], size), scipy.fft.rfft(b[:shared], size)
    return first, second * np.exp(-2j * np.pi * np.arange(first.size) / size * (shift - whole))


def _best_shift(lagged: Array, reach: int) -> float:
    """Return the lag of the strongest correlation, to an eighth of a sample, by sinc interpolation."""
    lags = np.arange(-reach, reach + 1)
    coarse = int(lags[np.argmax(np.abs(lagged[lags]))])
    around = np.arange(-_SINC_REACH, _SINC_REACH + 1)
    fine = np.sinc(_FINE_STEPS[:, None] - around) @ lagged[(coarse + around) % lagged.size]
    return coarse + float(_FINE_STEPS[np.argmax(np.abs(fine))])


def _compare_bands(a: Spectrum, b: Spectrum, rate: int) -> tuple[Array, Array]:
    """Return the correlation and the gain in dB of each band in which both have energy."""
    hz = np.linspace(0, rate / 2, a.size)
    bands = [slice(*np.searchsorted(hz, edges)) for edges in pairwise(_EDGES_HZ)]
    power = np.array([[np.sum(np.abs(x[band]) ** 2) for band in bands] for x in (a, b)])
    shared = np.array([np.sum((a[band] * np.conj(b[band])).real) for band in bands])
    heard = np.all(power > _AUDIBLE_SHARE * power.max(axis=1, keepdims=True), axis=0)
    correlations = np.abs(shared[heard]) / np.sqrt(power[0, heard] * power[1, heard])
    return correlations, 10 * np.log10(power[1, heard] / power[0, heard])
