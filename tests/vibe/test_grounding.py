"""Grounding: each planted contradiction is caught, and true statements pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.audio.file_report import measure_file
from app.audio.result import Analysis
from app.vibe import grounding, rules_describer
from app.vibe.vibe_schema import SoundVibe
from tests.support import chord, drum_loop, kick, noise, tone, wav


def swelling_pad() -> bytes:
    t = np.arange(4 * 44100) / 44100
    return wav(0.3 * np.minimum(t / 2, 1) * np.sin(2 * np.pi * 220 * t))


MADE = {
    "slow break": lambda: drum_loop(70),
    "fast break": lambda: drum_loop(172, 16),
    "kick": kick,
    "hiss": lambda: wav(0.5 * noise(2.0)),
    "ping": lambda: wav(0.4 * tone(7000, 0.4, 12)),
    "chord": chord,
    "quiet chord": lambda: wav(0.004 * tone(220, 3.0, 0.1)),
    "swelling pad": swelling_pad,
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Analysis]:
    folder = tmp_path_factory.mktemp("made")
    found = {}
    for name, make in MADE.items():
        path = folder / "sound.wav"  # a name that says nothing
        path.write_bytes(make())
        found[name] = Analysis.from_dict(measure_file(Path(path)))
    return found


TRUE = [
    ("slow break", "A slow, heavy break at 70 BPM."),
    ("slow break", "A drum loop that is anything but fast, not fast at all."),
    ("fast break", "A fast break at 172 BPM with bright hats."),
    ("kick", "A dark, punchy one-shot with a short tail."),
    ("kick", "A clean low kick, not bright."),
    ("hiss", "A noisy, bright wash."),
    ("ping", "A bright and clean ping."),
    ("chord", "A clean chord in C minor."),
    ("chord", "A minor triad that rings on."),
    ("chord", "A voicing in B sharp minor."),
    ("chord", "A clean voicing in a minor key."),
    ("quiet chord", "A quiet, clean note."),
    ("swelling pad", "A soft-edged swelling tone, clean and long."),
]
PLANTED = [
    ("slow break", "A fast loop with energy.", "70 BPM"),
    ("slow break", "A groove at 140 BPM.", "70 BPM"),
    ("slow break", "A drum loop in A minor.", "no key"),
    ("slow break", "A tight one-shot.", "loop"),
    ("chord", "A voicing in Eb minor.", "C minor"),
    ("fast break", "A slow groove.", "172 BPM"),
    ("fast break", "A lazy beat at 90 bpm.", "172 BPM"),
    ("kick", "A bright click.", "brightness"),
    ("kick", "A noisy hit.", "noisiness"),
    ("kick", "A loop of kicks.", "one-shot"),
    ("hiss", "A dark drone.", "brightness"),
    ("hiss", "A pure tone.", "noisiness"),
    ("ping", "A muffled thud.", "brightness"),
    ("chord", "A bright stab.", "brightness"),
    ("chord", "A chord in C major.", "C minor"),
    ("chord", "Distorted keys.", "noisiness"),
    ("quiet chord", "A loud note.", "loudness"),
    ("swelling pad", "A punchy hit.", "attack"),
]


@pytest.mark.parametrize(("name", "text"), TRUE)
def test_a_true_sentence_passes(files: dict[str, Analysis], name: str, text: str) -> None:
    assert grounding.find_contradictions(text, files[name]) == []


@pytest.mark.parametrize(("name", "text", "figure"), PLANTED)
def test_a_planted_contradiction_is_caught_with_the_figure(
    files: dict[str, Analysis], name: str, text: str, figure: str
) -> None:
    [fault] = grounding.find_contradictions(text, files[name])
    assert figure in fault


@pytest.mark.parametrize("name", list(MADE))
def test_a_vibe_by_rules_contradicts_nothing(files: dict[str, Analysis], name: str) -> None:
    by_rules = rules_describer.vibe_by_rules(files[name])
    assert grounding.correct_vibe(by_rules, by_rules, files[name]) == (by_rules, [])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("slow break", {"description": "A fast loop."}),
        ("slow break", {"tags": ["fast", "dusty"]}),
        ("slow break", {"use": "hit to play"}),
        ("kick", {"role": "loop"}),
        ("kick", {"texture": "harsh"}),
        ("swelling pad", {"texture": "punchy"}),
        ("quiet chord", {"energy": 95}),
        ("hiss", {"tags": ["dark"]}),
    ],
)
def test_a_planted_field_is_corrected_and_listed(
    files: dict[str, Analysis], name: str, change: dict[str, Any]
) -> None:
    by_rules = rules_describer.vibe_by_rules(files[name])
    planted = SoundVibe.model_validate(by_rules.model_dump() | change)
    right, faults = grounding.correct_vibe(planted, by_rules, files[name])
    assert len(faults) == 1
    [field] = change
    assert getattr(right, field) != change[field]
    kept = set(SoundVibe.model_fields) - {field}
    assert right.model_dump(include=kept) == by_rules.model_dump(include=kept)


@pytest.mark.parametrize(
    ("sound", "confidence", "role"),
    [("kick", 0.9, "kick"), ("hi-hat", 0.8, "hi-hat"), ("kick", 0.79, "vocal"), ("bass", 0.9, "vocal")],
)
def test_a_sure_drum_sings_nothing(
    files: dict[str, Analysis], sound: str, confidence: float, role: str
) -> None:
    measured = replace(files["kick"], sound=sound, sound_confidence=confidence)
    by_rules = rules_describer.vibe_by_rules(measured)
    planted = by_rules.model_copy(update={"role": "vocal"})
    right, faults = grounding.correct_vibe(planted, by_rules, measured)
    assert right.role == role
    assert len(faults) == (role != "vocal")


@pytest.mark.parametrize(
    ("name", "moods", "left"),
    [
        ("kick", ["driving"], []),
        ("slow break", ["hypnotic"], []),
        ("fast break", ["driving", "sleepy"], ["driving"]),
    ],
)
def test_a_mood_stays_only_where_the_measurement_points_to_one(
    files: dict[str, Analysis], name: str, moods: list[str], left: list[str]
) -> None:
    measured = replace(files[name], bpm_confidence=1.0, kind_confidence=1.0)
    by_rules = rules_describer.vibe_by_rules(measured)
    planted = by_rules.model_copy(update={"moods": moods})
    right, faults = grounding.correct_vibe(planted, by_rules, measured)
    assert right.moods == left
    assert [mood for mood in moods if any(f"“{mood}”" in fault for fault in faults)] == moods[len(left) :]


@pytest.mark.parametrize(
    ("name", "word", "figure"),
    [
        ("kick", "crisp", "brightness"),
        ("kick", "long", "falls 20 dB"),
        ("kick", "noisy", "noisiness"),
        ("kick", "rising", "one-shot"),
        ("slow break", "punchy", "loop"),
    ],
)
def test_a_planted_character_is_replaced_and_listed(
    files: dict[str, Analysis], name: str, word: str, figure: str
) -> None:
    by_rules = rules_describer.vibe_by_rules(files[name])
    planted = by_rules.model_copy(update={"character": [word]})
    right, [fault] = grounding.correct_vibe(planted, by_rules, files[name])
    assert right.character == by_rules.character
    assert f"“{word}”" in fault
    assert figure in fault


def test_a_right_word_of_a_model_stays_without_those_of_the_rules(files: dict[str, Analysis]) -> None:
    by_rules = rules_describer.vibe_by_rules(files["kick"])
    assert len(by_rules.character) > 1
    fewer = by_rules.model_copy(update={"character": by_rules.character[:1]})
    assert grounding.correct_vibe(fewer, by_rules, files["kick"]) == (fewer, [])
