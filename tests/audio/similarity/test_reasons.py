"""Why two sounds are alike, in words, and how well they match."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.audio.similarity import layout
from app.audio.similarity.reasons import CHANGES, SoundFigures, explain_likeness, match_percent

HIT = SoundFigures("one-shot", 0.5, brightness=50.0, noisiness=30.0, punch=15.0)
LOOP = SoundFigures("loop", 4.0, brightness=50.0, bpm=90.0, key="A minor")
APART = dict.fromkeys(layout.BLOCKS, 3.0)


def reason(source: SoundFigures, blocks: dict[str, float] | None = None, **changes: Any) -> str:
    return explain_likeness(APART | (blocks or {}), source, replace(source, **changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "similar overall"),
        ({"brightness": 57.0}, "similar overall"),
        ({"brightness": 60.0}, "brighter"),
        ({"brightness": 40.0}, "darker"),
        ({"duration_s": 1.0}, "longer"),
        ({"duration_s": 0.2}, "shorter"),
        ({"brightness": 60.0, "duration_s": 0.1}, "shorter, brighter"),
        ({"brightness": None}, "similar overall"),
        ({"brightness": 99.0, "duration_s": 0.1, "noisiness": 0.0, "punch": 19.0},
         "shorter, brighter, cleaner"),
    ],
)  # fmt: skip
def test_clear_differences_are_named_the_largest_first(changes: dict[str, Any], words: str) -> None:
    assert reason(HIT, **changes) == words


def test_what_is_shared_comes_first() -> None:
    assert reason(HIT, {layout.BODY: 0.3}, brightness=70.0) == "same body, brighter"
    assert reason(HIT, {layout.BODY: 0.5}) == "similar body"
    shared = {layout.BODY: 0.5, layout.RHYTHM: 0.1, layout.HARMONY: 0.1}
    assert reason(LOOP, shared, bpm=100.0) == "same harmony, same rhythm, faster"
    assert reason(HIT, shared) == "similar body", "a hit has no rhythm, so it is not the same"


def test_the_change_asked_for_is_always_named() -> None:
    other = replace(HIT, brightness=59.0, duration_s=5.0, noisiness=90.0, punch=40.0)
    assert explain_likeness(APART, HIT, other, "brighter").startswith("brighter, ")


@pytest.mark.parametrize("word", CHANGES)
def test_a_figure_just_at_the_bound_is_named(word: str) -> None:
    trait, is_more = CHANGES[word]
    source = replace(HIT, bpm=90.0)
    changes: dict[str, Any] = {trait.figure: trait.bound(getattr(source, trait.figure), is_more)}
    other = replace(source, **changes)
    assert explain_likeness(APART, source, other) == word


def test_the_mean_of_several_sounds_has_what_they_share() -> None:
    mean = SoundFigures.mean([HIT, replace(HIT, duration_s=1.5, brightness=None, punch=5.0)])
    assert (mean.kind, mean.duration_s, mean.brightness, mean.punch) == ("one-shot", 1.0, None, 10.0)
    assert SoundFigures.mean([HIT, LOOP]).kind == ""


@pytest.mark.parametrize("preset", layout.PRESETS)
@pytest.mark.parametrize("kind", ["loop", "one-shot", "texture", ""])
def test_a_match_falls_with_the_distance(preset: str, kind: str) -> None:
    matches = [match_percent(distance / 4, preset, kind) for distance in range(60)]
    assert matches[0] == 100
    assert matches == sorted(matches, reverse=True)
    assert matches[-1] == 0
