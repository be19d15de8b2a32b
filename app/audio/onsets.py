"""Onset strength and onsets, by log-mel flux at a hop of 10 ms."""

from __future__ import annotations

from dataclasses import dataclass

import librosa
import numpy as np
import numpy.typing as npt
import scipy.signal

from app.audio.frames import HOP, RATE_HZ, Floats, Frames

ONSETS_MAX = 2_000

_LOW_BANDS = slice(0, 6)
_GAP_FRAMES = 5
_EARLY_FRAMES, _NEAR_FRAMES = 2, 3
_RANGE_DB = 60.0
_LAG = 2
_BLOCK_FRAMES = 8_192


@dataclass(frozen=True)
class Onsets:
    """`strength` and `low_strength` (below about 250 Hz), shape (t,); `times_s` and `heights` of the onsets.

    `heights` are relative, the strongest 1.
    """

    strength: Floats
    low_strength: Floats
    times_s: Floats
    heights: Floats


def find(frames: Frames) -> Onsets:
    """Find onsets in `frames`.

    Notes
    -----
    Half-wave rectified difference of log-mel power, mean over bands (librosa's onset strength); an onset
    is a local maximum that stands out of its surroundings, at least 50 ms after the one before.
    """
    strength, low_strength = (_late(flux) for flux in _fluxes(frames.mel))
    if frames.is_silent:
        none = np.zeros(0, dtype=np.float32)
        return Onsets(np.zeros_like(strength), np.zeros_like(strength), none, none)
    peaks = _peaks(strength)
    heights = strength[peaks] / max(float(strength.max()), 1e-12)
    times = (_risen(peaks, frames.rms) * HOP / RATE_HZ).astype(np.float32)
    return Onsets(strength, low_strength, times, heights)


def _fluxes(mel: Floats) -> tuple[Floats, Floats]:
    """Return the flux of all bands and of the low ones, in blocks: in decibels the bands are copied."""
    floor = max(float(mel.max()), 1e-10) * 10.0 ** (-_RANGE_DB / 10.0)
    found: Floats = np.empty((2, mel.shape[1]), dtype=np.float32)
    # Quiet before the first sample: otherwise a file that starts with a hit has no first onset.
    before = np.full((mel.shape[0], _LAG), 10.0 * np.log10(floor), dtype=np.float32)
    for first in range(0, mel.shape[1], _BLOCK_FRAMES):
        here = slice(first, first + _BLOCK_FRAMES)
        decibels = np.hstack([before, 10.0 * np.log10(np.maximum(mel[:, here], np.float32(floor)))])
        found[0, here], found[1, here] = _flux(decibels), _flux(decibels[_LOW_BANDS])
        before = decibels[:, -_LAG:]
    return found[0], found[1]


def _flux(decibels: Floats) -> Floats:
    flux = librosa.onset.onset_strength_multi(
        S=decibels, sr=RATE_HZ, hop_length=HOP, lag=_LAG, center=False, channels=[slice(None)]
    )
    return np.asarray(flux[0, _LAG:], dtype=np.float32)


def _late(flux: Floats) -> Floats:
    """Shift the curve to where the sound begins: a 93 ms window meets it about two hops before."""
    return np.concatenate([np.zeros(_EARLY_FRAMES, dtype=np.float32), flux[:-_EARLY_FRAMES]])[: len(flux)]


def _risen(places: npt.NDArray[np.intp], rms: Floats) -> npt.NDArray[np.intp]:
    """Move each onset to the steepest rise of level near it, if there is one."""
    rises = np.diff(rms, prepend=0.0)
    found = []
    for place in places:
        first = max(int(place) - _NEAR_FRAMES, 0)
        best = first + int(np.argmax(rises[first : place + _NEAR_FRAMES + 1]))
        found.append(best if rises[best] > 0.1 * rms[best] else int(place))
    return np.unique(np.asarray(found, dtype=np.intp)) if len(set(found)) == len(found) else places


def _peaks(strength: Floats) -> npt.NDArray[np.intp]:
    top = float(strength.max(initial=0.0))
    if top <= 0.0:
        return np.zeros(0, dtype=np.intp)
    around = scipy.signal.fftconvolve(strength, np.full(61, 1 / 61), mode="same")
    padded = np.concatenate([[0.0], strength, [0.0]])
    peaks, _ = scipy.signal.find_peaks(padded, distance=_GAP_FRAMES, height=0.08 * top, prominence=0.06 * top)
    places = np.asarray(peaks - 1, dtype=np.intp)
    lasting: npt.NDArray[np.intp] = places[strength[places] > around[places] + 0.03 * top][:ONSETS_MAX]
    return lasting
