"""Write a pattern as a MIDI file, with the notes of the unit's pads."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO

import mido

from app.sp404.project.pad_notes import note_of_pad
from app.sp404.project.pattern_files import BEATS, METRES, TICKS_PER_QUARTER, Pattern, pattern_length
from app.sp404.project.pattern_notes import PatternNote, notes_of

RELEASE_VELOCITY = 64
ENDING, BEGINNING = 0, 1


def pattern_to_midi(pattern: Pattern, bpm: float | None = None, name: str = "") -> bytes:
    """Return a pattern as a standard MIDI file of format 0, with 480 ticks a quarter.

    Parameters
    ----------
    pattern : Pattern
        Its notes are written. MIDI has no place for chromatic pitch and for motions of effects. A note ends
        with the pattern at the latest; where two notes of a pad overlap, the one that began first ends first.
    bpm : float, optional
        The tempo of the pattern's bank.
    name : str
        Name of the track.
    """
    length = pattern_length(pattern.bars, pattern.metre)
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("track_name", name=name.encode("ascii", "replace").decode("ascii")))
    beats = BEATS[METRES.index(pattern.metre)]
    track.append(mido.MetaMessage("time_signature", numerator=beats, denominator=4))
    if bpm is not None:
        track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm)))
    now = 0
    for tick, order, channel, note, velocity in _events(notes_of(pattern), length):
        kind = "note_on" if order == BEGINNING else "note_off"
        track.append(mido.Message(kind, channel=channel, note=note, velocity=velocity, time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=length - now))
    written = BytesIO()
    mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_QUARTER, tracks=[track]).save(file=written)
    return written.getvalue()


def _events(notes: Iterable[PatternNote], length: int) -> list[tuple[int, int, int, int, int]]:
    """Return tick, 0 for an end and 1 for a beginning, channel, note and velocity of each event, in order."""
    events = []
    for note in notes:
        if note.tick < length:
            channel, number = note_of_pad(note.pad)
            events.append((note.tick, BEGINNING, channel, number, note.velocity))
            events.append((min(note.tick + note.gate, length), ENDING, channel, number, RELEASE_VELOCITY))
    return sorted(events, key=lambda event: event[:2])
