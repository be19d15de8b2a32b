"""Say in words what a render did: "87 → 93 BPM, 6.9 % faster, slices moved"."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from app.audio.render.recipe import SLICES, RenderRecipe
from app.audio.unit_format import RATE_HZ

if TYPE_CHECKING:
    from app.audio.render.renderer import Rendered

MONO_WORDS = {
    "auto": "mono if left and right are the same",
    "sum": "mono",
    "left": "mono, left channel",
    "right": "mono, right channel",
}
METHOD_WORDS = {"slices": "slices moved", "whole": "stretched as a whole"}


def describe_render(recipe: RenderRecipe, done: Rendered, frames: int, sample_rate: int) -> list[str]:
    """Return what was done to a sound, in the order it was done; empty when nothing was.

    Parameters
    ----------
    recipe : RenderRecipe
    done : Rendered
    frames : int
        Of the original.
    sample_rate : int
        Of the original, in Hz.
    """
    said = []
    if (done.start, done.end) != (0, frames):
        said.append(f"used {done.start / sample_rate:.3f} to {done.end / sample_rate:.3f} s")
    said += ["DC offset removed"] if recipe.remove_dc else []
    said += ["made mono"] if done.mono else []
    said += _speed_words(recipe)
    said += _stretch_words(recipe, done)
    said += ["reversed"] if recipe.reverse else []
    said += _fade_words(recipe)
    return said + _level_words(recipe, done)


def _fade_words(recipe: RenderRecipe) -> list[str]:
    said = [f"{recipe.fade_in_ms:g} ms fade in"] if recipe.fade_in_ms else []
    return said + ([f"{recipe.fade_out_ms:g} ms fade out"] if recipe.fade_out_ms else [])


def _speed_words(recipe: RenderRecipe) -> list[str]:
    said = []
    if recipe.speed != 1:
        semitones = 12 * math.log2(recipe.speed)
        said.append(f"played at {recipe.speed:g} times the speed, {_up_or_down(semitones)}")
    if recipe.transpose:
        said.append(f"{_up_or_down(recipe.transpose)} at the same tempo")
    return said


def _up_or_down(semitones: float) -> str:
    amount = f"{abs(semitones):.2f}".rstrip("0").rstrip(".")
    return f"{amount} semitone{'' if amount == '1' else 's'} {'up' if semitones > 0 else 'down'}"


def _stretch_words(recipe: RenderRecipe, done: Rendered) -> list[str]:
    """Return the change of tempo or length, and how it was made."""
    length = done.length
    said = []
    if recipe.bpm is not None and length.bpm is not None:
        tempo = recipe.known_tempo * recipe.speed
        said.append(f"{round(tempo, 2):g} → {round(length.bpm, 2):g} BPM")
        said += [f"{_half_or_double(recipe.bpm, length.bpm)} of {recipe.bpm:g}"] if length.is_folded else []
        said += _percent(length.bpm / tempo, "faster", "slower")
    elif recipe.length_s is not None:
        said += _percent(length.ratio, "longer", "shorter")
    if length.final != length.resampled:
        said.append(METHOD_WORDS["slices" if recipe.method == SLICES else "whole"])
    return said


def _half_or_double(asked: float, used: float) -> str:
    power = round(math.log2(used / asked))
    return {-1: "half", 1: "double"}.get(power, f"1/{2**-power}" if power < 0 else f"{2**power} times")


def _percent(factor: float, more: str, less: str) -> list[str]:
    change = 100 * (factor - 1)
    if abs(change) < 0.05:
        return []
    return [f"{abs(change):.1f} % {more if change > 0 else less}"]


def _level_words(recipe: RenderRecipe, done: Rendered) -> list[str]:
    said = []
    if recipe.level is not None:
        said.append(f"{done.level_db:+.1f} dB for {recipe.level:g} {recipe.level_unit}")
    elif recipe.gain_db:
        said.append(f"{recipe.gain_db:+g} dB")
    if done.wav.gain_db < -0.005 and (said or done.length.final != done.length.resampled):
        said.append(f"turned down by {-done.wav.gain_db:.1f} dB so that it does not clip")
    if done.wav.padded_frames:
        said.append(f"silence added up to {done.wav.frames:,} frames ({done.wav.frames / RATE_HZ:.3f} s)")
    return said


def describe_recipe(recipe: RenderRecipe) -> list[str]:
    """Return what a recipe asks for, before it is known what it does to a sound.

    Parameters
    ----------
    recipe : RenderRecipe
    """
    said = [f"to {recipe.bpm:g} BPM"] if recipe.bpm is not None else []
    said += [f"to {recipe.length_s:g} s"] if recipe.length_s is not None else []
    said += _speed_words(recipe)
    said += ["silence cut"] if recipe.trim_db is not None else []
    said += ["cut to whole beats"] if recipe.whole_beats else []
    said += ["DC offset removed"] if recipe.remove_dc else []
    said += [MONO_WORDS[recipe.mono]] if recipe.mono else []
    said += ["reversed"] if recipe.reverse else []
    said += _fade_words(recipe)
    said += [f"{recipe.level:g} {recipe.level_unit}"] if recipe.level is not None else []
    return said + ([f"{recipe.gain_db:+g} dB"] if recipe.gain_db else [])
