"""How long a sound becomes, and how much of that is stretching."""

from __future__ import annotations

from dataclasses import dataclass

from app.audio.render.recipe import RecipeError, RenderRecipe
from app.audio.unit_format import MAX_FRAMES, RATE_HZ

MIN_RATIO, MAX_RATIO = 0.5, 2.0
"""Lengths beside that before stretching. Both methods sound well within it, and give equal bytes twice."""

MAX_MISSING_BEATS = 0.1
"""How much may be missing at the end of a whole number of beats."""

MAX_STRETCH_S = 300.0
"""The longest sound that is stretched, before or after it. Stretching holds it in memory."""


@dataclass(frozen=True)
class StretchLength:
    """The lengths of a render, in frames at 48 kHz.

    Attributes
    ----------
    resampled : int
        After the change of pitch and speed.
    final : int
        After stretching.
    played_rate : float
        The rate in Hz that the original is taken to have, for its pitch and speed to change.
    bpm : float or None
        The tempo it ends up with.
    is_folded : bool
        Whether that is the half or the double of the one asked for.
    """

    resampled: int
    final: int
    played_rate: float
    bpm: float | None = None
    is_folded: bool = False

    @property
    def ratio(self) -> float:
        """The length after stretching beside the one before."""
        return self.final / max(self.resampled, 1)


def stretch_length(frames: int, sample_rate: int, recipe: RenderRecipe) -> StretchLength:
    """Return the lengths of a render.

    Parameters
    ----------
    frames : int
        Of the part that is used, at its own rate.
    sample_rate : int
        In Hz.
    recipe : RenderRecipe

    Raises
    ------
    RecipeError
        The tempo it has is not known, or the sound would be stretched too far or become too long.

    Notes
    -----
    A transposition plays the sound faster or slower, and stretching brings it back: this keeps the pitch
    exact. A tempo that needs more than `MAX_RATIO` is halved or doubled until it does not.
    """
    pitch = 2 ** (recipe.transpose / 12)
    played_rate = sample_rate * recipe.speed * pitch
    resampled = round(frames * RATE_HZ / played_rate)
    plain = frames * RATE_HZ / (sample_rate * recipe.speed)  # before stretching
    tempo = recipe.from_bpm * recipe.speed if recipe.from_bpm else None
    length = StretchLength(resampled, round(plain), played_rate, tempo)
    if recipe.length_s is not None:
        length = StretchLength(resampled, round(recipe.length_s * RATE_HZ), played_rate)
    elif recipe.bpm is not None:
        tempo = recipe.known_tempo * recipe.speed
        bpm = _fold_tempo(recipe.bpm, tempo, pitch)
        final = plain * tempo / bpm if recipe.beats is None else recipe.beats * 60 * RATE_HZ / bpm
        length = StretchLength(resampled, round(final), played_rate, bpm, bpm != recipe.bpm)
    _check(length)
    return length


def whole_beats(frames: int, sample_rate: int, bpm: float) -> int:
    """Return how many whole beats a length has, at least 1; `MAX_MISSING_BEATS` may be missing.

    Parameters
    ----------
    frames : int
    sample_rate : int
        In Hz.
    bpm : float
    """
    return max(int(frames / sample_rate * bpm / 60 + MAX_MISSING_BEATS), 1)


def _fold_tempo(bpm: float, tempo: float, pitch: float) -> float:
    """Return the tempo, or its half or double, that needs no stretch beyond the bounds."""
    while tempo / bpm * pitch < MIN_RATIO:
        bpm /= 2
    while tempo / bpm * pitch > MAX_RATIO:
        bpm *= 2
    return bpm


def _check(length: StretchLength) -> None:
    if length.final > MAX_FRAMES:
        raise RecipeError(
            f"It would be {length.final / RATE_HZ / 60:.1f} minutes long, and a pad holds 16. "
            "Use a shorter part of it."
        )
    if length.final == length.resampled:
        return
    if not MIN_RATIO <= length.ratio <= MAX_RATIO:
        low, high = (length.resampled * ratio / RATE_HZ for ratio in (MIN_RATIO, MAX_RATIO))
        raise RecipeError(
            f"This sound can be stretched to between {low:.2f} and {high:.2f} seconds, "
            f"not to {length.final / RATE_HZ:.2f}."
        )
    longest = max(length.final, length.resampled) / RATE_HZ
    if longest > MAX_STRETCH_S:
        raise RecipeError(
            f"Only sounds of up to {MAX_STRETCH_S / 60:g} minutes can be stretched, or transposed at the "
            f"same tempo; this would be {longest / 60:.1f} minutes. Use a shorter part of it."
        )
