"""Kind and class of synthetic sounds, by the classifier alone."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio.estimation.sound_classifier import (
    MIN_BEAT_EVIDENCE,
    SoundClass,
    attack_ms,
    class_probabilities,
    classify_sound,
    sound_probabilities,
)
from app.audio.estimation.tempo_estimator import estimate_tempo
from app.audio.listening.front_end_features import extract_features
from app.music.sound_classes import DRUMS, LOOP, LOOP_SOUNDS, ONE_SHOT, ONE_SHOT_SOUNDS
from tests.audio.synthetic_music import RATE, beat, chords, hit, tone


def classified(y: np.ndarray, rate: int = RATE) -> SoundClass:
    features = extract_features(y, rate)
    return classify_sound(features, estimate_tempo(features).confidence)


@pytest.mark.parametrize("y", [beat(96, 2), beat(140, 4), chords([(60, True), (65, True)] * 2)])
def test_bars_of_music_are_a_loop(y: np.ndarray) -> None:
    assert classified(y).kind == LOOP


@pytest.mark.parametrize("y", [hit("kick"), hit("snare"), hit("hat"), tone(57, 1.0), tone(40, 0.3)])
def test_one_sound_is_a_one_shot(y: np.ndarray) -> None:
    assert classified(y).kind == ONE_SHOT


@pytest.mark.parametrize(("kind", "sound"), [("kick", "kick"), ("snare", "snare"), ("hat", "closed hat")])
def test_a_hit_has_its_class(kind: str, sound: str) -> None:
    assert classified(hit(kind)).sound == sound


def test_a_note_is_no_drum() -> None:
    assert classified(tone(57, 1.5)).sound not in DRUMS


def test_class_probabilities_sum_to_one() -> None:
    chances = sound_probabilities(extract_features(hit("snare"), RATE).descriptors)
    assert chances.shape == (len(ONE_SHOT_SOUNDS),)
    assert chances.sum() == pytest.approx(1, abs=1e-6)


def test_class_probabilities_of_a_loop_sum_to_one() -> None:
    chances = class_probabilities("loop", extract_features(beat(96, 2), RATE).descriptors)
    assert chances.shape == (len(LOOP_SOUNDS),)
    assert chances.sum() == pytest.approx(1, abs=1e-6)


def test_silence_is_a_one_shot_of_no_class() -> None:
    found = classified(np.zeros(RATE))
    assert (found.kind, found.sound, found.kind_confidence) == (ONE_SHOT, None, 0.0)


@pytest.mark.parametrize("size", [1, 2, 63, 300, 4_000])
def test_very_short_sounds_are_one_shots(size: int) -> None:
    y = np.random.default_rng(3).standard_normal(size)
    assert classified(y).kind == ONE_SHOT


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.sampled_from(["kick", "snare", "hat"]), st.floats(0.02, 4.0), st.booleans())
def test_gain_and_polarity_do_not_change_kind_or_class(kind: str, gain: float, flip: bool) -> None:
    y = hit(kind)
    other = y * (-gain if flip else gain)
    plain, changed = classified(y), classified(np.stack([other, other], axis=1))
    assert (changed.kind, changed.sound) == (plain.kind, plain.sound)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.sampled_from(["kick", "snare", "hat"]), st.floats(0, 0.3))
def test_silence_in_front_keeps_the_kind_and_at_most_swaps_the_two_likeliest_classes(
    kind: str, wait_s: float
) -> None:
    y = hit(kind)
    plain, changed = classified(y), classified(np.concatenate([np.zeros(int(wait_s * RATE)), y]))
    assert changed.kind == plain.kind
    assert changed.sound in [name for name, _ in plain.sound_candidates[:2]]


@pytest.mark.parametrize("rate", [22_050, 48_000, 96_000])
def test_sample_rate_does_not_change_kind(rate: int) -> None:
    assert classified(soxr.resample(beat(120, 2), RATE, rate), rate).kind == LOOP
    assert classified(soxr.resample(hit("kick"), RATE, rate), rate).kind == ONE_SHOT


def test_a_slow_attack_is_longer() -> None:
    slow = tone(57, 1.0) * np.minimum(np.arange(RATE) / (0.2 * RATE), 1)
    assert attack_ms(extract_features(hit("hat"), RATE)) < 10
    assert 60 < attack_ms(extract_features(slow, RATE)) < 250


def test_a_beat_that_neither_the_sound_nor_its_tempo_is_sure_of_makes_no_loop() -> None:
    features = extract_features(beat(96, 2), RATE)
    sure = classify_sound(features, 1.0)
    assert sure.kind == LOOP
    assert sure.kind_confidence < MIN_BEAT_EVIDENCE  # so that this beat is doubtful without a tempo
    doubtful = classify_sound(features, 0.0)
    assert doubtful.kind != LOOP
    assert doubtful.kind_confidence < 1
