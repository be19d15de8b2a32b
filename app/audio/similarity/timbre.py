"""Compute the timbre vector of a sound: sounds of like timbre have vectors that are close together."""

from __future__ import annotations

from app.audio.listening.spectral_summary import brightness, noisiness
from app.audio.result import SpectralSummary

TIMBRE_VERSION = 2


def timbre_vector(spectral: SpectralSummary) -> tuple[float, ...]:
    """Return 26 numbers whose Euclidean distance is small for sounds of like timbre.

    They are MFCC 1 to 12 (0 is the level and left out), their deviations, brightness and noisiness. The
    spectral envelope weighs most, then its motion. Compare only vectors of the same `TIMBRE_VERSION`.

    Parameters
    ----------
    spectral : SpectralSummary
    """
    shape = [value / 30.0 for value in spectral.mfcc.mean[1:]]
    motion = [value / 20.0 for value in spectral.mfcc.std[1:]]
    return (*shape, *motion, brightness(spectral) / 50.0, noisiness(spectral) / 50.0)
