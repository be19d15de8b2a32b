"""Near duplicates: copies of a recording are found, other hits of the same instrument are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import soxr
from scipy import signal

from app.audio.similarity.duplicates import DUPLICATE_DISTANCE, is_same_recording, likely_duplicates
from app.audio.similarity.layout import BLOCKS, BODY, LENGTH, RHYTHM
from tests.audio.signals import RATE_HZ, Samples, column, drums, full_snare, hat, kick, noise

SOUNDS = {"kick": column(kick()), "snare": column(full_snare()), "hat": column(hat()), "loop": drums(93, 8)}
COPIES: dict[str, Callable[[Samples], Samples]] = {
    "gain": lambda y: 0.1 * y,
    "turned over": lambda y: -y,
    "stereo": lambda y: np.repeat(y, 2, axis=1),
    "30 ms lead": lambda y: np.concatenate([np.zeros((1323, 1), np.float32), y]),
    "last third cut": lambda y: y[: len(y) - len(y) // 3],
    "resampled": lambda y: soxr.resample(soxr.resample(y, RATE_HZ, 32_000), 32_000, RATE_HZ),
    "half a sample late": lambda y: soxr.resample(soxr.resample(y, 1, 2)[1:], 2, 1),
    "faint noise": lambda y: y + noise(len(y) / RATE_HZ, level=1e-4)[: len(y)],
}


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("name", SOUNDS)
def test_a_copy_is_the_same_recording(name: str, copy: str) -> None:
    sound = SOUNDS[name]
    assert is_same_recording(sound, COPIES[copy](sound), RATE_HZ)


def test_another_take_is_another_recording() -> None:
    for make in (full_snare, hat):
        assert not is_same_recording(column(make(2)), column(make(3)), RATE_HZ)


def test_a_layer_with_the_same_bass_and_another_attack_is_another_recording() -> None:
    times = np.arange(len(kick())) / RATE_HZ
    click = 0.2 * np.random.default_rng(4).standard_normal(len(times)) * np.exp(-300 * times)
    other = 0.2 * np.random.default_rng(5).standard_normal(len(times)) * np.exp(-300 * times)
    assert not is_same_recording(column(kick() + click), column(kick() + other), RATE_HZ)


def test_a_filtered_copy_is_another_recording() -> None:
    low = signal.butter(2, 1500, fs=RATE_HZ, output="sos")
    filtered = signal.sosfilt(low, SOUNDS["snare"], axis=0).astype(np.float32)
    assert not is_same_recording(SOUNDS["snare"], filtered, RATE_HZ)


def test_half_of_a_loop_is_another_recording() -> None:
    assert not is_same_recording(drums(93, 16), drums(93, 8), RATE_HZ)


def test_silence_is_a_copy_of_nothing() -> None:
    silence = np.zeros((RATE_HZ, 1), np.float32)
    assert not is_same_recording(silence, silence, RATE_HZ)
    assert not is_same_recording(silence, SOUNDS["kick"], RATE_HZ)
    assert not is_same_recording(np.zeros((0, 1), np.float32), SOUNDS["kick"], RATE_HZ)


def test_candidates_are_near_in_the_body_alone_and_nearest_first() -> None:
    others = np.zeros((4, LENGTH))
    others[0, BLOCKS[BODY].start] = 0.9 * DUPLICATE_DISTANCE
    others[1, BLOCKS[BODY].start] = 1.1 * DUPLICATE_DISTANCE
    others[2, BLOCKS[BODY].start] = 0.1 * DUPLICATE_DISTANCE
    others[3, BLOCKS[RHYTHM].start] = 5.0
    assert likely_duplicates(np.zeros(LENGTH), others).tolist() == [3, 2, 0]
    assert likely_duplicates(np.zeros(LENGTH), np.zeros((0, LENGTH))).tolist() == []
