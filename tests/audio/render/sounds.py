"""Sounds to shape, and a way to read what was rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from app.audio.decoding.scratch_file import SampleSource
from app.audio.render.recipe import RenderRecipe
from app.audio.render.renderer import Rendered, render

RATE = 48_000
Sound = npt.NDArray[np.float32]


def sine(hz: float = 220.0, seconds: float = 1.0, rate: int = RATE, level: float = 0.5) -> Sound:
    """Return a stereo sine whose sides are equal, shape (frames, 2)."""
    mono = level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
    return np.repeat(mono.astype(np.float32)[:, None], 2, axis=1)


def hits(times_s: list[float], seconds: float, rate: int = RATE) -> Sound:
    """Return short noise hits that begin at exact times."""
    sound = np.zeros((round(seconds * rate), 1), dtype=np.float32)
    burst = np.random.default_rng(3).standard_normal(rate // 20) * np.exp(
        -np.arange(rate // 20) / (rate / 100)
    )
    for time in times_s:
        at = round(time * rate)
        sound[at : at + len(burst), 0] += (0.3 * burst[: len(sound) - at]).astype(np.float32)
    return sound


def steps(frames: int, channels: int) -> Sound:
    """Return noise of whole 16-bit steps."""
    values = np.random.default_rng(1).integers(-20_000, 20_000, (frames, channels))
    return np.asarray(values / 32768, dtype=np.float32)


class Studio:
    """Renders recipes into a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "out.wav"

    def render(self, sound: SampleSource, rate: int = RATE, **recipe: Any) -> tuple[Rendered, Sound]:
        """Return what was done, and the samples of the WAV."""
        done = render(sound, rate, RenderRecipe(**recipe), self.path, self.folder)
        samples, read_rate = soundfile.read(self.path, dtype="float32", always_2d=True)
        assert read_rate == RATE
        return done, samples
