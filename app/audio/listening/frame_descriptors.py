"""Descriptors of each short spectrum and each hop of a sound, which the spectral summary averages."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

DESCRIPTOR_NAMES = ("centroid_hz", "bandwidth_hz", "rolloff_hz", "flatness")
ROLLOFF_SHARE = 0.85

_TINY = np.float32(1e-10)


def spectrum_descriptors(magnitude: Floats, rate_hz: int) -> Floats:
    """Return centroid, bandwidth, roll-off and flatness of magnitude spectra.

    Parameters
    ----------
    magnitude : ndarray of float32, shape (spectra, bins)
        From 0 Hz to half of `rate_hz`.
    rate_hz : int
        Sample rate of the sound in Hz.

    Returns
    -------
    ndarray of float32, shape (4, spectra), in the order of `DESCRIPTOR_NAMES`
        The first moment and the standard deviation of frequency weighted by magnitude, and the frequency
        below which 85 % of the magnitude lies, in Hz (the definitions of librosa and of Peeters 2004); the
        geometric over the arithmetic mean of power (Johnston 1988), from 0 to 1.
    """
    magnitude = magnitude + _TINY
    hz = np.linspace(0, rate_hz / 2, magnitude.shape[1], dtype=np.float32)
    total, first, second = (magnitude @ np.stack([np.ones_like(hz), hz, hz**2], axis=1)).T
    centroid = first / total
    bandwidth = np.sqrt(np.maximum(second / total - centroid**2, 0))
    return np.stack([centroid, bandwidth, _rolloff_hz(magnitude, hz), _flatness(magnitude)])


def hop_descriptors(y: Floats, hop: int, count: int) -> Floats:
    """Return the RMS and the zero crossings per sample of consecutive hops.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
    hop : int
        Samples in a hop.
    count : int
        How many hops; those past the end count as silence.

    Returns
    -------
    ndarray of float32, shape (2, count)
    """
    hops = np.pad(y, (0, max(count * hop - y.size, 0)))[: count * hop].reshape(count, hop)
    rms = np.sqrt(np.mean(hops**2, axis=1))
    signs = np.signbit(hops)
    return np.stack([rms, np.mean(signs[:, 1:] != signs[:, :-1], axis=1, dtype=np.float32)])


def _rolloff_hz(magnitude: Floats, hz: Floats) -> Floats:
    below = np.cumsum(magnitude, axis=1)
    return np.asarray(hz[np.argmax(below >= ROLLOFF_SHARE * below[:, -1:], axis=1)])


def _flatness(magnitude: Floats) -> Floats:
    power = np.maximum(magnitude**2, _TINY)
    return np.asarray(np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1), dtype=np.float32)
