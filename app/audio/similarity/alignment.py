"""Shift one sound to fit another, to a fraction of a sample."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.fft

# Of the energy of each, at least this share has to overlap.
_MIN_OVERLAP = 0.25
_SINC_REACH = 32
# The strongest whole lag of a noisy sound can be two samples off, on a side lobe.
_FINE_STEPS = np.arange(-16, 17) / 8

Array = npt.NDArray[np.float64]
Spectrum = npt.NDArray[np.complex128]


def find_shift(a: Array, b: Array, reach: int) -> float:
    """Return how far the second sound has to be shifted to fit the first best, in samples.

    Parameters
    ----------
    a, b : ndarray, shape (frames,)
        Two samples at least, not silent.
    reach : int
        The longest shift, in samples.

    Notes
    -----
    The shift has the strongest correlation, whatever its sign, relative to the energy of what overlaps:
    otherwise a cut copy of a swelling sound would fit its louder part better. Sinc interpolation finds it
    to an eighth of a sample.
    """
    reach = min(reach, a.size - 1, b.size - 1)
    size = scipy.fft.next_fast_len(a.size + b.size, real=True)
    products = scipy.fft.irfft(scipy.fft.rfft(a, size) * np.conj(scipy.fft.rfft(b, size)), size)
    return _refine(products, _best_lag(a, b, products, reach))


def shared_part(a: Array, b: Array, shift: float) -> tuple[Array, Array]:
    """Return what two sounds share at a shift, to whole samples, of equal length.

    Parameters
    ----------
    a, b : ndarray, shape (frames,)
    shift : float
        From `find_shift`.
    """
    whole = round(shift)
    a, b = a[max(whole, 0) :], b[max(-whole, 0) :]
    shared = min(a.size, b.size)
    return a[:shared], b[:shared]


def shifted_spectra(a: Array, b: Array, shift: float) -> tuple[Spectrum, Spectrum]:
    """Return the spectra of two parts of equal length, the second shifted by the fraction of a sample.

    Parameters
    ----------
    a, b : ndarray, shape (frames,)
        From `shared_part`, or the same part of both.
    shift : float
        From `find_shift`; its whole samples are not counted.
    """
    size = scipy.fft.next_fast_len(a.size, real=True)
    first, second = scipy.fft.rfft(a, size), scipy.fft.rfft(b, size)
    return first, second * np.exp(-2j * np.pi * np.arange(first.size) / size * (shift - round(shift)))


def _best_lag(a: Array, b: Array, products: Array, reach: int) -> int:
    """Return the lag, in samples, at which what overlaps correlates best."""
    lags = np.arange(-reach, reach + 1)
    starts_a, starts_b = np.maximum(lags, 0), np.maximum(-lags, 0)
    shared = np.minimum(a.size - starts_a, b.size - starts_b)
    total_a, total_b = (np.concatenate([[0.0], np.cumsum(x**2)]) for x in (a, b))
    energy_a = total_a[starts_a + shared] - total_a[starts_a]
    energy_b = total_b[starts_b + shared] - total_b[starts_b]
    # The longer one may go on where the shorter one ends.
    enough = (energy_a > _MIN_OVERLAP * total_a[min(a.size, b.size)]) & (
        energy_b > _MIN_OVERLAP * total_b[min(a.size, b.size)]
    )
    fit = np.abs(products[lags]) / np.sqrt(np.maximum(energy_a * energy_b, np.finfo(float).tiny))
    return int(lags[np.argmax(np.where(enough, fit, -1.0))])


def _refine(products: Array, lag: int) -> float:
    """Return the shift of the strongest correlation near a lag, to an eighth of a sample."""
    around = np.arange(-_SINC_REACH, _SINC_REACH + 1)
    apart = _FINE_STEPS[:, None] - around
    # Without a window the ripple of the cut sinc would outweigh the flat peak of a low tone.
    kernel = np.sinc(apart) * np.cos(np.pi * apart / (2 * _SINC_REACH + 6)) ** 2
    fine = kernel @ products[(lag + around) % products.size] / kernel.sum(axis=1)
    return lag + float(_FINE_STEPS[np.argmax(np.abs(fine))])
