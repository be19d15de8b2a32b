"""Kind, class and attack in the whole analysis of synthetic sounds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from app.audio.analyzer import analyze_sound
from app.audio.estimation import sound_classifier
from app.music.sound_classes import STORED_SOUNDS
from tests.audio.signals import (
    RATE_HZ,
    Samples,
    chord,
    clicks,
    column,
    drums,
    full_snare,
    hat,
    kick,
    noise,
    pink_noise,
    seconds,
    sine,
    snare,
)

Noise = Callable[[float], Samples]


@pytest.mark.parametrize("bpm", [70, 93, 140])
def test_drums_are_a_loop(bpm: float) -> None:
    assert analyze_sound(drums(bpm, 8), RATE_HZ).kind == "loop"
    assert analyze_sound(clicks(bpm, 8.0), RATE_HZ).kind == "loop"


@pytest.mark.parametrize(
    "samples",
    [column(kick()), column(snare()), column(hat()), chord((57, 60, 64), 1.0), sine(110, 1.0), noise(0.4)],
    ids=["kick", "snare", "hat", "chord", "sine", "noise"],
)
def test_a_single_sound_is_a_one_shot(samples: Samples) -> None:
    assert analyze_sound(samples, RATE_HZ).kind == "one-shot"


@pytest.mark.parametrize("length_s", [2.0, 4.0, 6.0, 8.0, 10.0])
@pytest.mark.parametrize("make", [noise, pink_noise], ids=["white", "pink"])
def test_noise_longer_than_a_hit_is_a_texture_of_no_tempo(make: Noise, length_s: float) -> None:
    """The lengths are whole beats at 60, 90 and 120 BPM; nothing in them repeats."""
    found = analyze_sound(make(length_s), RATE_HZ)
    assert (found.kind, found.sound, found.sound_candidates) == ("texture", None, ())
    assert (found.bpm, found.bpm_confidence, found.bpm_source) == (None, 0.0, None)
    assert (found.bpm_candidates, found.beats, found.downbeats) == ((), (), ())


@pytest.mark.parametrize(
    ("sound", "samples"), [("kick", kick()), ("snare", full_snare()), ("closed hat", hat())]
)
def test_clear_drums_are_named(sound: str, samples: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    found = analyze_sound(column(0.5 * samples), RATE_HZ)
    assert found.sound == sound
    assert found.sound_confidence >= 0.5
    assert found.sound_candidates[0] == (sound, found.sound_confidence)


def test_a_low_note_is_a_bass() -> None:
    assert analyze_sound(chord((33,), 1.5), RATE_HZ).sound == "bass"


def test_a_class_below_the_minimum_probability_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    hit = column(kick())
    assert analyze_sound(hit, RATE_HZ).sound == "kick"
    monkeypatch.setattr(sound_classifier, "MIN_SOUND_PROBABILITY", 1.01)
    found = analyze_sound(hit, RATE_HZ)
    assert (found.kind, found.sound, found.sound_confidence) == ("one-shot", None, 0.0)
    assert found.sound_candidates[0][0] == "kick"


def test_candidates_stand_in_their_order_where_no_class_is_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_classifier, "MIN_DRUM_PROBABILITY", 0.0)  # so a drum is chosen, likely or not
    note = chord((45,), 1.5)
    assert analyze_sound(note, RATE_HZ).sound is None
    chances = [chance for _, chance in analyze_sound(note, RATE_HZ).sound_candidates]
    assert chances == sorted(chances, reverse=True)


def test_every_class_is_in_the_list() -> None:
    times = seconds(1.0)
    for hz in (60, 200, 900, 4_000):
        found = analyze_sound(column(np.sin(2 * np.pi * hz * times) * np.exp(-5 * times)), RATE_HZ)
        assert found.sound is None or found.sound in STORED_SOUNDS


@pytest.mark.parametrize("length_s", [2.0, 4.0, 8.0])
def test_a_held_chord_that_is_cut_at_a_bar_is_no_loop(length_s: float) -> None:
    found = analyze_sound(chord((60, 63, 67), length_s), RATE_HZ)
    assert found.kind != "loop"
    assert (found.bpm, found.bpm_source, found.beats, found.key) == (None, None, (), "C minor")


@pytest.mark.parametrize("attack_ms", [0, 100, 400])
def test_the_attack_is_measured_within_20_ms(attack_ms: float) -> None:
    rise = np.minimum(seconds(1.0) / max(attack_ms / 1000, 1e-6), 1.0)[:, None].astype(np.float32)
    tone = np.vstack([np.zeros((4_410, 1), dtype=np.float32), sine(440, 1.0) * rise])
    # From a tenth to nine tenths of the level: four fifths of a straight rise.
    assert analyze_sound(tone, RATE_HZ).attack_ms == pytest.approx(0.8 * attack_ms, abs=20)
