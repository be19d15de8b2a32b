"""The description of a sound's colour: moments of its descriptors, bands to draw, a timbre vector."""

from __future__ import annotations

import librosa
import numpy as np
import numpy.typing as npt

from app.audio.listening import frame_descriptors
from app.audio.listening.chroma import SpectralPeaks
from app.audio.listening.front_end import HOP, LONG_WINDOW, RATE_HZ, Floats
from app.audio.listening.front_end_features import FrontEndFeatures
from app.audio.result import Moments, SpectralSummary, VectorMoments

MFCC_COUNT = 13
BAND_COUNT = 32
TIMBRE_VERSION = 2

_MIN_HOP_LEVEL = 1e-3  # of the loudest: what lies 60 dB lower is heard as silence
_MIN_MEL_MAGNITUDE = 1e-4
_MIN_BAND_HZ, _MAX_BAND_HZ = 30.0, 10_000.0


def summarize_spectrum(ear: FrontEndFeatures) -> SpectralSummary:
    """Summarise what was heard; silence gives zeros."""
    rms, crossings = frame_descriptors.hop_descriptors(ear.heard.y, HOP, ear.heard.mel.shape[1])
    heard = np.asarray((rms > _MIN_HOP_LEVEL * float(rms.max(initial=0))) & (not ear.silent))
    shades = [_moments(row, heard) for row in ear.heard.shades]
    classes = _pitch_class_strength(ear.peaks, ear.tuning_cents)
    return SpectralSummary(
        **dict(zip(frame_descriptors.DESCRIPTOR_NAMES, shades, strict=True)),
        zero_crossing_rate=_moments(crossings, heard),
        rms=_moments(rms / ear.heard.gain, np.ones_like(heard)),
        mfcc=_vector_moments(_mel_cepstrum(ear.heard.mel), heard),
        chroma=_vector_moments(classes, np.asarray(classes.any(axis=0))),
        bands_db=_bands_db(ear.heard.long),
        bands_hz=_bands_hz(),
    )


def timbre_vector(spectral: SpectralSummary) -> tuple[float, ...]:
    """Return a vector of 26 numbers whose Euclidean distance follows likeness of colour.

    MFCC 1 to 12 (level left out), their deviations, brightness and noisiness; the envelope weighs most, then
    its motion. Only vectors of one `TIMBRE_VERSION` can be compared.
    """
    shape = [value / 30.0 for value in spectral.mfcc.mean[1:]]
    motion = [value / 20.0 for value in spectral.mfcc.std[1:]]
    return (*shape, *motion, brightness(spectral) / 50.0, noisiness(spectral) / 50.0)


def brightness(spectral: SpectralSummary) -> float:
    """Return 0 to 100: the mean centroid on a logarithmic scale from 100 Hz to 10 kHz."""
    centroid = max(spectral.centroid_hz.mean, 1.0)
    return float(np.clip(50.0 * np.log10(centroid / 100.0), 0.0, 100.0))


def noisiness(spectral: SpectralSummary) -> float:
    """Return 0 to 100: the mean flatness, 0 for a tone and about 100 for white noise."""
    flatness = min(max(spectral.flatness.mean, 0.0), 1.0)
    # White noise has an expected flatness of e^-gamma = 0.56 in a short-time power spectrum.
    return float(np.clip(100.0 * np.sqrt(flatness / 0.56), 0.0, 100.0))


def _mel_cepstrum(mel: Floats) -> Floats:
    """Cepstrum of the mel bands in decibels (Davis and Mermelstein 1980), shape (13, frames)."""
    magnitude = np.expm1(mel) / 10  # the front end keeps log(1 + 10 x)
    decibels = 20 * np.log10(np.maximum(magnitude, np.float32(_MIN_MEL_MAGNITUDE)))
    return np.asarray(librosa.feature.mfcc(S=decibels, n_mfcc=MFCC_COUNT), dtype=np.float32)


def _pitch_class_strength(peaks: SpectralPeaks, cents: float) -> npt.NDArray[np.float64]:
    """Magnitude of the peaks by pitch class, each window's largest 1, shape (12, windows)."""
    classes = np.round(peaks.midi - cents / 100).astype(np.intp) % 12
    strength = np.bincount(peaks.window * 12 + classes, peaks.level, peaks.windows * 12)
    rows = strength.reshape(peaks.windows, 12)
    return np.asarray((rows / np.maximum(rows.max(axis=1, keepdims=True), 1e-12)).T)


def _moments(values: npt.NDArray[np.floating], heard: npt.NDArray[np.bool_]) -> Moments:
    chosen = values[heard]
    return Moments(float(chosen.mean()), float(chosen.std())) if len(chosen) else Moments(0.0, 0.0)


def _vector_moments(values: npt.NDArray[np.floating], heard: npt.NDArray[np.bool_]) -> VectorMoments:
    rows = [_moments(row, heard) for row in values]
    return VectorMoments(tuple(row.mean for row in rows), tuple(row.std for row in rows))


def _bands_hz() -> tuple[float, ...]:
    edges = np.geomspace(_MIN_BAND_HZ, _MAX_BAND_HZ, BAND_COUNT + 1)
    return tuple(round(float(centre), 1) for centre in np.sqrt(edges[:-1] * edges[1:]))


def _bands_db(spectra: Floats) -> tuple[float, ...]:
    power = np.mean(spectra**2, axis=0)
    edges = np.geomspace(_MIN_BAND_HZ, _MAX_BAND_HZ, BAND_COUNT + 1) * LONG_WINDOW / RATE_HZ
    first = np.floor(edges[:-1]).astype(int)
    last = np.maximum(np.ceil(edges[1:]).astype(int), first + 1)
    levels = np.array([power[a:b].mean() for a, b in zip(first, last, strict=True)])
    decibels = 10.0 * np.log10(np.maximum(levels, 1e-10) / max(float(levels.max()), 1e-10))
    return tuple(float(value) for value in np.maximum(decibels, -90.0))
