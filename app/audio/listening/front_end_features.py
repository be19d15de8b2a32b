"""One listening for all: what tempo, key and class read, computed once and only when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from app.audio.decoding.scratch_file import SampleSource
from app.audio.listening import chroma, front_end, periodicity
from app.audio.listening.front_end import FrontEnd
from app.audio.listening.sound_descriptors import compute_descriptors


@dataclass(frozen=True)
class FrontEndFeatures:
    """A sound as heard, and what follows from it."""

    heard: FrontEnd

    @property
    def silent(self) -> bool:
        """Whether there is nothing to hear."""
        return self.heard.silent

    @cached_property
    def rhythm(self) -> periodicity.Rhythm:
        """Periodicities and candidate tempi."""
        return periodicity.measure_rhythm(self.heard)

    @cached_property
    def peaks(self) -> chroma.SpectralPeaks:
        """Spectral peaks of the long windows."""
        return chroma.find_peaks(self.heard)

    @cached_property
    def tuning_cents(self) -> float:
        """Distance from A = 440 Hz, −50 to 50."""
        return chroma.tuning_cents(self.peaks)

    @cached_property
    def pitch_classes(self) -> dict[str, npt.NDArray[np.float64]]:
        """Pitch classes of each window by band; see `chroma.bands`."""
        return chroma.chroma_by_band(self.peaks, self.tuning_cents)

    @cached_property
    def profiles(self) -> dict[str, npt.NDArray[np.float64]]:
        """Pitch-class profiles of the whole by name; see `chroma.profiles`."""
        return chroma.chroma_profiles(self.pitch_classes)

    @cached_property
    def shape(self) -> npt.NDArray[np.float64]:
        """Numbers that tell kinds and classes apart; see `shape.py`."""
        return compute_descriptors(self.heard, self.peaks, self.profiles, self.rhythm)


def extract_features(samples: SampleSource | npt.NDArray[Any], rate: int) -> FrontEndFeatures:
    """Listen to a sound.

    Parameters
    ----------
    samples : finite samples, shape (n,) or (n, channels), any gain; of a long sound the start is heard.
    rate : in Hz.

    Raises
    ------
    ValueError : there are no samples.
    """
    if isinstance(samples, np.ndarray):
        columns = samples[:, None] if samples.ndim == 1 else samples
        samples = columns.astype(np.float32, copy=False)
    return FrontEndFeatures(front_end.compute_front_end(samples, rate))
