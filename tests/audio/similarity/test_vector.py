"""The similarity vector: what hardly moves it, what moves it, and how far hits are from loops."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from app.audio.analyzer import analyze_sound
from app.audio.file_facts import FileFacts
from app.audio.similarity.layout import BLOCKS, BODY, CLASS, HARMONY, LENGTH, RHYTHM, SHAPE, TEMPO
from tests.audio.signals import (
    RATE_HZ,
    Samples,
    chord,
    column,
    drums,
    full_snare,
    hat,
    kick,
    noise,
    sine,
    snare,
)

KICK, SNARE, HAT = (column(0.8 * sound) for sound in (kick(), full_snare(), hat()))


def vector(samples: Samples, rate_hz: int = RATE_HZ) -> np.ndarray:
    return np.array(analyze_sound(samples, rate_hz).similarity)


def distance(a: Samples, b: Samples, block: str | None = None) -> float:
    place = BLOCKS[block] if block else slice(None)
    return float(np.linalg.norm(vector(a)[place] - vector(b)[place]))


def test_gain_and_a_second_channel_do_not_move_a_hit() -> None:
    for sound in (KICK, SNARE, HAT):
        assert distance(sound, 0.2 * sound) < 0.02
        assert distance(sound, np.repeat(sound, 2, axis=1)) < 0.02


@pytest.mark.parametrize("rate_hz", [32_000, 48_000, 96_000])
def test_another_sample_rate_hardly_moves_a_hit(rate_hz: int) -> None:
    other = soxr.resample(SNARE, RATE_HZ, rate_hz)
    assert np.linalg.norm(vector(SNARE) - vector(other, rate_hz)) < 0.15 * distance(SNARE, KICK)


def test_silence_before_a_hit_hardly_moves_its_body() -> None:
    late = np.concatenate([np.zeros((round(0.03 * RATE_HZ), 1), np.float32), SNARE])
    assert distance(SNARE, late, BODY) < 0.1 * distance(SNARE, KICK, BODY)


def test_another_take_is_nearer_than_another_instrument() -> None:
    take = column(0.8 * full_snare(seed=9))
    assert distance(SNARE, take) < 0.5 * min(distance(SNARE, KICK), distance(SNARE, HAT))


def test_a_snare_is_nearer_to_a_snare_than_to_a_kick() -> None:
    other = column(0.8 * snare())
    assert distance(SNARE, other) < distance(SNARE, KICK)
    assert distance(SNARE, other, CLASS) < distance(SNARE, KICK, CLASS)


def test_a_one_shot_has_neither_rhythm_nor_harmony_nor_tempo() -> None:
    for sound in (KICK, chord((60, 64, 67), 1.0)):
        found = vector(sound)
        assert not found[BLOCKS[RHYTHM]].any()
        assert not found[BLOCKS[HARMONY]].any()
        assert not found[BLOCKS[TEMPO]].any()
        assert found[BLOCKS[BODY]].any()
        assert found[BLOCKS[SHAPE]].any()


def test_a_loop_is_far_from_its_own_hits() -> None:
    loop = drums(93, 8)
    hits = distance(KICK, SNARE)
    assert min(distance(loop, sound) for sound in (KICK, SNARE, HAT)) > hits


def test_the_rhythm_of_a_loop_does_not_depend_on_its_tempo() -> None:
    slower, faster = drums(93, 8), drums(104, 8)
    in_three = np.concatenate([drums(93, 2), drums(93, 1)] * 4)
    assert distance(slower, faster, RHYTHM) < 0.6 * distance(slower, in_three, RHYTHM)


def test_half_and_double_tempo_are_one_tempo() -> None:
    assert distance(drums(70, 8), drums(140, 16), TEMPO) < 0.01
    assert distance(drums(70, 8), drums(99, 8), TEMPO) > 0.7  # half an octave, the opposite


def test_drums_have_less_harmony_than_chords() -> None:
    progression = np.concatenate(
        [chord(notes, 0.625) for notes in ((57, 60, 64), (53, 57, 60), (48, 52, 55), (55, 59, 62)) * 2]
    )
    harmony = [float(np.linalg.norm(vector(s)[BLOCKS[HARMONY]])) for s in (drums(96, 8), progression)]
    assert harmony[1] > 3 * harmony[0]


def test_silence_and_odd_sounds_have_a_finite_vector() -> None:
    assert vector(np.zeros((RATE_HZ, 1), np.float32)).tolist() == [0.0] * LENGTH
    for sound in (noise(0.01), np.ones((1, 1), np.float32), sine(1.0, 3.0), noise(3.0)):
        found = vector(sound)
        assert found.shape == (LENGTH,)
        assert np.isfinite(found).all()
        assert np.abs(found).max() < 20


def test_the_name_of_a_file_does_not_change_the_vector() -> None:
    sound = drums(93, 8)
    named = analyze_sound(sound, RATE_HZ, FileFacts(name="Kick one shot 140 bpm Am.wav"))
    assert named.similarity == analyze_sound(sound, RATE_HZ).similarity
