"""Tempo of synthetic sounds, by the estimator alone. Each test states its tolerance."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio.estimation import tempo_estimator
from app.audio.listening.front_end_features import extract_features
from tests.audio.synthetic_music import RATE, beat, clicks, pink

TEMPI = st.integers(84, 150)


def estimated_bpm(y: np.ndarray, rate: int = RATE) -> float:
    bpm = tempo_estimator.estimate_tempo(extract_features(y, rate)).bpm
    assert bpm is not None
    return bpm


@pytest.mark.parametrize("bpm", [88, 100, 124, 140])
def test_a_loop_cut_to_bars_is_exact(bpm: int) -> None:
    assert estimated_bpm(beat(bpm, 4)) == pytest.approx(bpm, abs=0.05)


def test_a_click_track_at_93_is_estimated_within_half_a_bpm() -> None:
    assert estimated_bpm(clicks(93, 12.3)) == pytest.approx(93, abs=0.5)


def test_a_piece_cut_anywhere_is_estimated_within_one_percent() -> None:
    y = beat(112, 8)[int(0.37 * RATE) : int(14.1 * RATE)]
    assert estimated_bpm(y) == pytest.approx(112, rel=0.01)


@pytest.mark.parametrize(
    ("reach", "chosen"), [([0.0, 0.0, 0.0], 106.83), ([0.004, 0.0, 0.0], 106.5), ([0.002, 0.0, 0.0], 106.83)]
)
def test_whole_bars_decide_where_a_peak_is_not_read_more_exactly(reach: list[float], chosen: float) -> None:
    tempi, chances = np.array([106.5, 53.25, 106.83]), np.array([0.33, 0.01, 0.87])
    best, shares = tempo_estimator.merge_tempi(tempi, chances, np.array(reach))
    assert (best[0], shares[0]) == (chosen, pytest.approx(1.2))


def test_an_unlikely_tempo_of_whole_bars_is_not_chosen() -> None:
    tempi, chances = np.array([106.5, 106.83]), np.array([0.1, 0.87])
    assert tempo_estimator.merge_tempi(tempi, chances, np.array([0.004, 0.0]))[0].tolist() == [106.83]


def test_silence_has_no_tempo() -> None:
    assert tempo_estimator.estimate_tempo(extract_features(np.zeros(RATE), RATE)) == tempo_estimator.NO_TEMPO


@pytest.mark.parametrize("noise_s", [3, 4, 6, 12])
def test_a_regular_loop_has_more_confidence_than_noise(noise_s: int) -> None:
    """Noise gets no tempo in the analysis, because it is a texture; here it only has to be less sure."""
    loop = tempo_estimator.estimate_tempo(extract_features(beat(120, 4), RATE)).confidence
    assert loop > 0.9
    assert tempo_estimator.estimate_tempo(extract_features(pink(noise_s), RATE)).confidence < loop - 0.1


def test_runners_up_are_other_tempi_in_order() -> None:
    found = tempo_estimator.estimate_tempo(extract_features(beat(100, 4), RATE)).candidates
    assert 1 < len(found) <= 5
    assert [c for _, c in found] == sorted((c for _, c in found), reverse=True)
    assert all(abs(b / found[0][0] - 1) > 0.015 for b, _ in found[1:])


def test_beats_fall_on_the_hits_within_20_ms() -> None:
    times = tempo_estimator.beat_times(120.0, extract_features(beat(120, 4), RATE))
    assert len(times) == 16
    assert np.allclose(times, np.arange(16) * 0.5, atol=0.02)


def test_the_first_downbeat_of_a_loop_is_its_start() -> None:
    features = extract_features(beat(120, 4), RATE)
    assert tempo_estimator.downbeat_times(
        tempo_estimator.beat_times(120.0, features), features
    ) == pytest.approx([0, 2, 4, 6], abs=0.02)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(TEMPI, st.floats(0.02, 4.0), st.booleans())
def test_gain_polarity_and_channels_do_not_matter(bpm: int, gain: float, flip: bool) -> None:
    y = beat(bpm, 2)
    other = np.stack([y, y], axis=1) * (-gain if flip else gain)
    assert estimated_bpm(other) == pytest.approx(estimated_bpm(y), rel=0.001)


@settings(max_examples=6, deadline=None, derandomize=True)
@given(TEMPI, st.sampled_from([22_050, 32_000, 48_000, 96_000]))
def test_sample_rate_does_not_matter(bpm: int, rate: int) -> None:
    y = beat(bpm, 2)
    assert estimated_bpm(soxr.resample(y, RATE, rate), rate) == pytest.approx(estimated_bpm(y), rel=0.002)


@settings(max_examples=6, deadline=None, derandomize=True)
@given(TEMPI, st.floats(0.02, 0.5))
def test_leading_silence_does_not_matter(bpm: int, silence_s: float) -> None:
    y = beat(bpm, 4)
    assert estimated_bpm(np.concatenate([np.zeros(int(silence_s * RATE)), y])) == pytest.approx(bpm, rel=0.01)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.floats(0.85, 1.2))
def test_stretching_by_r_moves_the_tempo_by_r(ratio: float) -> None:
    y = beat(112, 4)
    faster = np.interp(np.arange(0, y.size - 1, ratio), np.arange(y.size), y)
    assert estimated_bpm(faster) == pytest.approx(112 * ratio, rel=0.002)
