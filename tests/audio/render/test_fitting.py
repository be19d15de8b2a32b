"""A recipe takes tempo, beats and the way of stretching from what was heard, unless it says so itself."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from app.audio.analyzer import analyze_sound
from app.audio.render.fitting import expected_length, fit_recipe
from app.audio.render.recipe import RenderRecipe
from app.audio.result import Analysis
from tests.audio.render.sounds import RATE, hits


@cache
def loop() -> Analysis:
    """Return what is heard in two bars of hits, taken for surely drums."""
    heard = analyze_sound(hits([k * 0.5 for k in range(8)], 4.0), RATE)
    return replace(heard, kind="loop", sound="drums", sound_confidence=0.9, bpm=120.0, duration_s=4.0)


def fitted(analysis: Analysis, **recipe: Any) -> RenderRecipe:
    return fit_recipe(RenderRecipe(**recipe), analysis)


def test_a_loop_of_drums_is_stretched_by_its_slices_to_whole_beats() -> None:
    recipe = fitted(loop(), bpm=111.0)
    assert (recipe.from_bpm, recipe.beats, recipe.method) == (120.0, 8, "slices")
    assert recipe.onsets == tuple(time for time, _ in loop().onsets)


@pytest.mark.parametrize(
    ("changes", "recipe", "method"),
    [
        ({}, {"bpm": 137.9}, "slices"),
        ({}, {"bpm": 138.1}, "whole"),  # over 15 % faster
        ({}, {"bpm": 250.0}, "slices"),  # folded to 125
        ({}, {"length_s": 3.5}, "slices"),
        ({}, {"length_s": 3.4}, "whole"),
        ({}, {"transpose": 2.0}, "slices"),
        ({}, {"transpose": -3.0}, "whole"),
        ({"sound": "melody"}, {"bpm": 111.0}, "whole"),
        ({"sound_confidence": 0.49}, {"bpm": 111.0}, "whole"),
        ({"sound_confidence": 0.5}, {"bpm": 111.0}, "slices"),
        ({"onsets": ()}, {"bpm": 111.0}, "whole"),
        ({"kind": "one-shot", "sound": "snare"}, {"transpose": 2.0}, "slices"),
        ({"kind": "one-shot", "sound": "keys"}, {"transpose": 2.0}, "whole"),
    ],
)
def test_the_way_of_stretching_follows_the_class(
    changes: dict[str, Any], recipe: dict[str, float], method: str
) -> None:
    assert fitted(replace(loop(), **changes), **recipe).method == method


def test_what_the_recipe_says_stays() -> None:
    said: dict[str, Any] = {"bpm": 100.0, "from_bpm": 60.0, "beats": 4, "method": "slices", "onsets": (0.1,)}
    assert fitted(loop(), **said) == RenderRecipe(**said)


def test_what_needs_no_tempo_is_left_as_it_is() -> None:
    said: dict[str, Any] = {"gain_db": -1.0, "reverse": True, "trim_db": -60.0}
    assert fitted(loop(), **said) == RenderRecipe(**said)


@pytest.mark.parametrize(
    ("recipe", "beats"),
    [
        ({}, 8),
        ({"end": 2 * RATE}, 4),
        ({"start": RATE, "end": 2 * RATE}, 2),
        ({"end": round(1.8 * RATE)}, None),  # 3.6 beats
        ({"end": round(1.8 * RATE), "whole_beats": True}, 3),
        ({"end": round(1.8 * RATE), "whole_beats": True, "trim_db": -60.0}, 3),
        ({"end": round(1.96 * RATE)}, 4),  # 0.08 beats too short
        ({"end": round(1.94 * RATE)}, None),  # 0.12 beats too short
        ({"end": 9 * RATE}, 8),  # past the end of the sound
        ({"trim_db": -60.0}, None),  # how much is left is not known yet
    ],
)
def test_beats_are_those_of_the_part(recipe: dict[str, Any], beats: int | None) -> None:
    assert fitted(loop(), bpm=111.0, **recipe).beats == beats


def test_a_sound_without_a_tempo_gets_none() -> None:
    recipe = fitted(replace(loop(), bpm=None), bpm=111.0)
    assert (recipe.from_bpm, recipe.beats) == (None, None)


def test_whole_beats_need_a_tempo_and_no_stretching() -> None:
    recipe = fitted(loop(), whole_beats=True)
    assert (recipe.from_bpm, recipe.beats, recipe.method, recipe.onsets) == (120.0, 8, "whole", ())


@pytest.mark.parametrize(
    ("recipe", "before_s", "after_s"),
    [
        ({"bpm": 100.0}, 4.0, 4.8),
        ({"bpm": 100.0, "start": RATE}, 3.0, 3.6),
        ({"bpm": 100.0, "end": round(1.8 * RATE), "whole_beats": True}, 1.5, 1.8),
        ({"bpm": 100.0, "end": 2 * RATE, "whole_beats": True}, 2.0, 2.4),
        ({"bpm": 100.0, "end": round(1.96 * RATE), "whole_beats": True}, 1.96, 2.4),
        ({"length_s": 3.0}, 4.0, 3.0),
        ({"start": 4 * RATE - 2}, 2 / RATE, 2 / RATE),
        ({"start": 9 * RATE}, 1 / RATE, 1 / RATE),
    ],
)
def test_the_length_is_known_before_anything_is_decoded(
    recipe: dict[str, Any], before_s: float, after_s: float
) -> None:
    found = expected_length(fitted(loop(), **recipe), loop())
    assert found is not None
    assert (found.resampled, found.final) == (round(before_s * RATE), round(after_s * RATE))


def test_how_much_silence_is_cut_is_not_known_before() -> None:
    assert expected_length(fitted(loop(), bpm=60.0, trim_db=-60.0), loop()) is None
