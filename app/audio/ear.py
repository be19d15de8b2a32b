"""One listening for all: what tempo, key and class read, computed once and only when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from app.audio import chroma, hearing, periodicity
from app.audio.hearing import Hearing
from app.audio.shape import shape

LONGEST_S = 300.0


@dataclass(frozen=True)
class Ear:
    """A sound as heard, and what follows from it."""

    heard: Hearing

    @property
    def silent(self) -> bool:
        """Whether there is nothing to hear."""
        return self.heard.silent

    @cached_property
    def rhythm(self) -> periodicity.Rhythm:
        """Periodicities and candidate tempi."""
        return periodicity.rhythm(self.heard)

    @cached_property
    def peaks(self) -> chroma.Peaks:
        """Spectral peaks of the long windows."""
        return chroma.peaks(self.heard)

    @cached_property
    def tuning_cents(self) -> float:
        """Distance from A = 440 Hz, −50 to 50."""
        return chroma.tuning(self.peaks)

    @cached_property
    def profiles(self) -> npt.NDArray[np.float64]:
        """Pitch-class profiles in the order of `chroma.PROFILES`, shape (12, 12)."""
        found = chroma.profiles(self.peaks, self.tuning_cents)
        return np.stack([found[name] for name in chroma.PROFILES])

    @cached_property
    def shape(self) -> npt.NDArray[np.float64]:
        """Numbers that tell kinds and classes apart; see `shape.py`."""
        return shape(self.heard, self.peaks, self.tuning_cents, self.rhythm)


def attend(samples: npt.ArrayLike, rate: int, duration_s: float | None = None) -> Ear:
    """Listen to a sound; of a long one, to its first `LONGEST_S` seconds, so that memory stays bounded.

    Parameters
    ----------
    samples : float samples, shape (n,) or (n, channels), any gain.
    rate : in Hz.
    duration_s : length of the source in seconds where `samples` were resampled from it and rounded.

    Raises
    ------
    ValueError : there are no samples.
    """
    heard = np.asarray(samples)[: round(LONGEST_S * rate)]
    whole = len(heard) == len(np.asarray(samples))
    return Ear(hearing.listen(heard, rate, duration_s if whole else None))
