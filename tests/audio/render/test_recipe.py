"""A recipe says what is wrong with it, travels as plain JSON, and has one digest."""

from __future__ import annotations

import math
from typing import Any

import pytest

from app.audio.render.recipe import RecipeError, RenderRecipe, read_recipe


@pytest.mark.parametrize(
    ("plain", "sentence"),
    [
        ({"speed": 9.0}, "speed: Input should be less than or equal to 4."),
        ({"speed": "2"}, "speed: Input should be a valid number."),
        ({"speed": math.nan}, "speed: Input should be a finite number."),
        ({"pitch": 1}, "A recipe has no field “pitch”."),
        ({"mono": "middle"}, "mono: Input should be '', 'sum', 'left', 'right' or 'auto'."),
        ({"start": 10, "end": 10}, "The end must come after the start."),
        ({"bpm": 90.0, "length_s": 2.0}, "Choose a tempo or a length to stretch to, not both."),
        ({"onsets": [1.0, 0.5]}, "The slices must be in order of time."),
        ({"version": 2}, "version: Input should be less than or equal to 1."),
        ({"start": 1.5}, "start: Input should be a valid integer."),
        ({"remove_dc": 1}, "remove_dc: Input should be a valid boolean."),
    ],
)
def test_a_wrong_recipe_is_refused_in_a_sentence(plain: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RecipeError) as refused:
        read_recipe(plain)
    assert str(refused.value) == sentence


def test_plain_json_holds_what_differs_and_comes_back() -> None:
    recipe = RenderRecipe(bpm=93, from_bpm=87.0, beats=8, method="slices", onsets=(0.0, 0.5), mono="auto")
    plain = recipe.to_dict()
    assert plain == {
        "version": 1, "bpm": 93.0, "from_bpm": 87.0, "beats": 8, "method": "slices", "onsets": [0.0, 0.5],
        "mono": "auto",
    }  # fmt: skip
    assert read_recipe(plain) == recipe


def test_equal_recipes_have_one_digest_and_others_have_another() -> None:
    assert RenderRecipe(gain_db=0).digest() == RenderRecipe().digest() == read_recipe({}).digest()
    assert RenderRecipe(gain_db=-1).digest() != RenderRecipe().digest()
    assert RenderRecipe(gain_db=-1).digest() == read_recipe({"gain_db": -1.0}).digest()


def test_only_a_recipe_of_defaults_changes_nothing() -> None:
    assert RenderRecipe().changes_nothing
    assert not RenderRecipe(min_frames=0).changes_nothing
