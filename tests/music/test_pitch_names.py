"""Pitch classes and notes have one spelling, and every other spelling leads to it."""

from __future__ import annotations

import pytest

from app.music.pitch_names import PITCH_NAMES, note_name, pitch_name


@pytest.mark.parametrize(
    ("letter", "accidental", "name"),
    [
        ("C", "", "C"), ("a", "", "A"), ("D", "b", "C#"), ("E", "♭", "D#"), ("f", "b", "E"),
        ("C", "flat", "B"),
        ("F", "#", "F#"), ("F", "♯", "F#"), ("E", "Sharp", "F"), ("B", "#", "C"), ("A", "B", "G#"),
    ],
)  # fmt: skip
def test_flats_and_signs_become_sharps(letter: str, accidental: str, name: str) -> None:
    assert pitch_name(letter, accidental) == name


def test_what_is_no_note_is_refused() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        pitch_name("H")
    with pytest.raises(KeyError):
        pitch_name("A", "x")


@pytest.mark.parametrize(("midi", "name"), [(69, "A4"), (60, "C4"), (21, "A0"), (22, "A#0"), (108, "C8")])
def test_a_midi_note_has_its_octave(midi: int, name: str) -> None:
    assert note_name(midi) == name


def test_there_are_twelve_pitch_classes() -> None:
    assert len(set(PITCH_NAMES)) == 12
