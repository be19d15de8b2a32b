"""The part of an original that a recipe uses: where it lies, its channels, and its offset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.audio.decoding.scratch_file import Samples, SampleSource, iter_blocks
from app.audio.render.recipe import RenderRecipe
from app.audio.render.stretch_length import whole_beats
from app.audio.wav_writer import downmix_to_stereo

EMPTY_PART = "Nothing is left of this sound between these points."
SIDES_DB = -60.0
"""Sides quieter than this, beside the middle, are not missed."""


class EmptyPartError(Exception):
    """The recipe leaves nothing of the sound. The message is a sentence for a producer."""


@dataclass(frozen=True)
class SourcePart:
    """A span of a sound that is read as one or two channels, as a `SampleSource`.

    Attributes
    ----------
    sound : SampleSource
    start, end : int
        In frames of `sound`.
    mono : str
        "" for all channels; "sum", "left" or "right" for one.
    offset : tuple of float
        Taken away from each channel; empty for nothing.
    """

    sound: SampleSource
    start: int
    end: int
    mono: str = ""
    offset: tuple[float, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (frames, channels)."""
        return len(self), 1 if self.mono else min(self.sound.shape[1], 2)

    def __len__(self) -> int:
        return self.end - self.start

    def __getitem__(self, span: slice, /) -> Samples:
        first, last, _ = span.indices(len(self))
        block = downmix_to_stereo(self.sound[self.start + first : self.start + max(last, first)])
        if self.mono:
            block = _one_channel(block, self.mono)
        return block - np.array(self.offset, dtype=np.float32) if self.offset else block


def choose_part(sound: SampleSource, sample_rate: int, recipe: RenderRecipe) -> SourcePart:
    """Return the part that a recipe uses.

    Parameters
    ----------
    sound : SampleSource
        Shape (frames, channels), full scale ±1.
    sample_rate : int
        In Hz.
    recipe : RenderRecipe

    Raises
    ------
    EmptyPartError, RecipeError
        Nothing is left, or the tempo of the beats is not known.

    Notes
    -----
    In this order: start and end, channels, silence, whole beats, offset. Each step reads the part block by
    block, so memory does not grow with the length.
    """
    end = len(sound) if recipe.end is None else min(recipe.end, len(sound))
    part = SourcePart(sound, min(recipe.start, end), end)
    if not len(part):
        raise EmptyPartError(EMPTY_PART)
    part = SourcePart(sound, part.start, end, _choose_mono(part, recipe.mono))
    if recipe.trim_db is not None:
        part = _trim(part, recipe.trim_db)
    if recipe.whole_beats:
        beats = whole_beats(len(part), sample_rate, recipe.known_tempo)
        frames = beats * 60 * sample_rate / recipe.known_tempo
        part = SourcePart(sound, part.start, min(part.start + round(frames), part.end), part.mono)
    if recipe.remove_dc:
        part = SourcePart(sound, part.start, part.end, part.mono, _means(part))
    return part


def _one_channel(block: Samples, mono: str) -> Samples:
    if block.shape[1] == 1:
        return block
    if mono == "sum":
        return np.asarray(block.mean(axis=1, keepdims=True), dtype=np.float32)
    return block[:, :1] if mono == "left" else block[:, 1:]


def _choose_mono(part: SourcePart, wanted: str) -> str:
    """Return "sum" for "auto" where the sides are too quiet to be missed."""
    if wanted != "auto" or part.shape[1] == 1:
        return "" if part.shape[1] == 1 else wanted
    middle = sides = 0.0
    for block in iter_blocks(part):
        wide = block.astype(np.float64)
        middle += float(np.square(wide[:, 0] + wide[:, 1]).sum())
        sides += float(np.square(wide[:, 0] - wide[:, 1]).sum())
    return "sum" if sides <= middle * 10 ** (SIDES_DB / 10) else ""


def _trim(part: SourcePart, below_peak_db: float) -> SourcePart:
    """Cut what is quieter at both ends; of silence, nothing is cut."""
    level = 10 ** (below_peak_db / 20) * _fold(part, lambda block: np.abs(block).max())
    if level <= 0:
        return part
    first, last, at = len(part), 0, 0
    for block in iter_blocks(part):
        loud = np.flatnonzero(np.abs(block).max(axis=1) >= level)
        if loud.size:
            first, last = min(first, at + int(loud[0])), at + int(loud[-1]) + 1
        at += len(block)
    return SourcePart(part.sound, part.start + first, part.start + last, part.mono)


def _fold(part: SourcePart, measure: Callable[[Samples], np.float32]) -> float:
    return max(float(measure(block)) for block in iter_blocks(part))


def _means(part: SourcePart) -> tuple[float, ...]:
    total: npt.NDArray[np.float64] = np.zeros(part.shape[1])
    for block in iter_blocks(part):
        total += block.sum(axis=0, dtype=np.float64)
    return tuple(float(value) for value in total / len(part))
