"""The key in the whole analysis of synthetic sounds. The tolerance of the tuning is 5 cents."""

from __future__ import annotations

import numpy as np
import pytest

from app.audio.analyzer import analyze_sound
from app.music.pitch_names import PITCH_NAMES
from tests.audio.signals import RATE_HZ, Samples, chord, column, drums, hat, kick, noise, sine, snare


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize(("mode", "third"), [("major", 4), ("minor", 3)])
def test_every_triad_has_its_key(tonic: int, mode: str, third: int) -> None:
    root = 57 + (tonic - 9) % 12
    found = analyze_sound(chord((root, root + third, root + 7), 2.0), RATE_HZ)
    assert found.key == f"{PITCH_NAMES[tonic]} {mode}"
    assert found.key_source == "detected"


def test_a_progression_in_c_minor_has_that_key() -> None:
    chords = [(60, 63, 67), (60, 65, 68), (59, 62, 67), (60, 63, 67)]
    found = analyze_sound(np.vstack([chord(pitches, 1.0) for pitches in chords]), RATE_HZ)
    assert found.key == "C minor"


@pytest.mark.parametrize("cents", [-40, -15, 20, 45])
def test_the_tuning_of_a_chord_is_measured(cents: float) -> None:
    found = analyze_sound(chord(tuple(pitch + cents / 100 for pitch in (60, 63, 67)), 2.0), RATE_HZ)
    assert found.key == "C minor"
    assert found.tuning_cents == pytest.approx(cents, abs=5)


@pytest.mark.parametrize(
    "samples",
    [
        noise(3.0), drums(93, 8), column(kick()), column(snare()), column(hat()),
        np.zeros((RATE_HZ * 2, 1), dtype=np.float32), np.ones((1, 1), dtype=np.float32),
    ],
    ids=["noise", "drum loop", "kick", "snare", "hat", "silence", "one sample"],
)  # fmt: skip
def test_sounds_without_a_key_get_none(samples: Samples) -> None:
    found = analyze_sound(samples, RATE_HZ)
    assert (found.key, found.key_source, found.key_candidates) == (None, None, ())


@pytest.mark.parametrize(("pitch", "name"), [(33, "A1"), (45, "A2"), (60, "C4"), (66, "F#4"), (84, "C6")])
def test_a_single_pitch_is_a_note_and_no_key(pitch: int, name: str) -> None:
    found = analyze_sound(chord((pitch,), 1.5), RATE_HZ)
    assert (found.note, found.key) == (name, None)


def test_a_sine_is_a_note() -> None:
    assert analyze_sound(sine(440, 1.0), RATE_HZ).note == "A4"
