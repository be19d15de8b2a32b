"""One voice has a note from 20 Hz to C8, and a slide has two; chords, noise and drums have no track."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from app.audio.analyzer import analyze_sound
from app.audio.listening.front_end_features import extract_features
from app.music.pitch_names import note_name
from tests.audio.signals import RATE_HZ, chord, column, drums, hertz, noise, seconds, snare

Array = npt.NDArray[np.float64]


def _pluck(pitch: float, duration_s: float = 1.2) -> Array:
    times, hz = seconds(duration_s), hertz(pitch)
    partials = [
        np.sin(2 * np.pi * hz * k * times) / k**1.4 * np.exp(-times * (2 + k))
        for k in range(1, 7)
        if hz * k < RATE_HZ / 2
    ]
    return np.asarray(np.sum(partials, axis=0) * np.minimum(1, times * 300))


def _glide(pitch: float, step: float, slide_s: float) -> Array:
    times = seconds(1.6)
    hz = hertz(pitch) * 2 ** (np.clip((times - 0.5) / slide_s, 0, 1) * step / 12)
    return np.asarray(np.tanh(2 * np.sin(2 * np.pi * np.cumsum(hz) / RATE_HZ)) * np.exp(-times))


@pytest.mark.parametrize("pitch", [16, 21, 22, 28, 40, 64, 88, 91, 96, 103, 108])
@pytest.mark.parametrize("cents", [-40, 15])
def test_a_pluck_has_its_note_in_its_octave_and_no_key(pitch: int, cents: int) -> None:
    found = analyze_sound(column(_pluck(pitch + cents / 100)), RATE_HZ)
    assert (found.note, found.key, found.note_end) == (note_name(pitch), None, None)
    assert found.note_cents == pytest.approx(cents, abs=8)


@pytest.mark.parametrize("pitch", [21, 22])
def test_a_sine_of_the_lowest_octave_has_a_note(pitch: int) -> None:
    times = seconds(2)
    y = np.sin(2 * np.pi * hertz(pitch) * times) * np.exp(-times)
    assert analyze_sound(column(y), RATE_HZ).note == note_name(pitch)


@pytest.mark.parametrize("pitch", [31, 33, 36, 38])
@pytest.mark.parametrize("step", [-12, -5, 2, 7])
@pytest.mark.parametrize("slide_s", [0.05, 0.25, 0.8])
def test_a_glide_has_the_notes_of_its_start_and_end(pitch: int, step: int, slide_s: float) -> None:
    found = analyze_sound(column(_glide(pitch, step, slide_s)), RATE_HZ)
    assert found.key is None
    assert (found.note, found.note_end) == (note_name(pitch), note_name(pitch + step))


@pytest.mark.parametrize(
    "sound",
    [
        chord((57, 60, 64), 1.5),
        chord((45, 52), 1.5),
        chord((48, 60, 64), 1.5),
        noise(1.0),
        column(snare()),
        drums(110, 8),
        np.zeros((RATE_HZ, 1), np.float32),
    ],
)
def test_chords_noise_and_drums_have_no_pitch_track(sound: npt.NDArray[np.float32]) -> None:
    assert extract_features(sound, RATE_HZ).pitch_track is None
