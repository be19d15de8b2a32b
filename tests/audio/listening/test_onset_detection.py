"""Onsets of hits whose times are known, within 5 ms."""

from __future__ import annotations

import numpy as np
import pytest

from app.audio.listening import onset_detection
from app.audio.listening.front_end_features import extract_features
from tests.audio.synthetic_music import RATE, chords, lay, pink

TIMES = [0.1, 0.55, 0.9, 1.4, 1.85]


def test_hits_are_found_where_they_are() -> None:
    y = lay([(t, "snare", 1.0) for t in TIMES], 2.4)
    found = onset_detection.detect_onsets(extract_features(y, RATE))
    assert len(found.times_s) == len(TIMES)
    assert found.times_s == pytest.approx(TIMES, abs=0.005)


def test_a_hit_at_the_very_start_counts() -> None:
    found = onset_detection.detect_onsets(
        extract_features(lay([(0.0, "kick", 1.0), (0.5, "kick", 1.0)], 1.0), RATE)
    )
    assert found.times_s == pytest.approx([0.0, 0.5], abs=0.005)


def test_heights_are_relative_to_the_strongest() -> None:
    found = onset_detection.detect_onsets(
        extract_features(lay([(0.2, "snare", 0.3), (0.8, "snare", 1.0)], 1.4), RATE)
    )
    assert found.heights.max() == 1.0
    assert found.heights[0] < 0.9


def test_silence_has_no_onsets() -> None:
    assert onset_detection.detect_onsets(extract_features(np.zeros(RATE), RATE)).times_s.size == 0


def test_soft_hats_while_a_loud_drum_rings_are_found() -> None:
    hats = [0.1 * k for k in range(1, 10) if k % 5]
    y = lay([(0.0, "kick", 1.0), (0.5, "kick", 1.0), *((time, "hat", 0.1) for time in hats)], 1.1)
    found = onset_detection.detect_onsets(extract_features(y, RATE))
    assert found.times_s == pytest.approx(sorted([0.0, 0.5, *hats]), abs=0.005)


def test_a_loud_drum_is_stronger_than_a_hat_in_a_pause() -> None:
    found = onset_detection.detect_onsets(
        extract_features(lay([(0.2, "hat", 0.3), (1.0, "snare", 1.0)], 1.4), RATE)
    )
    assert found.heights[0] < 0.7 < found.heights[1]


def test_steady_noise_only_begins() -> None:
    found = onset_detection.detect_onsets(extract_features(pink(4.0), RATE))
    assert found.times_s[0] < 0.005
    assert len(found.times_s) < 5


def test_chords_begin_where_they_are_struck() -> None:
    found = onset_detection.detect_onsets(
        extract_features(chords([(48, True), (53, False), (50, True)]), RATE)
    )
    assert found.times_s == pytest.approx([0.0, 1.0, 2.0], abs=0.005)
