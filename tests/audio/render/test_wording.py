"""What a render did is told in the order it was done, and nothing is told that was not done."""

from __future__ import annotations

from typing import Any

import pytest

from app.audio.render.recipe import RenderRecipe
from app.audio.render.wording import describe_render
from tests.audio.render.sounds import RATE, Studio, hits

SOUND = hits([0.0, 0.5, 1.0, 1.5], 2.0)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({}, []),
        (
            {"bpm": 93.0, "from_bpm": 87.0, "method": "slices", "onsets": (0.5, 1.0)},
            ["87 → 93 BPM", "6.9 % faster", "slices moved"],
        ),
        (
            {"bpm": 200.0, "from_bpm": 87.0, "gain_db": -3.0},
            ["87 → 100 BPM", "half of 200", "14.9 % faster", "stretched as a whole", "-3 dB"],
        ),
        ({"bpm": 120.0, "from_bpm": 120.0, "beats": 4}, ["120 → 120 BPM"]),
        ({"length_s": 2.5}, ["25.0 % longer", "stretched as a whole"]),
        (
            {"speed": 1.35, "gain_db": -9.0},
            ["played at 1.35 times the speed, 5.2 semitones up", "-9 dB"],
        ),
        (
            {"transpose": -1.0, "remove_dc": True, "gain_db": -9.0},
            ["DC offset removed", "1 semitone down at the same tempo", "stretched as a whole", "-9 dB"],
        ),
        ({"start": RATE, "reverse": True}, ["used 1.000 to 2.000 s", "reversed"]),
        ({"end": 480}, ["used 0.000 to 0.010 s", "silence added up to 4,900 frames (0.102 s)"]),
    ],
)
def test_words(studio: Studio, recipe: dict[str, Any], said: list[str]) -> None:
    done, _ = studio.render(SOUND * 0.5, **recipe)
    assert describe_render(RenderRecipe(**recipe), done, len(SOUND), RATE) == said


def test_a_sound_that_would_clip_says_that_it_was_turned_down(studio: Studio) -> None:
    done, _ = studio.render(SOUND, gain_db=12.0)
    said = describe_render(RenderRecipe(gain_db=12.0), done, len(SOUND), RATE)
    assert said[0] == "+12 dB"
    assert said[1].startswith("turned down by ")
