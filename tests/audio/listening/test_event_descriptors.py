"""Event descriptors tell what repeats from what only goes on or only moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio.listening.event_descriptors import compute_event_descriptors, self_correlation
from app.audio.listening.front_end_features import extract_features
from tests.audio.synthetic_music import RATE, beat

HIGH_PEAKS, LOW_REPEAT, TREND, HALVES = 3, 7, 13, 17


def measure(y: np.ndarray) -> np.ndarray:
    return compute_event_descriptors(extract_features(y, RATE).front_end)


def hiss(seconds: float, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(int(seconds * RATE))


@pytest.mark.parametrize("bpm", [72, 96, 140])
def test_a_beat_agrees_with_itself_later_and_noise_does_not(bpm: float) -> None:
    assert measure(beat(bpm, 2))[LOW_REPEAT] > 0.5 > 0.3 > measure(hiss(8))[LOW_REPEAT]


def test_onsets_of_a_beat_stand_out_and_those_of_noise_do_not() -> None:
    assert measure(beat(96, 2))[HIGH_PEAKS] > 1 > measure(hiss(5))[HIGH_PEAKS]


def test_a_riser_moves_one_way_and_backwards_the_other() -> None:
    rise = hiss(6) * np.linspace(0, 1, 6 * RATE) ** 2
    assert measure(rise)[TREND] > 0.5
    assert measure(rise[::-1])[TREND] < -0.5
    assert abs(measure(hiss(6))[TREND]) < 0.5


def test_two_different_halves_agree_less_than_two_equal_ones() -> None:
    tone = np.sin(2 * np.pi * 200 * np.arange(2 * RATE) / RATE)
    high = np.sin(2 * np.pi * 3000 * np.arange(2 * RATE) / RATE)
    assert measure(np.concatenate([tone, high]))[HALVES] < measure(np.concatenate([tone, tone]))[HALVES]


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.floats(0.3, 6.0), st.floats(0.001, 8.0))
def test_numbers_are_finite_and_do_not_depend_on_the_gain(seconds: float, gain: float) -> None:
    y = hiss(seconds)
    assert np.isfinite(measure(y)).all()
    assert measure(gain * y) == pytest.approx(measure(y), abs=2e-2)


@pytest.mark.parametrize("size", [1, 2, 60, 500])
def test_very_short_sounds_have_the_same_numbers_of_descriptors(size: int) -> None:
    found = measure(hiss(1)[:size])
    assert found.shape == (19,)
    assert np.isfinite(found).all()


def test_the_correlation_with_itself_is_one_at_the_period() -> None:
    row = np.tile(np.random.default_rng(2).random(50), 8)[None]
    course = self_correlation(row)
    assert course[50 - 18] == pytest.approx(1, abs=1e-6)
    assert np.argmax(course) in (50 - 18, 100 - 18, 150 - 18, 200 - 18)
