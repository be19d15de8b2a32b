"""A file name settles an unsure detection, and never overrides a sure one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.audio.acid_chunk import StatedTempo
from app.audio.estimation.combine_evidence import add_stated_tempo, combine_bpm, combine_key, combine_kind
from app.audio.estimation.file_name_parser import NameEvidence
from app.audio.estimation.key_estimator import KeyEstimate
from app.audio.estimation.sound_classifier import SoundClass
from app.audio.estimation.tempo_estimator import NO_TEMPO, TempoEstimate

NO_FACTS = NameEvidence(bpm=None, bpm_marked=False, key=None, kind=None, sound=None)
SURE, UNSURE = 0.9, 0.5


def tempo(bpm: float, confidence: float) -> TempoEstimate:
    return TempoEstimate(bpm, confidence, ((bpm, confidence), (117.0, 0.1)))


def key(name: str, confidence: float) -> KeyEstimate:
    return KeyEstimate(name, confidence, ((name, confidence),), 0.0)


@pytest.mark.parametrize(("confidence", "kind"), [(SURE, "one-shot"), (UNSURE, "loop")])
def test_a_name_settles_an_unsure_kind(confidence: float, kind: str) -> None:
    detected = SoundClass("one-shot", confidence, None, 0.0)
    assert combine_kind(detected, replace(NO_FACTS, kind="loop"), 2.0).kind == kind


@pytest.mark.parametrize(("confidence", "sound"), [(SURE, "tom"), (UNSURE, "kick")])
def test_a_name_settles_an_unsure_class(confidence: float, sound: str) -> None:
    detected = SoundClass("one-shot", SURE, "tom", confidence)
    assert combine_kind(detected, replace(NO_FACTS, sound="kick"), 0.3).sound == sound


@pytest.mark.parametrize(
    ("bpm", "marked", "duration_s", "kind"),
    [(120.0, True, 3.3, "loop"), (120.0, False, 4.0, "loop"), (120.0, False, 3.3, "one-shot")],
)
def test_a_tempo_in_the_name_implies_a_loop_when_it_is_marked_or_fits(
    bpm: float, marked: bool, duration_s: float, kind: str
) -> None:
    detected = SoundClass("one-shot", UNSURE, None, 0.0)
    name = replace(NO_FACTS, bpm=bpm, bpm_marked=marked)
    assert combine_kind(detected, name, duration_s).kind == kind


@pytest.mark.parametrize(
    ("detected", "named", "bpm", "source"),
    [
        (tempo(93.02, UNSURE), 93.0, 93.02, "detected"),
        (tempo(93.0, UNSURE), 117.0, 117.0, "file name"),
        (tempo(93.0, SURE), 117.0, 93.0, "detected"),
        (tempo(93.0, SURE), 186.0, 186.0, "file name"),
        (NO_TEMPO, 93.0, 93.0, "file name"),
        (tempo(93.0, UNSURE), None, 93.0, "detected"),
    ],
    ids=["confirmed", "unsure", "sure", "octave", "none detected", "no name"],
)
def test_the_tempo_follows_the_name_unless_another_is_sure(
    detected: TempoEstimate, named: float | None, bpm: float, source: str
) -> None:
    verdict, _ = combine_bpm(detected, replace(NO_FACTS, bpm=named), "loop")
    assert (verdict.value, verdict.source) == (bpm, source)


@pytest.mark.parametrize(("marked", "bpm"), [(False, 100.0), (True, 200.0)])
def test_a_number_as_fast_as_200_doubles_a_sure_tempo_only_when_it_is_marked(
    marked: bool, bpm: float
) -> None:
    name = replace(NO_FACTS, bpm=200.0, bpm_marked=marked)
    assert combine_bpm(tempo(100.0, SURE), name, "loop")[0].value == bpm
    assert combine_bpm(tempo(100.0, UNSURE), name, "loop")[0].value == 200.0


def test_a_one_shot_has_no_tempo() -> None:
    verdict, warnings = combine_bpm(tempo(93.0, SURE), replace(NO_FACTS, bpm=93.0), "one-shot")
    assert (verdict.value, verdict.source, warnings) == (None, None, [])


def test_the_owner_is_warned_when_name_and_sound_disagree() -> None:
    _, warnings = combine_bpm(tempo(93.0, SURE), replace(NO_FACTS, bpm=117.0), "loop")
    assert warnings == ["The file name says 117 BPM; we hear 93.0."]
    _, warnings = combine_key(key("C minor", SURE), replace(NO_FACTS, key="F# major"))
    assert warnings == ["The file name says F# major; we hear C minor."]


@pytest.mark.parametrize(
    ("confidence", "value", "source"), [(SURE, "C minor", "detected"), (UNSURE, "D major", "file name")]
)
def test_a_name_settles_an_unsure_key(confidence: float, value: str, source: str) -> None:
    verdict, _ = combine_key(key("C minor", confidence), replace(NO_FACTS, key="D major"))
    assert (verdict.value, verdict.source) == (value, source)


def test_agreement_raises_the_confidence() -> None:
    verdict, _ = combine_key(key("C minor", UNSURE), replace(NO_FACTS, key="C minor"))
    assert verdict.confidence > SURE


@pytest.mark.parametrize(
    ("name", "duration_s", "bpm", "source"),
    [
        (NO_FACTS, 4.8, 100.0, "file header"),
        (replace(NO_FACTS, bpm=80.0), 4.8, 100.0, "file header"),
        (replace(NO_FACTS, bpm=80.0, bpm_marked=True), 4.8, 80.0, "file name"),
        (NO_FACTS, 4.7, None, "file name"),
    ],
    ids=["stated", "a bare number", "a marked number", "cut since then"],
)
def test_a_tempo_that_the_file_states_counts_like_a_marked_one_if_the_length_fits(
    name: NameEvidence, duration_s: float, bpm: float | None, source: str
) -> None:
    found = add_stated_tempo(name, StatedTempo(100.0, 8), duration_s)
    assert (found.bpm, found.bpm_source) == (bpm, source)


def test_a_sure_tempo_beside_another_that_the_file_states_is_kept_with_a_warning() -> None:
    stated = add_stated_tempo(NO_FACTS, StatedTempo(100.0, 8), 4.8)
    verdict, warnings = combine_bpm(tempo(117.0, SURE), stated, "loop")
    assert (verdict.value, warnings) == (117.0, ["The file header says 100 BPM; we hear 117.0."])
    assert combine_bpm(tempo(117.0, UNSURE), stated, "loop")[0].source == "file header"
