"""The local describer: its words follow what was measured, and it says which figures led to each."""

from __future__ import annotations

from typing import Any

import pytest

from app.integrations import vibe

MIDDLE: dict[str, Any] = {
    "kind": "loop",
    "sound": None,
    "key": "A minor",
    "bpm": 100.0,
    "duration_s": 4.8,
    "loudness_db": -20.0,
    "brightness": 50.0,
    "noisiness": 40.0,
    "attack_ms": 30.0,
    "onsets": [[0.3 * n, 1.0] for n in range(16)],
}


def described(**changes: Any) -> vibe.Vibe:
    return vibe.describe(MIDDLE | changes)


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ({"loudness_db": -30.0}, {"loudness_db": -8.0}),
        ({"onsets": []}, {"onsets": [[0.1 * n, 1.0] for n in range(48)]}),
        ({"brightness": 20.0}, {"brightness": 90.0}),
    ],
)
def test_louder_denser_and_brighter_is_more_energy(less: dict[str, Any], more: dict[str, Any]) -> None:
    assert described(**less).energy < described().energy < described(**more).energy


@pytest.mark.parametrize(
    ("changes", "mood"),
    [
        ({"bpm": 70.0}, "melancholic"),
        ({"bpm": 140.0}, "tense"),
        ({"bpm": 70.0, "key": "C major"}, "mellow"),
        ({"bpm": 140.0, "key": "C major"}, "uplifting"),
        ({"brightness": 20.0}, "dark"),
    ],
)
def test_moods_follow_mode_tempo_and_colour(changes: dict[str, Any], mood: str) -> None:
    assert mood in described(**changes).moods


@pytest.mark.parametrize(
    ("changes", "texture"),
    [
        ({"noisiness": 80.0, "brightness": 80.0}, "crisp"),
        ({"noisiness": 80.0, "brightness": 30.0}, "gritty"),
        ({"attack_ms": 200.0, "brightness": 30.0}, "smooth"),
        ({"attack_ms": 2.0, "brightness": 30.0}, "punchy"),
        ({"brightness": 20.0}, "warm"),
    ],
)
def test_texture_follows_noise_attack_and_brightness(changes: dict[str, Any], texture: str) -> None:
    assert described(**changes).texture == texture


@pytest.mark.parametrize(
    ("changes", "use"),
    [
        ({"kind": "one-shot", "sound": "snare"}, "snare pad"),
        ({"kind": "one-shot"}, "one-shot pad"),
        ({"key": None}, "drum loop to chop"),
        ({"duration_s": 90.0}, "source to sample from"),
        ({}, "melodic loop to layer"),
    ],
)
def test_the_suggested_use_follows_kind_and_length(changes: dict[str, Any], use: str) -> None:
    assert described(**changes).use == use


def test_every_field_names_the_figures_it_rests_on() -> None:
    because = described().because
    assert because["energy"] == "loudness -20.0 dB, 3.3 onsets a second, brightness 50"
    assert because["moods"].startswith("100 BPM, A minor")
    assert set(because) == {"moods", "energy", "texture", "use"}


def test_a_sound_of_which_little_is_known_is_described_too() -> None:
    nothing = dict.fromkeys(MIDDLE) | {"kind": "one-shot", "duration_s": 0.0}
    found = vibe.describe(nothing)
    assert found.moods
    assert 0 <= found.energy <= 100
