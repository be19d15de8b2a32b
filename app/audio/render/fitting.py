"""Fit a recipe to a sound: its tempo and beats, and the way of stretching that suits it."""

from __future__ import annotations

from app.audio.render.recipe import SLICES, WHOLE, RecipeError, RenderRecipe
from app.audio.render.stretch_length import StretchLength, stretch_length, whole_beats
from app.audio.result import Analysis
from app.music.sound_classes import DRUMS, LOOP

MAX_BEAT_ERROR = 0.1
"""A loop whose length is this far from whole beats, in beats, has something after its end."""

MAX_SLICES_FASTER = 1.15
"""Faster than this, moved slices lose too much of what rings on."""

MIN_CLASS_CONFIDENCE = 0.5
DRUM_LOOPS = ("drums", "percussion")


def fit_recipe(recipe: RenderRecipe, analysis: Analysis) -> RenderRecipe:
    """Return the recipe with what it needs to know of a sound, where the recipe does not say so itself.

    Parameters
    ----------
    recipe : RenderRecipe
        Of a new tempo, length or pitch, or of whole beats; others are returned as they are.
    analysis : Analysis
        Of the original, with its owner's corrections.
    """
    tempo = recipe.from_bpm or analysis.bpm
    fitted = recipe
    if tempo is not None and (recipe.bpm is not None or recipe.whole_beats):
        fitted = _add(recipe, from_bpm=float(tempo), beats=_beats(recipe, analysis, float(tempo)))
    if recipe.bpm is None and recipe.length_s is None and not recipe.transpose:
        return fitted
    return _add(fitted, **_method(fitted, analysis))


def expected_length(fitted: RenderRecipe, analysis: Analysis) -> StretchLength | None:
    """Return the lengths of a render without decoding anything; None where they depend on the samples.

    Parameters
    ----------
    fitted : RenderRecipe
        As `fit_recipe` returns it.
    analysis : Analysis
        Of the original, with its owner's corrections.

    Raises
    ------
    RecipeError
        The tempo it has is not known, or the sound would be stretched too far or become too long.
    """
    if fitted.trim_db is not None:
        return None
    frames = _frames(fitted, analysis)
    if fitted.whole_beats:
        beats = whole_beats(frames, analysis.sample_rate, fitted.known_tempo)
        frames = min(round(beats * 60 * analysis.sample_rate / fitted.known_tempo), frames)
    return stretch_length(frames, analysis.sample_rate, fitted)


def _add(recipe: RenderRecipe, **values: object) -> RenderRecipe:
    """Return the recipe with values for what it leaves open."""
    return RenderRecipe.model_validate(values | recipe.model_dump(exclude_defaults=True))


def _frames(recipe: RenderRecipe, analysis: Analysis) -> int:
    """Return the length of the part that is used, before silence is cut."""
    whole = round(analysis.duration_s * analysis.sample_rate)
    return max(min(whole, recipe.end or whole) - recipe.start, 1)


def _beats(recipe: RenderRecipe, analysis: Analysis, bpm: float) -> int | None:
    """Return the beats of a loop, or of a part of it, that ends on a beat."""
    if recipe.trim_db is not None and not recipe.whole_beats:
        return None  # how much is left is known only when it is rendered
    frames = _frames(recipe, analysis)
    whole = whole_beats(frames, analysis.sample_rate, bpm)
    ends_on_beat = abs(frames / analysis.sample_rate * bpm / 60 - whole) <= MAX_BEAT_ERROR
    return whole if recipe.whole_beats or ends_on_beat else None


def _method(recipe: RenderRecipe, analysis: Analysis) -> dict[str, object]:
    """Return how to stretch: drums by their slices, unless too much of them would be cut off."""
    is_drums = analysis.sound in (DRUM_LOOPS if analysis.kind == LOOP else DRUMS)
    if not is_drums or analysis.sound_confidence < MIN_CLASS_CONFIDENCE or not analysis.onsets:
        return {"method": WHOLE}
    try:
        ratio = stretch_length(_frames(recipe, analysis), analysis.sample_rate, recipe).ratio
    except RecipeError:
        return {"method": WHOLE}  # rendering says what is wrong
    if ratio * MAX_SLICES_FASTER < 1:
        return {"method": WHOLE}
    return {"method": SLICES, "onsets": tuple(time for time, _ in analysis.onsets)}
