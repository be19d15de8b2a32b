"""Slices that are moved: nothing changes at the same length, and no attack is heard twice."""

from __future__ import annotations

import numpy as np
import pytest

from app.audio.render.slice_stretch import move_slices
from tests.audio.render.sounds import RATE, hits

TIMES = [0.0, 0.25, 0.5, 0.75]
ONSETS = [round(time * RATE) for time in TIMES]


def test_the_same_length_is_the_same_sound() -> None:
    noise = np.random.default_rng(1).standard_normal((RATE, 2)).astype(np.float32)
    same = move_slices(noise, [0, 200, 12_000, 12_001, 30_000, RATE - 10], RATE, RATE)
    assert np.abs(same - noise).max() < 1e-6


@pytest.mark.parametrize("late_ms", [0, 1, 2])
def test_an_attack_is_not_heard_in_the_gap_before_it(late_ms: int) -> None:
    """An onset may be found after the attack has begun: the gap is not filled with its beginning."""
    late = late_ms * RATE // 1000
    made = move_slices(hits(TIMES, 1.0), [onset + late for onset in ONSETS[1:]], 4 * RATE // 3, RATE)
    for onset in ONSETS[1:]:
        at = round((onset + late) * 4 / 3) - late
        quiet = made[at - RATE // 12 : at]  # a hit lasts 50 ms of 333
        assert np.abs(quiet).max() < 1e-6
        assert np.abs(made[at : at + RATE // 100]).max() > 0.1


@pytest.mark.parametrize("ratio", [0.5, 0.8, 1.25, 2.0])
def test_hits_stay_as_they_were_recorded(ratio: float) -> None:
    sound = hits(TIMES, 1.0)
    made = move_slices(sound, ONSETS, round(RATE * ratio), RATE)
    for onset in ONSETS:
        at = round(onset * ratio)
        assert np.array_equal(made[at : at + RATE // 20], sound[onset : onset + RATE // 20])


@pytest.mark.parametrize("frames", [1, 2, 100])
def test_a_sound_shorter_than_the_fades_has_its_length(frames: int) -> None:
    made = move_slices(np.ones((2 * frames, 1), np.float32), [frames], frames, RATE)
    assert made.shape == (frames, 1)
    assert np.isfinite(made).all()


def test_a_cut_end_is_silent() -> None:
    made = move_slices(np.ones((RATE, 1), np.float32), [], RATE // 2, RATE)
    assert (float(made[0, 0]), float(made[RATE // 4, 0])) == (1.0, 1.0)
    assert abs(float(made[-1, 0])) < 0.02
