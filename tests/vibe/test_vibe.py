"""The rules describer: every field follows the measurement, in the right direction, and names its figures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.audio.file_report import measure_file
from app.audio.result import Analysis
from app.integrations.openrouter.conversation import request_schema
from app.music.sound_classes import SOUNDS
from app.vibe import moods, rules_describer
from app.vibe.feature_text import decay_s, describe_features
from app.vibe.sound_description import describe_by_rules
from app.vibe.vibe_prompt import build_messages
from app.vibe.vibe_schema import SoundVibe, answer_model
from app.vibe.vocabulary import FEATURES, HIT_CHARACTERS, MOODS, TEXTURE_CHARACTERS
from tests.measurements import LOOP, loop_analysis
from tests.support import drum_loop, noise, tone, wav


def described(**changes: Any) -> SoundVibe:
    return describe_by_rules(loop_analysis(**changes)).vibe


def describe_file(tmp_path: Path, samples: np.ndarray[Any, Any] | bytes) -> SoundVibe:
    """Write a sound to a file, then decode, analyse and describe it."""
    path = tmp_path / "sound.wav"
    path.write_bytes(samples if isinstance(samples, bytes) else wav(samples))
    return describe_by_rules(Analysis.from_dict(measure_file(path))).vibe


def test_a_brighter_variant_of_a_sound_is_tagged_bright(tmp_path: Path) -> None:
    low, high = (describe_file(tmp_path, 0.5 * tone(hz, 1.0, 3)) for hz in (80, 6000))
    assert ("dark" in low.tags, "bright" in low.tags) == (True, False)
    assert ("dark" in high.tags, "bright" in high.tags) == (False, True)
    assert low.energy < high.energy


def test_a_louder_variant_has_more_energy(tmp_path: Path) -> None:
    levels = [describe_file(tmp_path, gain * tone(220, 1.0, 3)).energy for gain in (0.02, 0.2, 0.9)]
    assert levels == sorted(set(levels))


def test_a_faster_variant_has_more_energy_and_other_tags(tmp_path: Path) -> None:
    slow, fast = (describe_file(tmp_path, drum_loop(bpm)) for bpm in (70, 140))
    assert slow.energy < fast.energy
    assert ("slow" in slow.tags, "fast" in slow.tags) == (True, False)
    assert ("slow" in fast.tags, "fast" in fast.tags) == (False, True)


def test_a_noisier_variant_is_tagged_noisy_and_has_a_rougher_texture(tmp_path: Path) -> None:
    clean, rough = (
        describe_file(tmp_path, 0.4 * ((1 - mix) * tone(220, 1.0, 3) + mix * noise(1.0, 3)))
        for mix in (0.0, 1.0)
    )
    assert "clean" in clean.tags
    assert "noisy" in rough.tags
    assert rough.texture in {"crisp", "gritty"}
    assert clean.texture not in {"crisp", "gritty"}


def test_a_longer_decay_changes_the_tag_from_short_to_ringing(tmp_path: Path) -> None:
    short, long = (describe_file(tmp_path, 0.8 * tone(220, 4.0, decay)) for decay in (18, 1))
    assert ("short" in short.tags, "ringing" in short.tags) == (True, False)
    assert ("short" in long.tags, "ringing" in long.tags) == (False, True)


QUIET = loop_analysis(loudness_db=-36.0, onsets=(), brightness=0.0, noisiness=0.0, key=None, bpm=None)


@pytest.mark.parametrize(
    ("changes", "share"),
    [
        ({}, 0),
        ({"loudness_db": -6.0}, 45),
        ({"duration_s": 1.0, "onsets": ((0.1, 1.0),) * 8}, 35),
        ({"brightness": 100.0}, 20),
        ({"loudness_db": -21.0}, 22),
        ({"duration_s": 1.0, "onsets": ((0.1, 1.0),) * 4}, 18),
        ({"brightness": 50.0}, 10),
    ],
)
def test_energy_is_45_percent_loudness_35_percent_onsets_and_20_percent_brightness(
    changes: dict[str, Any], share: int
) -> None:
    assert moods.energy_level(replace(QUIET, **changes)) == share


@pytest.mark.parametrize(
    ("changes", "valence"),
    [
        ({}, 0.0),
        ({"key": "C major"}, 5.0),
        ({"key": "C minor"}, -5.0),
        ({"bpm": 170.0}, 1.5),
        ({"bpm": 60.0}, -1.5),
        ({"brightness": 100.0}, 3.0),
        ({"brightness": 0.0}, -3.0),
        ({"noisiness": 100.0}, -4.0),
        ({"noisiness": 55.0}, 0.0),
        ({"bpm": 170.0, "brightness": 100.0, "noisiness": 100.0}, 0.5),
    ],
)
def test_valence_adds_mode_tempo_brightness_and_noisiness_by_their_weights(
    changes: dict[str, Any], valence: float
) -> None:
    middle = replace(QUIET, brightness=50.0)
    assert moods.valence_arousal(replace(middle, **changes), 50)[0] == pytest.approx(valence)


@pytest.mark.parametrize(
    ("energy", "bpm", "arousal"),
    [(50, None, 0.0), (100, None, 8.0), (0, None, -8.0), (50, 170.0, 3.0), (50, 60.0, -3.0), (75, 60.0, 1.0)],
)
def test_arousal_adds_energy_and_tempo_by_their_weights(
    energy: int, bpm: float | None, arousal: float
) -> None:
    found = moods.valence_arousal(replace(QUIET, bpm=bpm), energy)[1]
    assert found == pytest.approx(arousal)


LEVELS = st.floats(-45, -3)
SCORES = st.floats(0, 100)


@given(LEVELS, LEVELS)
def test_energy_never_falls_as_loudness_rises(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert described(loudness_db=low).energy <= described(loudness_db=high).energy


@given(SCORES, SCORES)
def test_energy_and_valence_never_fall_as_brightness_rises(a: float, b: float) -> None:
    low, high = (loop_analysis(brightness=score) for score in sorted((a, b)))
    assert moods.energy_level(low) <= moods.energy_level(high)
    assert moods.valence_arousal(low, 50)[0] <= moods.valence_arousal(high, 50)[0]


@given(st.floats(40, 200), st.floats(40, 200))
def test_arousal_never_falls_as_tempo_rises(a: float, b: float) -> None:
    slow, fast = (loop_analysis(bpm=bpm) for bpm in sorted((a, b)))
    assert moods.valence_arousal(slow, 50)[1] <= moods.valence_arousal(fast, 50)[1]


@given(SCORES, SCORES)
def test_valence_never_rises_with_noisiness(a: float, b: float) -> None:
    clean, noisy = (loop_analysis(noisiness=score) for score in sorted((a, b)))
    assert moods.valence_arousal(noisy, 50)[0] <= moods.valence_arousal(clean, 50)[0]


@given(st.floats(2, 200), st.floats(2, 200))
def test_a_slower_fall_never_gives_a_shorter_decay(a: float, b: float) -> None:
    def falling(db_per_s: float) -> Analysis:
        levels = (max(-70.0, -10 - db_per_s * 4.8 * n / 64) for n in range(64))
        return loop_analysis(loudness_course=tuple(levels))

    slow, quick = (decay_s(falling(speed)) or 99.0 for speed in sorted((a, b)))
    assert slow >= quick


@given(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["loop", "one-shot", "texture"]),
            "sound": st.sampled_from([None, *SOUNDS]),
            "key": st.none() | st.sampled_from(["C major", "F# minor"]),
            "note": st.none() | st.just("A2"),
            "bpm": st.none() | st.floats(20, 400),
            "duration_s": st.floats(0, 4000),
            "loudness_db": st.none() | st.floats(-120, 6),
            "brightness": st.none() | SCORES,
            "noisiness": st.none() | SCORES,
            "attack_ms": st.none() | st.floats(0, 5000),
            "kind_confidence": st.floats(0, 1),
        }
    )
)
def test_any_measurement_gives_a_complete_vibe(measured: dict[str, Any]) -> None:
    found = describe_by_rules(loop_analysis(**measured))
    assert SoundVibe.model_validate(found.vibe.model_dump()) == found.vibe
    assert found.vibe.confidence <= rules_describer.MAX_CONFIDENCE
    assert found.source == "local"
    assert found.calls == []


@pytest.mark.parametrize(
    ("changes", "use", "role"),
    [
        ({"kind": "one-shot", "sound": "snare", "key": None}, "hit to play", "snare"),
        ({"kind": "one-shot", "sound": "kick", "key": None, "note": "A1"}, "hit to play", "kick"),
        ({"kind": "one-shot", "sound": "bass", "note": "A2"}, "note to tune and play", "bass"),
        ({"kind": "one-shot"}, "chord to play", "chord"),
        ({"key": None}, "drum loop to chop", "loop"),
        ({"duration_s": 90.0}, "source to sample from", "loop"),
        ({}, "melodic loop to layer", "loop"),
    ],
)
def test_use_and_role_follow_kind_and_sound(changes: dict[str, Any], use: str, role: str) -> None:
    found = described(**changes)
    assert (found.use, found.role) == (use, role)


def test_every_field_names_the_figures_it_rests_on() -> None:
    because = describe_by_rules(LOOP).because
    assert because["energy"] == "loudness -20.0 dB, 3.3 onsets a second, brightness 50"
    assert because["moods"].startswith("A minor, 100 BPM")
    fields = set(SoundVibe.model_fields) - {"confidence", "rests_on"}
    assert set(because) == fields - {"character"}
    assert set(describe_by_rules(loop_analysis(kind="one-shot")).because) == fields - {"moods"}


@pytest.mark.parametrize(
    ("duration_s", "onsets", "told"),
    [
        (0.3, ((0.0, 1.0),), "1 onset"),
        (0.99, ((0.0, 1.0), (0.5, 1.0)), "2 onsets"),
        (0.3, (), "0 onsets"),
        (1.0, ((0.0, 1.0), (0.5, 1.0)), "2.0 onsets a second"),
    ],
)
def test_a_sound_shorter_than_a_second_has_an_onset_count_and_no_rate(
    duration_s: float, onsets: tuple[tuple[float, float], ...], told: str
) -> None:
    assert describe_features(loop_analysis(duration_s=duration_s, onsets=onsets), ["onsets"]) == told


def test_confidence_follows_the_confidence_of_the_measurement() -> None:
    assert described(kind_confidence=0.1).confidence < described(kind_confidence=0.9).confidence
    assert described(bpm_confidence=0.2).confidence < described(bpm_confidence=0.9).confidence


def test_the_request_carries_a_strict_schema_that_a_vibe_satisfies() -> None:
    schema = request_schema(answer_model("loop"))
    jsonschema.Draft202012Validator.check_schema(schema)
    answer = described().model_dump(exclude={"character": True, "rests_on": {"character"}})
    jsonschema.validate(answer, schema)
    for node in (schema, *schema["$defs"].values()):
        assert node["additionalProperties"] is False
        assert node["required"] == list(node["properties"])
    assert "description" in schema["properties"]  # a field may share its name with a JSON Schema keyword
    assert set(schema["$defs"]["LoopRestsOn"]["properties"]["moods"]["items"]["enum"]) == set(FEATURES)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(answer | {"moods": ["spicy"]}, schema)


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        ("loop", {"moods"}, None),
        ("one-shot", {"character"}, HIT_CHARACTERS),
        ("texture", {"moods", "character"}, TEXTURE_CHARACTERS),
    ],
)
def test_a_model_gets_only_the_words_of_the_kind(
    kind: str, fields: set[str], words: tuple[str, ...] | None
) -> None:
    schema = request_schema(answer_model(kind))
    assert {"moods", "character"} & set(schema["properties"]) == fields
    if words:
        assert tuple(schema["properties"]["character"]["items"]["enum"]) == words
    asked = build_messages(loop_analysis(kind=kind), "", [])[0]["content"]
    assert ("Moods:" in asked, "Character:" in asked) == ("moods" in fields, "character" in fields)


@pytest.mark.parametrize(
    "text", ["<b>loud</b>", "see https://x.example", "a {{ secret }}", "write me@x.example", "two\nlines"]
)
def test_a_description_is_a_plain_sentence(text: str) -> None:
    with pytest.raises(ValidationError):
        SoundVibe.model_validate(described().model_dump() | {"description": text})


def test_a_stored_description_is_plain_json() -> None:
    stored = describe_by_rules(LOOP).to_dict()
    assert json.loads(json.dumps(stored)) == stored
    assert stored["source"] == "local"


def test_there_are_about_sixty_moods_in_every_quarter_of_the_plane() -> None:
    assert 55 <= len(MOODS) <= 65
    quarters = {(pleasant > 0, excited > 0) for pleasant, excited in MOODS.values()}
    assert len(quarters) == 4
