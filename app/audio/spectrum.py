"""The description of a sound's colour: moments of the shared frames, bands to draw, a timbre vector."""

from __future__ import annotations

from dataclasses import dataclass

import librosa
import numpy as np

from app.audio.frames import FFT_SIZE, RATE_HZ, Floats, Frames

MFCC_COUNT = 13
DRAWN_BANDS = 32

_TINY = 1e-10
_BLOCK_FRAMES = 8_192
_LOWEST_HZ, _HIGHEST_HZ = 30.0, 10_000.0


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and standard deviation over the frames that are not silent."""

    mean: float
    std: float


@dataclass(frozen=True, slots=True)
class VectorMoments:
    """Means and standard deviations, one a coefficient."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Spectral:
    """Moments of the frame descriptors, and `bands_db`: levels of log-spaced bands, loudest 0 dB."""

    centroid_hz: Moments
    bandwidth_hz: Moments
    rolloff_hz: Moments
    flatness: Moments
    zero_crossing_rate: Moments
    rms: Moments
    mfcc: VectorMoments
    chroma: VectorMoments
    bands_db: tuple[float, ...]
    bands_hz: tuple[float, ...]


def describe(frames: Frames) -> Spectral:
    """Summarise `frames`; silence gives zeros."""
    heard = _heard(frames)
    return Spectral(
        centroid_hz=_moments(frames.centroid_hz, heard),
        bandwidth_hz=_moments(frames.bandwidth_hz, heard),
        rolloff_hz=_moments(frames.rolloff_hz, heard),
        flatness=_moments(frames.flatness, heard),
        zero_crossing_rate=_moments(frames.zero_crossing_rate, heard),
        rms=_moments(frames.rms, np.ones_like(heard)),
        mfcc=_vector_moments(_mfcc(frames.mel), heard),
        chroma=_vector_moments(frames.chroma, heard),
        bands_db=_bands_db(frames.power),
        bands_hz=_bands_hz(),
    )


def timbre(spectral: Spectral) -> tuple[float, ...]:
    """Return a vector of fixed length whose Euclidean distance follows likeness of colour.

    MFCC 1 to 12 (level left out) with their deviations, brightness, noise and steadiness, each scaled to
    about unit spread.
    """
    shape = [value / 30.0 for value in spectral.mfcc.mean[1:]]
    motion = [value / 20.0 for value in spectral.mfcc.std[1:]]
    return (*shape, *motion, brightness(spectral) / 50.0, noisiness(spectral) / 50.0)


def brightness(spectral: Spectral) -> float:
    """Return 0 to 100: the mean centroid on a logarithmic scale from 100 Hz to 10 kHz."""
    centroid = max(spectral.centroid_hz.mean, 1.0)
    return float(np.clip(50.0 * np.log10(centroid / 100.0), 0.0, 100.0))


def noisiness(spectral: Spectral) -> float:
    """Return 0 to 100: the mean flatness, 0 for a tone and about 100 for white noise."""
    flatness = min(max(spectral.flatness.mean, 0.0), 1.0)
    # White noise has an expected flatness of e^-gamma = 0.56 in a short-time power spectrum.
    return float(np.clip(100.0 * np.sqrt(flatness / 0.56), 0.0, 100.0))


def _mfcc(mel: Floats) -> Floats:
    blocks = (mel[:, first : first + _BLOCK_FRAMES] for first in range(0, mel.shape[1], _BLOCK_FRAMES))
    decibels = (10.0 * np.log10(np.maximum(block, np.float32(_TINY))) for block in blocks)
    return np.hstack([librosa.feature.mfcc(S=part, sr=RATE_HZ, n_mfcc=MFCC_COUNT) for part in decibels])


def _heard(frames: Frames) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    loudest = float(np.max(frames.rms, initial=0.0))
    heard = frames.rms > max(loudest * 1e-3, 1e-6)
    return np.asarray(heard)


def _moments(values: Floats, heard: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Moments:
    chosen = values[heard]
    return Moments(float(chosen.mean()), float(chosen.std())) if len(chosen) else Moments(0.0, 0.0)


def _vector_moments(values: Floats, heard: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> VectorMoments:
    rows = [_moments(row, heard) for row in values]
    return VectorMoments(tuple(row.mean for row in rows), tuple(row.std for row in rows))


def _bands_hz() -> tuple[float, ...]:
    edges = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, DRAWN_BANDS + 1)
    return tuple(round(float(centre), 1) for centre in np.sqrt(edges[:-1] * edges[1:]))


def _bands_db(power: Floats) -> tuple[float, ...]:
    edges = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, DRAWN_BANDS + 1) * FFT_SIZE / RATE_HZ
    first = np.floor(edges[:-1]).astype(int)
    last = np.maximum(np.ceil(edges[1:]).astype(int), first + 1)
    levels = np.array([power[a:b].mean() for a, b in zip(first, last, strict=True)])
    decibels = 10.0 * np.log10(np.maximum(levels, _TINY) / max(float(levels.max()), _TINY))
    return tuple(float(value) for value in np.maximum(decibels, -90.0))
