"""The sounds of `benchmarks/beatless.py`: what is right for them has to be right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.audio.estimation.file_name_parser import parse_file_name
from benchmarks.unseen import breaks, controls
from benchmarks.unseen.collection import labelled_sounds
from benchmarks.unseen.delivery import deliver, draw_length, neutral_name, seamless
from benchmarks.unseen.report import judge_tempo
from benchmarks.unseen.signals import RATE_HZ, seeded, uneven_times

NOTHING = parse_file_name("")
MAKERS = controls.MAKERS | breaks.MAKERS


def test_names_say_nothing() -> None:
    names = [f"{neutral_name(number)}.wav" for number in range(0, 5**6, 7)]
    assert len(set(names)) == len(names)
    assert all(parse_file_name(name) == NOTHING for name in names)


def test_the_same_seed_makes_the_same_sound() -> None:
    first, again, other = (next(labelled_sounds(1, seed=seed)).y for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


@pytest.mark.parametrize("name", [n for n in MAKERS if "speech" not in n])  # speech needs espeak-ng and flite
def test_a_control_is_whole_beats_long(name: str) -> None:
    y, bpm = MAKERS[name](seeded(name, 1))
    beats = len(y) / RATE_HZ * bpm / 60
    assert beats == pytest.approx(round(beats), abs=0.001)
    assert np.isfinite(y).all()
    assert np.abs(y).max() > 0.01


def test_lengths_are_often_whole_beats() -> None:
    lengths = [draw_length(seeded("length", n), 2, 20) for n in range(400)]
    assert all(2 <= length <= 20 for length in lengths)
    fits_a_tempo = [any(abs(s * bpm / 60 / 16 - 1) < 1e-9 for bpm in range(60, 181)) for s in lengths]
    assert np.mean(fits_a_tempo) > 0.2


def test_uneven_gaps_do_not_repeat() -> None:
    gaps = np.diff(uneven_times(seeded("gaps"), 60, 0.5, 0.5))
    assert np.std(gaps) / np.mean(gaps) > 0.35


def test_a_seamless_bed_has_no_step_at_its_ends() -> None:
    tone = np.sin(np.arange(RATE_HZ) * 2 * np.pi * 110.37 / RATE_HZ)
    looped = seamless(tone, 4_410)
    assert len(looped) == RATE_HZ - 4_410
    assert abs(looped[0] - looped[-1]) < 0.03


def test_a_delivered_file_keeps_its_length(tmp_path: Path) -> None:
    for number in range(12):
        sound = next(labelled_sounds(1, seed=number))
        path = deliver(seeded("delivery", number), sound, tmp_path, number)
        length_s = len(sound.y) / sound.rate_hz
        assert soundfile.info(path).duration == pytest.approx(length_s, abs=0.03)


@pytest.mark.parametrize(
    ("heard", "verdict"),
    [
        (None, "none"),
        (103, "right"),
        (50.5, "half or double"),
        (200, "half or double"),
        (150, "other"),
        (300, "other"),
    ],
)
def test_a_tempo_is_judged(heard: float | None, verdict: str) -> None:
    assert judge_tempo(heard, 100) == verdict
