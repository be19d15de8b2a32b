"""Read a pattern from a MIDI file, with the notes of the unit's pads.

Times are scaled to the unit's 480 ticks and never quantised, so swing stays.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from io import BytesIO

import mido

from app.plurals import pluralize
from app.sp404.errors import UnitFileError
from app.sp404.pad_places import pad_index
from app.sp404.project.pad_notes import pad_of_note
from app.sp404.project.pattern_files import (
    BEATS,
    MAX_BARS,
    METRES,
    TICKS_PER_QUARTER,
    Pattern,
    pattern_length,
)
from app.sp404.project.pattern_notes import MAX_GATE, PatternNote, compose_pattern
from app.sp404.unit_limits import BANKS

MAX_MIDI_BYTES = 256 * 1024
HELD_TICKS = 120
DEFAULT_METRE = "4/4"
# These last as long as a metre that the unit has.
SAME_LENGTH = {"2/2": "4/4", "8/8": "4/4", "6/8": "3/4", "4/8": "2/4", "12/8": "6/4", "3/2": "6/4"}


@dataclass(frozen=True)
class MidiPattern:
    """A pattern read from a MIDI file.

    Attributes
    ----------
    pattern : Pattern
        What the unit can play of it.
    bpm : float or None
        The first tempo that the file names.
    left_out : tuple of str
        Sentences about what could not be taken over.
    """

    pattern: Pattern
    bpm: float | None
    left_out: tuple[str, ...]


@dataclass
class _Take:
    """What is found in the tracks of a file, with times in ticks of the unit."""

    scale: float
    hits: list[PatternNote] = field(default_factory=list)
    metres: list[tuple[int, str]] = field(default_factory=list)
    bpm: float | None = None
    end: int = 0
    last_release: int = 0
    other_notes: int = 0

    def scaled(self, ticks: int) -> int:
        return round(ticks * self.scale)


def pattern_from_midi(data: bytes, bank: str | None = None, bars: int | None = None) -> MidiPattern:
    """Return the pattern of a MIDI file.

    Parameters
    ----------
    data : bytes
        A standard MIDI file of format 0 or 1.
    bank : str, optional
        Play every channel on this bank, ``A`` to ``J``. Without it, channel 1 is bank A, and so on to J.
    bars : int, optional
        Length in bars. Without it, the bars that the file fills, up to 64.

    Raises
    ------
    UnitFileError
        The file can't be read, has a clock in frames a second, or no note of a pad.
    """
    if bank is not None and bank not in [*BANKS]:
        raise UnitFileError(f"The unit has banks A to J, and no “{bank[:20]}”.")
    take = _read_tracks(_parse(data), bank)
    if not take.hits:
        raise UnitFileError(
            "The MIDI file has no note of a pad: 36 to 51"
            + (" on any channel." if bank else ", on channels 1 to 10 for banks A to J.")
        )
    left_out: list[str] = []
    metre = _choose_metre(take, left_out)
    bar_ticks = BEATS[METRES.index(metre)] * TICKS_PER_QUARTER
    length = pattern_length(min(_bars_filled(take, bar_ticks), MAX_BARS) if bars is None else bars, metre)
    inside = [hit for hit in take.hits if hit.tick < length]
    if len(inside) < len(take.hits):
        late = pluralize(len(take.hits) - len(inside), "note")
        left_out.append(f"Left out: {late} after bar {length // bar_ticks}.")
    if take.other_notes:
        other = pluralize(take.other_notes, "note")
        left_out.append(f"Left out: {other} with a number or channel that no pad of the unit has.")
    return MidiPattern(compose_pattern(inside, length // bar_ticks, metre), take.bpm, tuple(left_out))


def _parse(data: bytes) -> mido.MidiFile:
    if len(data) > MAX_MIDI_BYTES:
        raise UnitFileError(f"The MIDI file has more than {MAX_MIDI_BYTES // 1024} KB.")
    try:
        midi = mido.MidiFile(file=BytesIO(data), clip=True)
    except Exception as error:
        raise UnitFileError("The MIDI file is damaged, or it is no MIDI file.") from error
    if midi.type not in (0, 1):
        raise UnitFileError(f"The MIDI file is of format {midi.type}; formats 0 and 1 can be read.")
    if midi.ticks_per_beat <= 0:
        raise UnitFileError("The MIDI file counts frames a second instead of beats. Export it with beats.")
    return midi


def _read_tracks(midi: mido.MidiFile, bank: str | None) -> _Take:
    take = _Take(TICKS_PER_QUARTER / midi.ticks_per_beat)
    for track in midi.tracks:
        held: dict[tuple[int, int], deque[tuple[int, int]]] = defaultdict(deque)
        now = 0
        for message in track:
            now += message.time
            _take_message(take, message, now, held, bank)
        take.end = max(take.end, take.scaled(now))
        for (channel, note), starts in held.items():
            for tick, velocity in starts:
                _add_hit(take, (channel, note), tick, velocity, HELD_TICKS, bank)
    # Notes of one tick stand in the order of their pads.
    take.hits.sort(key=lambda hit: (hit.tick, pad_index(hit.pad)))
    return take


def _take_message(
    take: _Take,
    message: mido.Message | mido.MetaMessage,
    now: int,
    held: dict[tuple[int, int], deque[tuple[int, int]]],
    bank: str | None,
) -> None:
    if message.type == "note_on" and message.velocity > 0:
        held[message.channel, message.note].append((take.scaled(now), message.velocity))
    elif message.type in ("note_on", "note_off"):
        key = (message.channel, message.note)
        take.last_release = max(take.last_release, take.scaled(now))
        if held[key]:
            tick, velocity = held[key].popleft()
            _add_hit(take, key, tick, velocity, max(take.scaled(now) - tick, 1), bank)
    elif message.type == "time_signature":
        take.metres.append((now, f"{message.numerator}/{message.denominator}"))
    elif message.type == "set_tempo" and take.bpm is None and message.tempo:
        take.bpm = round(mido.tempo2bpm(message.tempo), 2)


def _add_hit(
    take: _Take, key: tuple[int, int], tick: int, velocity: int, gate: int, bank: str | None
) -> None:
    channel, note = key
    pad = pad_of_note(channel if bank is None else BANKS.index(bank), note)
    if pad is None:
        take.other_notes += 1
    else:
        take.hits.append(PatternNote(tick, pad, velocity, min(gate, MAX_GATE)))


def _choose_metre(take: _Take, left_out: list[str]) -> str:
    """Return the metre of the unit for that of the file, and add what was lost."""
    found = [metre for _tick, metre in sorted(take.metres)]
    if not found:
        return DEFAULT_METRE
    if len(set(found)) > 1:
        left_out.append("The time signature changes in the file; a pattern has one, so the first was used.")
    metre = SAME_LENGTH.get(found[0], found[0])
    if metre in METRES:
        return metre
    left_out.append(f"The unit has no {found[0]} time signature; {DEFAULT_METRE} was used.")
    return DEFAULT_METRE


def _bars_filled(take: _Take, bar_ticks: int) -> int:
    """Return how many bars a file fills.

    Its end counts where it stands on a bar line or after the last note: else it is only where a note that
    began in the last bar was let go.
    """
    bars = max(hit.tick for hit in take.hits) // bar_ticks + 1
    if take.end > take.last_release or take.end % bar_ticks == 0:
        bars = max(bars, -(-take.end // bar_ticks))
    return bars
