"""The notes and knob motions of a pattern, and patterns made from notes."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from app.sp404.errors import UnitFileError
from app.sp404.pad_places import PADS, pad_index, pad_place
from app.sp404.project.pattern_files import (
    LONGEST_STEP,
    MOTION,
    TIME,
    Pattern,
    PatternRecord,
    make_ending,
    pattern_length,
)

FIRST_NOTE = 0x2F
PADS_A_HALF = PADS // 2  # banks A to E, and F to J with the lowest bit of byte 2
UNPITCHED = 0x8D
LOWEST_SEMITONE, HIGHEST_SEMITONE = -UNPITCHED, 0xFF - UNPITCHED
MAX_GATE = 1 << 16
SEQUENCER_VELOCITY = 90
USUAL_FILLER = 0x40
NOTE = struct.Struct("<BBBBBH")
TIME_MARK = bytes([TIME]) + bytes(6)


@dataclass(frozen=True)
class PatternNote:
    """A hit of a pad in a pattern.

    Attributes
    ----------
    tick : int
        From the start of the pattern, 480 a quarter note.
    pad : str
        ``A1`` to ``J16``.
    velocity : int
        1 to 127. The unit's step sequencer writes 90.
    gate : int
        Ticks that the pad is held, 1 to 65,536.
    semitones : int
        Played chromatically: so much above or below the pad's own pitch, -141 to 114 as far as the file can
        say; what the unit plays of it is not known.
    flags, filler : int
        Bits and a byte without a known meaning, kept: byte 2 without its lowest bit, and byte 5.
    """

    tick: int
    pad: str
    velocity: int = SEQUENCER_VELOCITY
    gate: int = 120
    semitones: int = 0
    flags: int = 0
    filler: int = USUAL_FILLER


class PatternMotion(NamedTuple):
    """A knob or button of an effect moved during a pattern.

    Attributes
    ----------
    tick : int
        From the start of the pattern.
    bus : int
        1 to 4.
    control : int
        MIDI controller: 0x10 to 0x12 CTRL 1 to 3, 0x50 to 0x52 CTRL 4 to 6, 0x13 effect on or off, 0x53
        number of the effect.
    value : int
        As the file has it, 0 to 127 where it is a MIDI value.
    """

    tick: int
    bus: int
    control: int
    value: int


def notes_of(pattern: Pattern) -> tuple[PatternNote, ...]:
    """Return the notes of a pattern in the order of its file."""
    return tuple(_to_note(record) for record in pattern.records if _is_note(record))


def motions_of(pattern: Pattern) -> tuple[PatternMotion, ...]:
    """Return the recorded motions of a pattern in the order of its file."""
    return tuple(
        PatternMotion(one.tick, 1 + (one.data[1] & 0x0F), one.data[4], one.data[5])
        for one in pattern.records
        if one.kind == MOTION
    )


def count_unknown(pattern: Pattern) -> int:
    """Return how many records are neither a note, nor a motion, nor a mark of time."""
    return sum(not _is_note(one) and one.kind not in (TIME, MOTION) for one in pattern.records)


def compose_pattern(
    notes: Iterable[PatternNote], bars: int, metre: str = "4/4", others: Iterable[PatternRecord] = ()
) -> Pattern:
    """Return the pattern that the unit writes for these notes.

    Parameters
    ----------
    notes : iterable of PatternNote
        In any order; those of one tick stay in theirs.
    bars : int
        1 to 64.
    metre : str
        Like ``4/4``.
    others : iterable of PatternRecord
        Motions and other records to put in, before the notes of their tick.

    Raises
    ------
    UnitFileError
        The unit has no such length or metre, or a note lies outside of the pattern or of its ranges.
    """
    length = pattern_length(bars, metre)
    hits = [_to_record(note, length) for note in notes]
    marks = [PatternRecord(tick, TIME_MARK) for tick in range(0, length, LONGEST_STEP)]
    kept = [one for one in others if 0 <= one.tick < length]
    # Sorting is stable: at one tick come other records, then notes, then the mark of time.
    records = sorted([*kept, *hits, *marks], key=lambda record: record.tick)
    return Pattern(tuple(records), length, make_ending(bars, metre))


def with_notes(pattern: Pattern, notes: Iterable[PatternNote]) -> Pattern:
    """Return a pattern with other notes; its motions, unknown records, length and loop stay.

    Raises
    ------
    UnitFileError
        A note lies outside of the pattern or of its ranges.
    """
    wanted = tuple(notes)
    if wanted == notes_of(pattern):
        return pattern
    others = [one for one in pattern.records if not _is_note(one) and one.data != TIME_MARK]
    made = compose_pattern(wanted, pattern.bars, pattern.metre, others)
    return Pattern(made.records, made.end_tick, pattern.ending)


def _is_note(record: PatternRecord) -> bool:
    """Return whether a record is a note with a velocity that a note can have."""
    return FIRST_NOTE <= record.kind < FIRST_NOTE + PADS_A_HALF and 1 <= record.data[3] <= 127


def _to_note(record: PatternRecord) -> PatternNote:
    kind, half, pitch, velocity, filler, gate = NOTE.unpack(record.data)
    pad = kind - FIRST_NOTE + PADS_A_HALF * (half & 1)
    return PatternNote(record.tick, pad_place(pad), velocity, gate + 1, pitch - UNPITCHED, half & ~1, filler)


def _to_record(note: PatternNote, length: int) -> PatternRecord:
    _check_range("tick", note.tick, 0, length - 1)
    _check_range("velocity", note.velocity, 1, 127)
    _check_range("gate", note.gate, 1, MAX_GATE)
    _check_range("pitch", note.semitones, LOWEST_SEMITONE, HIGHEST_SEMITONE)
    half, pad = divmod(pad_index(note.pad), PADS_A_HALF)
    packed = NOTE.pack(
        FIRST_NOTE + pad,
        (note.flags & 0xFE) | half,
        UNPITCHED + note.semitones,
        note.velocity,
        note.filler & 0xFF,
        note.gate - 1,
    )
    return PatternRecord(note.tick, packed)


def _check_range(what: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise UnitFileError(f"The {what} of a note is {least:,} to {most:,}, not {value:,}.")
