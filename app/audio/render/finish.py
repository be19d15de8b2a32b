"""The last steps of a render, block by block: reverse, fades and gain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.audio.decoding.scratch_file import Samples, SampleSource


@dataclass(frozen=True)
class FinishedSound:
    """Samples as they will be written, as a `SampleSource`.

    Attributes
    ----------
    sound : SampleSource
    reverse : bool
    fade_in, fade_out : int
        In frames.
    curve : str
        One of "linear", "smooth" and "fast".
    gain : float
        A factor.
    """

    sound: SampleSource
    reverse: bool = False
    fade_in: int = 0
    fade_out: int = 0
    curve: str = "linear"
    gain: float = 1.0

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (frames, channels)."""
        return self.sound.shape

    def __len__(self) -> int:
        return len(self.sound)

    def __getitem__(self, span: slice, /) -> Samples:
        first, last, _ = span.indices(len(self))
        last = max(last, first)
        if self.reverse:
            block = self.sound[len(self) - last : len(self) - first][::-1]
        else:
            block = self.sound[first:last]
        if self.gain != 1.0:
            block = block * np.float32(self.gain)
        fades = self._fades(first, last)
        return block if fades is None else block * fades

    def _fades(self, first: int, last: int) -> Samples | None:
        """Return the factors of a span, shape (n, 1); None where no fade is."""
        if first >= self.fade_in and last <= len(self) - self.fade_out:
            return None
        at = np.arange(first, last)
        risen = np.clip(at / self.fade_in, 0, 1) if self.fade_in else np.ones(len(at))
        left = np.clip((len(self) - 1 - at) / self.fade_out, 0, 1) if self.fade_out else np.ones(len(at))
        factors = _shape_fade(risen, self.curve) * _shape_fade(left, self.curve)
        return np.asarray(factors[:, None], dtype=np.float32)


def _shape_fade(risen: np.ndarray, curve: str) -> np.ndarray:
    """Return the factors of a fade, from how far it has got, 0 to 1."""
    if curve == "smooth":
        return (1 - np.cos(np.pi * risen)) / 2
    return np.sin(np.pi / 2 * risen) if curve == "fast" else risen
