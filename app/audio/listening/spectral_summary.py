"""Summary of a sound's spectrum: moments of its frame descriptors, and bands to draw."""

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

_MIN_HOP_LEVEL = 1e-3  # of the loudest hop: 60 dB lower counts as silence
_MIN_MEL_MAGNITUDE = 1e-4
_MIN_BAND_HZ, _MAX_BAND_HZ = 30.0, 10_000.0


def summarize_spectrum(features: FrontEndFeatures) -> SpectralSummary:
    """Return the summary of a sound's spectrum; all moments of silence are 0.

    Parameters
    ----------
    features : FrontEndFeatures
    """
    rms, crossings = frame_descriptors.hop_descriptors(
        features.front_end.y, HOP, features.front_end.mel.shape[1]
    )
    audible = np.asarray((rms > _MIN_HOP_LEVEL * float(rms.max(initial=0))) & (not features.is_silent))
    descriptors = [_moments(row, audible) for row in features.front_end.frame_descriptors]
    classes = _pitch_class_strength(features.peaks, features.tuning_cents)
    return SpectralSummary(
        **dict(zip(frame_descriptors.DESCRIPTOR_NAMES, descriptors, strict=True)),
        zero_crossing_rate=_moments(crossings, audible),
        rms=_moments(rms / features.front_end.gain, np.ones_like(audible)),
        mfcc=_vector_moments(_mel_cepstrum(features.front_end.mel), audible),
        chroma=_vector_moments(classes, np.asarray(classes.any(axis=0))),
        bands_db=_bands_db(features.front_end.long_spectra),
        bands_hz=_bands_hz(),
    )


def brightness(spectral: SpectralSummary) -> float:
    """Return the mean centroid on a logarithmic scale, 0 for 100 Hz and below, 100 for 10 kHz and above.

    Parameters
    ----------
    spectral : SpectralSummary
    """
    centroid = max(spectral.centroid_hz.mean, 1.0)
    return float(np.clip(50.0 * np.log10(centroid / 100.0), 0.0, 100.0))


def noisiness(spectral: SpectralSummary) -> float:
    """Return the mean flatness on a scale from 0 for a tone to about 100 for white noise.

    Parameters
    ----------
    spectral : SpectralSummary
    """
    flatness = min(max(spectral.flatness.mean, 0.0), 1.0)
    # White noise has an expected flatness of e^-gamma = 0.56 in a short-time power spectrum.
    return float(np.clip(100.0 * np.sqrt(flatness / 0.56), 0.0, 100.0))


def _mel_cepstrum(mel: Floats) -> Floats:
    """Return the cepstrum of the mel bands in dB (Davis and Mermelstein 1980), shape (13, frames)."""
    magnitude = np.expm1(mel) / 10  # the front end keeps log(1 + 10 x)
    decibels = 20 * np.log10(np.maximum(magnitude, np.float32(_MIN_MEL_MAGNITUDE)))
    return np.asarray(librosa.feature.mfcc(S=decibels, n_mfcc=MFCC_COUNT), dtype=np.float32)


def _pitch_class_strength(peaks: SpectralPeaks, cents: float) -> npt.NDArray[np.float64]:
    """Return the magnitude of the peaks by pitch class, the largest of a window 1, shape (12, windows)."""
    classes = np.round(peaks.midi - cents / 100).astype(np.intp) % 12
    strength = np.bincount(peaks.window * 12 + classes, peaks.level, peaks.windows * 12)
    rows = strength.reshape(peaks.windows, 12)
    return np.asarray((rows / np.maximum(rows.max(axis=1, keepdims=True), 1e-12)).T)


def _moments(values: npt.NDArray[np.floating], chosen: npt.NDArray[np.bool_]) -> Moments:
    kept = values[chosen]
    return Moments(float(kept.mean()), float(kept.std())) if len(kept) else Moments(0.0, 0.0)


def _vector_moments(values: npt.NDArray[np.floating], chosen: npt.NDArray[np.bool_]) -> VectorMoments:
    rows = [_moments(row, chosen) for row in values]
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
