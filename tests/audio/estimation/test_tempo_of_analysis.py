"""Tempo and beats in the whole analysis of synthetic sounds.

The tolerance is ±0.5 BPM, and ±0.02 BPM for a loop that is cut to bars.
"""

from __future__ import annotations

import numpy as np
import pytest

from app.audio.analyzer import analyze_sound
from app.audio.estimation import tempo_estimator
from app.audio.listening.front_end_features import extract_features
from tests.audio.signals import RATE_HZ, Samples, chord, clicks, drums, noise, sine


def bpm_of(samples: Samples) -> float | None:
    return analyze_sound(samples, RATE_HZ).bpm


@pytest.mark.parametrize("bpm", [70, 93, 120, 150])
def test_a_click_track_has_its_tempo(bpm: float) -> None:
    assert bpm_of(clicks(bpm, 12.3)) == pytest.approx(bpm, abs=0.5)


@pytest.mark.parametrize("bpm", [74, 93, 100.5, 128, 140])
def test_a_drum_loop_cut_to_bars_gives_its_exact_tempo(bpm: float) -> None:
    assert bpm_of(drums(bpm, 8)) == pytest.approx(bpm, abs=0.02)


@pytest.mark.parametrize("bpm", [80, 93, 124])
def test_a_drum_loop_cut_anywhere_has_its_tempo(bpm: float) -> None:
    assert bpm_of(drums(bpm, 16, before_s=0.21, after_s=0.37)) == pytest.approx(bpm, abs=0.5)


def test_beats_lie_on_the_clicks() -> None:
    found = analyze_sound(clicks(93, 10.0), RATE_HZ)
    period = 60 / 93
    errors = [abs(beat - round(beat / period) * period) for beat in found.beats]
    assert len(found.beats) in (15, 16, 17)
    assert max(errors) < 0.04


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros((RATE_HZ * 3, 1), dtype=np.float32),
        np.full((RATE_HZ * 3, 1), 0.5, dtype=np.float32),
        np.ones((1, 1), dtype=np.float32),
        sine(440, 3.0),
        noise(3.0),
        chord((60, 63, 67), 2.0),
        drums(100, 1),
    ],
    ids=["silence", "offset", "one sample", "sine", "noise", "chord", "a beat"],
)
def test_sounds_without_a_tempo_get_none(samples: Samples) -> None:
    found = analyze_sound(samples, RATE_HZ)
    assert found.bpm is None
    assert found.bpm_source is None
    assert found.beats == ()


def test_candidates_are_in_order_and_include_the_winner() -> None:
    found = tempo_estimator.estimate_tempo(extract_features(drums(93, 8), RATE_HZ))
    confidences = [confidence for _, confidence in found.candidates]
    assert found.candidates[0] == (found.bpm, found.confidence)
    assert confidences == sorted(confidences, reverse=True)
    assert all(0 <= confidence <= 1 for confidence in confidences)


def test_onsets_lie_within_20_ms_of_the_clicks() -> None:
    found = analyze_sound(clicks(120, 4.0), RATE_HZ)
    times = [time_s for time_s, _ in found.onsets]
    assert len(times) == 8
    assert times == pytest.approx([0.5 * n for n in range(8)], abs=0.02)
