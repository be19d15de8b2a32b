"""Onsets of hits whose times are known, within 12 ms."""

from __future__ import annotations

import numpy as np
import pytest

from app.audio.listening import onset_detection
from app.audio.listening.front_end_features import extract_features
from tests.audio.synthetic_music import RATE, lay

TIMES = [0.1, 0.55, 0.9, 1.4, 1.85]


def test_hits_are_found_where_they_are() -> None:
    y = lay([(t, "snare", 1.0) for t in TIMES], 2.4)
    found = onset_detection.detect_onsets(extract_features(y, RATE))
    assert len(found.times_s) == len(TIMES)
    assert found.times_s == pytest.approx(TIMES, abs=0.012)


def test_a_hit_at_the_very_start_counts() -> None:
    found = onset_detection.detect_onsets(
        extract_features(lay([(0.0, "kick", 1.0), (0.5, "kick", 1.0)], 1.0), RATE)
    )
    assert found.times_s == pytest.approx([0.0, 0.5], abs=0.012)


def test_heights_are_relative_to_the_strongest() -> None:
    found = onset_detection.detect_onsets(
        extract_features(lay([(0.2, "snare", 0.3), (0.8, "snare", 1.0)], 1.4), RATE)
    )
    assert found.heights.max() == 1.0
    assert found.heights[0] < 0.9


def test_silence_has_no_onsets() -> None:
    assert onset_detection.detect_onsets(extract_features(np.zeros(RATE), RATE)).times_s.size == 0
