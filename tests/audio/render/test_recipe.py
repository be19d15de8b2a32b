"""A recipe says what is wrong with it, travels as plain JSON, and has one digest."""

from __future__ import annotations

import math
from typing import Any

import pytest

from app.audio.render.recipe import UP_45_RPM, RecipeError, RenderRecipe, digest_plain, read_recipe


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
        ({"onsets": [0.5, 0.5]}, "The slices must be in order of time."),
        ({"onsets": [0.5, "later"]}, "onsets: Input should be a valid number."),
        ({"p" * 41: 1}, f"A recipe has no field “{'p' * 40}”."),
        ({"speed": 9.0, "gain_db": 99.0}, "speed: Input should be less than or equal to 4."),
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


def test_the_order_of_plain_json_does_not_matter_to_its_digest() -> None:
    assert digest_plain({"speed": 2.0, "bpm": 90.0}) == digest_plain({"bpm": 90.0, "speed": 2.0})


def test_every_default_leaves_the_sound_as_it_is() -> None:
    assert RenderRecipe() == RenderRecipe(
        version=1, start=0, end=None, trim_db=None, whole_beats=False, remove_dc=False, mono="", speed=1.0,
        transpose=0.0, bpm=None, length_s=None, from_bpm=None, beats=None, onsets=(), reverse=False,
        fade_in_ms=0.0, fade_out_ms=0.0, level=None, gain_db=0.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "least", "most", "past"),
    [
        ("trim_db", -96.0, -6.0, 0.1), ("speed", 0.25, 4.0, 0.01), ("transpose", -12.0, 12.0, 0.1),
        ("bpm", 20.0, 400.0, 0.1), ("from_bpm", 20.0, 400.0, 0.1), ("length_s", 0.01, 960.0, 0.001),
        ("beats", 1, 10_000, 1), ("fade_in_ms", 0.0, 60_000.0, 0.1), ("fade_out_ms", 0.0, 60_000.0, 0.1),
        ("level", -60.0, 0.0, 0.1), ("gain_db", -60.0, 40.0, 0.1), ("min_frames", 0, 480_000, 1),
    ],
)  # fmt: skip
def test_each_value_has_its_limits(field: str, least: float, most: float, past: float) -> None:
    for value in (least, most):
        assert getattr(read_recipe({field: value}), field) == value
    for value in (least - past, most + past):
        with pytest.raises(RecipeError, match=f"{field}: Input should be"):
            read_recipe({field: value})


def test_positions_begin_at_zero_and_there_are_2000_slices_at_most() -> None:
    for wrong in ({"start": -1}, {"end": 0}, {"version": 0}, {"onsets": [float(k) for k in range(2001)]}):
        with pytest.raises(RecipeError, match=f"{next(iter(wrong))}: "):
            read_recipe(wrong)
    assert read_recipe({"end": 1}).end == 1
    assert len(read_recipe({"onsets": [float(k) for k in range(2000)]}).onsets) == 2000


def test_a_tempo_is_only_known_if_it_was_given() -> None:
    assert RenderRecipe(from_bpm=90).known_tempo == 90
    with pytest.raises(RecipeError, match="No tempo is known for this sound"):
        _ = RenderRecipe(bpm=90).known_tempo
    assert pytest.approx(45 / (100 / 3)) == UP_45_RPM


def test_only_a_recipe_of_defaults_changes_nothing() -> None:
    assert RenderRecipe().changes_nothing
    assert not RenderRecipe(min_frames=0).changes_nothing
