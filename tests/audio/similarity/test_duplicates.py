"""Near duplicates: copies of a recording are found, other hits of the same instrument are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import soxr
from scipy import signal

from app.audio.similarity.duplicates import is_same_recording, likely_duplicates
from app.audio.similarity.layout import FINGERPRINT_LENGTH
from tests.audio.signals import RATE_HZ, Samples, column, drums, full_snare, hat, kick, noise, seconds, sine

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


def test_sounds_that_share_no_band_are_two_recordings() -> None:
    assert not is_same_recording(sine(60, 1), sine(7000, 1), RATE_HZ)


def test_a_cut_copy_of_a_swelling_tone_is_the_same_recording() -> None:
    swelling = np.linspace(0.05, 1, RATE_HZ)[:, None].astype(np.float32) * sine(110, 1)
    assert is_same_recording(swelling, swelling[: RATE_HZ * 2 // 3], RATE_HZ)


def test_channels_that_cancel_out_are_heard() -> None:
    snare = SOUNDS["snare"]
    wide = np.concatenate([snare, -snare], axis=1)
    assert is_same_recording(wide, snare, RATE_HZ)
    assert is_same_recording(wide, 0.5 * wide, RATE_HZ)


def test_what_an_encoder_adds_to_a_weak_band_does_not_matter_but_another_band_does() -> None:
    rng, times = np.random.default_rng(6), np.arange(RATE_HZ) / RATE_HZ
    strong = signal.sosfilt(signal.butter(4, 1000, fs=RATE_HZ, output="sos"), rng.standard_normal(RATE_HZ))
    high = signal.butter(4, 5000, "high", fs=RATE_HZ, output="sos")
    weak, added = (signal.sosfilt(high, rng.standard_normal(RATE_HZ)) for _ in range(2))
    fall = np.exp(-8 * times)
    original = column((strong + 0.01 * weak) * fall)
    assert is_same_recording(original, column((strong + 0.01 * weak + 0.005 * added) * fall), RATE_HZ)
    assert not is_same_recording(original, column((strong + 0.01 * added) * fall), RATE_HZ)


def test_candidates_come_nearest_first() -> None:
    one = np.full(FINGERPRINT_LENGTH, 100)
    rows = np.tile(one, (4, 1))
    rows[0, :2] = 120  # a distance of 0.029
    rows[1, 0] = 255  # of 0.155
    rows[3] = one // 2
    assert likely_duplicates(one, rows).tolist() == [2, 3, 0]
    assert likely_duplicates(one, rows.astype(np.uint8)).tolist() == [2, 3, 0]


def test_what_has_no_fingerprint_is_like_no_other() -> None:
    rows = np.full((3, FINGERPRINT_LENGTH), 100)
    assert likely_duplicates((), rows).tolist() == []
    assert likely_duplicates(np.zeros(FINGERPRINT_LENGTH), rows).tolist() == []
    assert likely_duplicates(rows[0], np.zeros((3, FINGERPRINT_LENGTH))).tolist() == []
    assert likely_duplicates(rows[0], np.zeros((0, FINGERPRINT_LENGTH))).tolist() == []


def test_candidates_are_found_among_many_rows() -> None:
    rows = np.random.default_rng(7).integers(0, 256, (50_000, FINGERPRINT_LENGTH), dtype=np.uint8)
    for at in (0, 4_095, 4_096, 49_999):
        assert likely_duplicates(rows[at], rows).tolist() == [at]


@pytest.mark.parametrize("other_after_s", [3.5, 6.0, 7.0])
def test_sounds_that_differ_later_are_not_the_same(other_after_s: float) -> None:
    """Such as two loops of four bars with another fill, or two mixes with one intro."""
    random = np.random.default_rng(5)
    first, other = random.standard_normal((2, 8 * RATE_HZ))
    second = np.concatenate(
        [first[: round(other_after_s * RATE_HZ)], other[round(other_after_s * RATE_HZ) :]]
    )
    assert is_same_recording(first, 0.5 * first, RATE_HZ)
    assert not is_same_recording(first, second, RATE_HZ)


def test_a_long_decay_is_compared_while_it_is_loud() -> None:
    decay = np.random.default_rng(6).standard_normal(12 * RATE_HZ) * np.exp(-seconds(12.0) * 1.5)
    hiss = 1e-4 * np.random.default_rng(7).standard_normal(decay.size)
    assert is_same_recording(decay, 0.3 * (decay + hiss), RATE_HZ)


def test_a_part_that_is_silent_in_one_of_two_tells_them_apart() -> None:
    sound = np.random.default_rng(5).standard_normal(9 * RATE_HZ)
    gap = sound.copy()
    gap[4 * RATE_HZ : 7 * RATE_HZ] = 0
    assert not is_same_recording(sound, gap, RATE_HZ)
