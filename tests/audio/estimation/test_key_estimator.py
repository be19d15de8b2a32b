"""Key and note of synthetic sounds, by the estimator alone: keys exact, notes within 5 cents."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio.estimation import key_estimator
from app.audio.listening.front_end_features import extract_features
from app.music.pitch_names import PITCH_NAMES, note_name
from tests.audio.synthetic_music import RATE, beat, chords, hit, pink, tone

C_MINOR = [(60, True), (65, True), (67, True), (60, True)]
C_MAJOR = [(60, False), (65, False), (67, False), (60, False)]


def estimated_key(y: np.ndarray, rate: int = RATE) -> str | None:
    return key_estimator.estimate_key(extract_features(y, rate)).name


def test_a_c_minor_triad_is_c_minor() -> None:
    assert estimated_key(chords([(60, True)], 3.0)) == "C minor"


@pytest.mark.parametrize(("roots", "name"), [(C_MINOR, "C minor"), (C_MAJOR, "C major")])
def test_a_cadence_has_its_key(roots: list[tuple[int, bool]], name: str) -> None:
    assert estimated_key(chords(roots)) == name


@settings(max_examples=11, deadline=None, derandomize=True)
@given(st.integers(-5, 6))
def test_shifting_by_semitones_moves_the_key(semitones: int) -> None:
    y = chords([(r + semitones, m) for r, m in C_MINOR])
    assert estimated_key(y) == f"{PITCH_NAMES[semitones % 12]} minor"


@settings(max_examples=6, deadline=None, derandomize=True)
@given(st.floats(-40, 40))
def test_tuning_is_measured_within_6_cents_and_does_not_move_the_key(cents: float) -> None:
    y = chords([(60, False), (65, False), (67, False), (60, False)])
    moved = np.interp(np.arange(0, y.size - 1, 2 ** (cents / 1200)), np.arange(y.size), y)
    found = key_estimator.estimate_key(extract_features(moved, RATE))
    assert found.name == "C major"
    assert found.tuning_cents == pytest.approx(cents, abs=6)


@settings(max_examples=6, deadline=None, derandomize=True)
@given(st.floats(0.02, 4.0), st.booleans(), st.floats(0, 0.4))
def test_gain_polarity_channels_and_silence_do_not_matter(gain: float, flip: bool, silence_s: float) -> None:
    y = np.concatenate([np.zeros(int(silence_s * RATE)), chords(C_MAJOR)])
    assert estimated_key(np.stack([y, y], axis=1) * (-gain if flip else gain)) == "C major"


@pytest.mark.parametrize("rate", [22_050, 48_000, 96_000])
def test_sample_rate_does_not_matter(rate: int) -> None:
    assert estimated_key(soxr.resample(chords(C_MINOR), RATE, rate), rate) == "C minor"


def test_a_drum_loop_has_no_key() -> None:
    assert estimated_key(beat(110, 4)) is None


def test_pink_noise_and_silence_have_neither_key_nor_note() -> None:
    for y in (pink(3), np.zeros(RATE)):
        found = key_estimator.estimate_key(extract_features(y, RATE), one_shot=True)
        assert (found.name, found.note) == (None, None)


def test_a_hat_has_no_note() -> None:
    assert key_estimator.estimate_key(extract_features(hit("hat"), RATE), one_shot=True).note is None


@pytest.mark.parametrize("midi", [31, 45, 57, 60, 69, 81])
def test_a_note_is_named_within_5_cents(midi: int) -> None:
    found = key_estimator.estimate_key(extract_features(tone(midi + 0.17, 0.8), RATE), one_shot=True)
    assert found.note == note_name(midi)
    assert found.note_cents == pytest.approx(17, abs=5)


@pytest.mark.parametrize(("third", "name"), [(3, "E minor"), (4, "E major")])
def test_a_ringing_chord_has_a_key_and_a_single_note_has_none(third: int, name: str) -> None:
    chord = sum(tone(52 + step, 3.0) for step in (0, 7, 12, 12 + third, 19))
    found = key_estimator.estimate_key(extract_features(np.asarray(chord), RATE), one_shot=True)
    assert (found.name, found.note) == (name, None)
    found = key_estimator.estimate_key(extract_features(tone(52, 3.0), RATE), one_shot=True)
    assert (found.name, found.note) == (None, "E3")


def test_confidences_fall_and_sum_to_at_most_one() -> None:
    found = key_estimator.estimate_key(extract_features(chords(C_MAJOR), RATE)).candidates
    shares = [c for _, c in found]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1.001


def test_a_loop_that_stays_on_one_note_has_its_note_beside_a_key() -> None:
    found = key_estimator.estimate_key(extract_features(tone(57, 4.0), RATE))
    assert found.note == "A3"
    assert found.name is not None
    assert key_estimator.estimate_key(extract_features(chords(C_MAJOR), RATE)).note is None
    assert key_estimator.estimate_key(extract_features(beat(110, 4), RATE)).note is None


def test_a_low_short_note_is_named_though_its_harmonics_run_into_each_other() -> None:
    assert key_estimator.estimate_key(extract_features(tone(28, 0.25), RATE), one_shot=True).note == "E1"
