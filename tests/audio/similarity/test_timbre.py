"""Sounds of like timbre have timbre vectors that are close together."""

from __future__ import annotations

import numpy as np

from app.audio.analyzer import analyze_sound
from tests.audio.signals import RATE_HZ, chord, noise


def test_similar_sounds_have_close_timbre_vectors() -> None:
    a, b, c = (
        np.array(analyze_sound(samples, RATE_HZ).timbre)
        for samples in (noise(1.0, seed=1), noise(1.0, seed=2, level=0.05), chord((60,), 1.0))
    )
    assert np.linalg.norm(a - b) < 0.2 * np.linalg.norm(a - c)
