"""Front-end features of a sound: what the estimators read, each computed once and only when needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from app.audio.decoding.mp3_frames import EncoderPadding
from app.audio.decoding.scratch_file import SampleSource
from app.audio.listening import chroma, front_end, periodicity, pitch_track
from app.audio.listening.front_end import FrontEnd
from app.audio.listening.sound_descriptors import compute_descriptors


@dataclass(frozen=True)
class FrontEndFeatures:
    """The front end of a sound and the features that are derived from it.

    Each feature is computed at its first use and kept.
    """

    front_end: FrontEnd

    @property
    def is_silent(self) -> bool:
        """Return whether the sound is silent."""
        return self.front_end.is_silent

    @cached_property
    def rhythm(self) -> periodicity.Rhythm:
        """Return the periodicities of the onset strength and the candidate tempi."""
        return periodicity.measure_rhythm(self.front_end)

    @cached_property
    def pitch_track(self) -> pitch_track.PitchTrack | None:
        """Return the course of the pitch of a sound with one clear voice, None for any other sound."""
        return None if self.is_silent else pitch_track.track_pitch(self.front_end)

    @cached_property
    def peaks(self) -> chroma.SpectralPeaks:
        """Return the spectral peaks of the long windows."""
        return chroma.find_peaks(self.front_end)

    @cached_property
    def tuning_cents(self) -> float:
        """Return the tuning as the deviation from A = 440 Hz in cents, −50 to 50."""
        return chroma.tuning_cents(self.peaks)

    @cached_property
    def pitch_classes(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the pitch classes of each window by band; see `chroma.chroma_by_band`."""
        return chroma.chroma_by_band(self.peaks, self.tuning_cents)

    @cached_property
    def profiles(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the pitch-class profiles of the whole sound by name; see `chroma.chroma_profiles`."""
        return chroma.chroma_profiles(self.pitch_classes)

    @cached_property
    def descriptors(self) -> npt.NDArray[np.float64]:
        """Return the sound descriptors, shape (n,); see `sound_descriptors`."""
        return compute_descriptors(self.front_end, self.peaks, self.profiles, self.rhythm)


def extract_features(
    samples: SampleSource | npt.NDArray[Any], rate: int, padding: EncoderPadding | None = None
) -> FrontEndFeatures:
    """Compute the front end of a sound and return its features.

    Parameters
    ----------
    samples : SampleSource or ndarray
        Finite samples, shape (frames, channels), or (frames,) for an array, any gain. Only the start of a
        long sound is read.
    rate : int
        Sample rate in Hz.
    padding : EncoderPadding or None
        Silence that an MP3 encoder added, when the file does not say how much.

    Raises
    ------
    ValueError
        There are no samples.
    """
    if isinstance(samples, np.ndarray):
        columns = samples[:, None] if samples.ndim == 1 else samples
        samples = columns.astype(np.float32, copy=False)
    return FrontEndFeatures(front_end.compute_front_end(samples, rate, padding))
