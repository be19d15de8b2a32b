"""Fingerprints: copies of a sound have nearly the same, and it starts where the attack does."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from scipy import signal

from app.audio.analyzer import analyze_sound
from app.audio.similarity.duplicates import DUPLICATE_DISTANCE, likely_duplicates
from app.audio.similarity.fingerprint import copy_fingerprint, mix_channels
from app.audio.similarity.layout import FINGERPRINT_BANDS as BANDS
from app.audio.similarity.layout import FINGERPRINT_LENGTH as LENGTH
from app.audio.similarity.layout import FINGERPRINT_SPANS as SPANS
from tests.audio.signals import RATE_HZ, Samples, column, drums, hat, kick, noise, sine
from tests.audio.similarity.test_duplicates import COPIES, SOUNDS

SILENCE = np.zeros((RATE_HZ, 1), np.float32)


def fingerprint(y: Samples, rate_hz: int = RATE_HZ) -> tuple[int, ...]:
    level = np.abs(y).max(axis=1)
    return copy_fingerprint(y, rate_hz, float(np.argmax(level > 1e-3 * level.max())) / rate_hz)


def is_candidate(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return likely_duplicates(a, [b]).size == 1


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("name", SOUNDS)
def test_a_copy_is_a_candidate(name: str, copy: str) -> None:
    assert is_candidate(fingerprint(COPIES[copy](SOUNDS[name])), fingerprint(SOUNDS[name]))


@pytest.mark.parametrize("rate_hz", [22_050, 32_000, 48_000, 96_000])
def test_the_rate_of_a_file_does_not_matter(rate_hz: int) -> None:
    for sound in SOUNDS.values():
        assert is_candidate(fingerprint(soxr.resample(sound, RATE_HZ, rate_hz), rate_hz), fingerprint(sound))


def test_two_sounds_are_no_candidates_of_each_other() -> None:
    prints = [fingerprint(sound) for sound in (*SOUNDS.values(), noise(1), sine(220, 1))]
    for at, one in enumerate(prints):
        assert likely_duplicates(one, prints).tolist() == [at]


def test_it_is_whole_numbers_up_to_255_and_every_band_counts() -> None:
    found = np.array(fingerprint(noise(1)))
    assert (found.shape, found.max()) == ((LENGTH,), 255)
    assert np.all(found > 0)


def test_noise_before_the_attack_does_not_move_the_start() -> None:
    quiet = noise(0.02, level=0.01)[: round(0.02 * RATE_HZ)]
    assert is_candidate(fingerprint(np.concatenate([quiet, SOUNDS["snare"]])), fingerprint(SOUNDS["snare"]))


def test_a_later_louder_hit_does_not_move_the_start() -> None:
    loop = np.concatenate([0.2 * SOUNDS["hat"][:4410], np.zeros((RATE_HZ, 1), np.float32), SOUNDS["kick"]])
    assert is_candidate(fingerprint(loop), fingerprint(loop[: len(loop) * 2 // 3]))


def test_spans_behind_the_end_are_empty() -> None:
    short = np.array(fingerprint(noise(0.05)[: round(0.05 * RATE_HZ)])).reshape(SPANS, BANDS)
    assert short.any(axis=1).tolist() == [True, True, False, False, False, False]


@pytest.mark.parametrize("duration_s", [0.03, 0.09, 0.2])
def test_a_hard_cut_of_a_short_tone_does_not_click(duration_s: float) -> None:
    tone = sine(220, duration_s) * np.exp(-3 * np.arange(round(duration_s * RATE_HZ)) / RATE_HZ)[:, None]
    tone = tone.astype(np.float32)
    assert is_candidate(fingerprint(tone), fingerprint(tone[: len(tone) * 2 // 3]))


def test_a_filtered_copy_is_no_candidate() -> None:
    low = signal.butter(2, 1500, fs=RATE_HZ, output="sos")
    filtered = signal.sosfilt(low, SOUNDS["snare"], axis=0).astype(np.float32)
    assert not is_candidate(fingerprint(filtered), fingerprint(SOUNDS["snare"]))


def test_channels_that_cancel_out_count_as_one_of_them() -> None:
    snare = SOUNDS["snare"]
    wide = np.concatenate([snare, -snare], axis=1)
    assert is_candidate(fingerprint(wide), fingerprint(snare))
    assert np.array_equal(mix_channels(wide), snare[:, 0].astype(np.float64))
    assert np.allclose(mix_channels(np.concatenate([snare, 0 * snare], axis=1)), snare[:, 0] / 2)


def test_an_analysis_reports_it() -> None:
    late = np.concatenate([SILENCE, SOUNDS["snare"]])
    assert is_candidate(analyze_sound(late, RATE_HZ).fingerprint, fingerprint(SOUNDS["snare"]))
    assert analyze_sound(SILENCE, RATE_HZ).fingerprint == ()


def test_silence_has_none() -> None:
    assert copy_fingerprint(SILENCE, RATE_HZ, 0.0) == ()
    assert copy_fingerprint(SILENCE[:1], RATE_HZ, 0.0) == ()
    assert copy_fingerprint(column(hat()), RATE_HZ, 60.0) == ()


@pytest.mark.parametrize("frames", [1, 2, 30, 300])
def test_a_very_short_sound_has_one_of_the_same_length_or_none(frames: int) -> None:
    found = fingerprint(column(0.5 * kick())[400 : 400 + frames])
    assert len(found) in (0, LENGTH)
    assert frames < 30 or len(found) == LENGTH


def test_a_long_lead_of_silence_does_not_matter() -> None:
    lead = np.zeros((20 * RATE_HZ, 1), np.float32)
    assert is_candidate(fingerprint(np.concatenate([lead, drums(93, 2)])), fingerprint(drums(93, 2)))


def test_the_distance_is_measured_over_what_both_have() -> None:
    whole = np.tile(np.arange(1, BANDS + 1), (SPANS, 1))
    cut = whole.copy()
    cut[3:] = 0
    other = cut.copy()
    other[0, 0] = 40
    near = likely_duplicates(whole.ravel(), [other.ravel(), cut.ravel(), whole.ravel(), 0 * cut.ravel()])
    assert near.tolist() == [1, 2]
    assert DUPLICATE_DISTANCE < 0.5
