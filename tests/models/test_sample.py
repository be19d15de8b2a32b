"""Corrections override what was found, outlive it, and can be taken back one by one."""

from __future__ import annotations

from typing import Any

import pytest

from app.models import AudioFeatures, Job, Sample
from app.upload.upload_purpose import build_sample
from tests.measurements import loop_measurement

MEASURED: dict[str, Any] = {
    "duration_s": 2.0, "bpm": 90.0, "key_source": "file name", "loudness_db": -14.0, "brightness": 40.0,
    "noisiness": 20.0,
}  # fmt: skip
DESCRIBED = {
    "moods": ["dark"], "energy": 40, "texture": "warm", "use": "drum loop to chop", "tags": ["slow"],
    "source": "acme/words",
}  # fmt: skip


@pytest.fixture
def sample() -> Sample:
    job = Job(id="1", user_id="2", filename="Loop.wav", format="WAV", size_bytes=1, content_sha256="")
    job.incoming_key = "incoming/2/1.wav"
    return build_sample(job, loop_measurement(**MEASURED), DESCRIBED)


def measured_anew(sample: Sample, **changes: Any) -> None:
    measured = loop_measurement(**(MEASURED | changes)).to_dict()
    sample.measure(AudioFeatures(measured=measured, peaks=bytes(800)), bytes(64))


def test_a_correction_is_in_force_and_found_by_a_search(sample: Sample) -> None:
    sample.correct(kind="one-shot", sound="tom", bpm=None, moods=["sunny"], texture="airy")
    assert (sample.kind, sample.sound, sample.bpm, sample.bpm_source) == ("one-shot", "tom", None, "user")
    assert (sample.key, sample.key_source) == ("A minor", "file name")
    assert (sample.vibe["moods"], sample.vibe["texture"], sample.vibe["energy"]) == (["sunny"], "airy", 40)
    lines = sample.search_text.splitlines()
    assert {"sunny", "airy", "tom"} <= set(lines)
    assert not {"dark", "warm"} & set(lines)


def test_a_value_equal_to_what_was_found_is_no_correction(sample: Sample) -> None:
    sample.correct(bpm=180.0, moods=["sunny"])
    sample.correct(bpm=90.0, key="A minor", moods=["dark"], energy=40)
    assert (sample.corrections, sample.bpm_source, sample.vibe) == ({}, "detected", DESCRIBED)


def test_corrections_outlive_a_new_measurement_and_a_new_description(sample: Sample) -> None:
    sample.correct(bpm=180.0, sound="kick", energy=90)
    measured_anew(sample, bpm=91.0, key="C major", key_source="detected", kind="one-shot", duration_s=2.5)
    sample.describe(DESCRIBED | {"energy": 10, "moods": ["bleak"]})
    assert (sample.bpm, sample.sound, sample.vibe["energy"]) == (180.0, "kick", 90)
    assert (sample.key, sample.kind, sample.duration_s) == ("C major", "one-shot", 2.5)
    assert sample.vibe["moods"] == ["bleak"]
    assert "bleak" in sample.search_text


def test_corrections_are_taken_back_one_by_one_or_all(sample: Sample) -> None:
    sample.correct(bpm=180.0, key=None, energy=90, tags=["mine"])
    measured_anew(sample, bpm=91.0)
    sample.revert("bpm", "energy")
    assert (sample.bpm, sample.bpm_source, sample.vibe["energy"]) == (91.0, "detected", 40)
    assert sample.corrections == {"key": None, "tags": ["mine"]}
    sample.revert()
    assert (sample.key, sample.key_source, sample.vibe["tags"]) == ("A minor", "file name", ["slow"])


def test_a_correction_changes_a_description_by_rules_but_not_a_models(sample: Sample) -> None:
    sample.describe_by_rules()
    by_rules = sample.described
    sample.correct(bpm=60.0, kind="one-shot", sound="pad")
    assert sample.vibe["description"].endswith("pad at 60 BPM in A minor.")
    assert (sample.vibe["role"], sample.vibe["use"]) == ("texture", "bed to hold")
    assert sample.described["figures"] == {"kind": "one-shot", "sound": "pad", "bpm": 60.0, "key": "A minor"}
    sample.correct(description="Mine.")
    sample.revert("bpm", "kind", "sound")
    assert (sample.described, sample.vibe["description"]) == (by_rules, "Mine.")
    sample.describe(DESCRIBED)
    sample.correct(bpm=60.0)
    measured_anew(sample, kind="one-shot")
    assert sample.described == DESCRIBED


def test_a_corrected_word_stays_when_rules_come_to_say_another(sample: Sample) -> None:
    sample.describe_by_rules()
    sample.correct(kind="one-shot", sound="kick")
    assert sample.vibe["role"] == "kick"
    sample.correct(sound="tom", role="kick")
    assert (sample.sound, sample.described["role"], sample.vibe["role"]) == ("tom", "percussion", "kick")
    assert sample.corrections == {"kind": "one-shot", "sound": "tom", "role": "kick"}


def test_a_sample_without_a_description_can_be_corrected(sample: Sample) -> None:
    sample.describe({})
    assert sample.vibe == {}
    sample.correct(moods=["sunny"])
    assert sample.vibe == {"moods": ["sunny"]}
    sample.revert("moods")
    assert sample.vibe == {}
