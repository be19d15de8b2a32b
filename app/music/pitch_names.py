"""Names of the twelve pitch classes and of notes. Sharps are the one spelling that is stored and compared."""

from __future__ import annotations

PITCH_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
"""Pitch classes from C in semitones, flats written as the sharp of the note below."""

ACCIDENTAL_STEPS = {"": 0, "#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}
"""Semitones that a sign or word after a letter moves the pitch."""


def pitch_name(letter: str, accidental: str = "") -> str:
    """Return the stored name of a pitch, such as `A#` for B flat.

    Parameters
    ----------
    letter : str
        `A` to `G`, upper or lower case.
    accidental : str
        A key of `ACCIDENTAL_STEPS` in either case; empty for a natural.

    Raises
    ------
    ValueError
        `letter` is not a note.
    KeyError
        `accidental` is unknown.
    """
    step = ACCIDENTAL_STEPS[accidental.lower()]
    return PITCH_NAMES[(PITCH_NAMES.index(letter.upper()) + step) % 12]


def note_name(midi: int) -> str:
    """Return the name of a MIDI note with its octave, such as `A4` for 69 (440 Hz; middle C is `C4`)."""
    return f"{PITCH_NAMES[midi % 12]}{midi // 12 - 1}"
