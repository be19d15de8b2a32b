"""Read and write PTN, the patterns of the SP-404MKII, record by record.

A pattern is a row of records of eight bytes: the ticks to the next record and what happens. Reading keeps
each of them, so that what is read is written back byte by byte. Source: device-made files of firmware 5.0x.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from app.sp404.errors import UnitFileError

TICKS_PER_QUARTER = 480
MAX_BARS = 64
METRES = ("4/4", "3/4", "2/4", "1/4", "5/4", "6/4", "7/4")
"""The place in the list is the value in the file. Only the first two have been seen in files."""
BEATS = (4, 3, 2, 1, 5, 6, 7)
RECORD_BYTES = 8
MAX_PATTERN_BYTES = 1 << 18
"""Of a file. 64 bars with 30 pads on every sixteenth are just under it."""
LONGEST_STEP = 255
TIME, END, MOTION = 0x80, 0x8C, 0x8E
ENDING = bytes([0, END, 0, 0, 0, 0, 0, 0])
LOOP_BASE = 0x80


class PatternRecord(NamedTuple):
    """One record of a pattern.

    Attributes
    ----------
    tick : int
        From the start of the pattern, 480 a quarter note.
    data : bytes
        The seven bytes after the distance to the next record.
    """

    tick: int
    data: bytes

    @property
    def kind(self) -> int:
        """Return the byte that says what the record is."""
        return self.data[0]


@dataclass(frozen=True)
class Pattern:
    """A pattern as its file has it.

    Attributes
    ----------
    records : tuple of PatternRecord
        All but the end, in the order of the file.
    end_tick : int
        Where the end stands.
    ending : bytes
        The end record and the trailer, 16 bytes.
    """

    records: tuple[PatternRecord, ...]
    end_tick: int
    ending: bytes

    @property
    def bars(self) -> int:
        """Return the length in bars, 1 to 64."""
        return self.ending[8]

    @property
    def metre(self) -> str:
        """Return the time signature, like ``4/4``."""
        return METRES[self.ending[12]]

    @property
    def loop(self) -> tuple[int, int]:
        """Return the first and the last bar that repeat, both counted from 1."""
        return self.ending[13] - LOOP_BASE + 1, self.ending[14]

    def with_loop(self, first_bar: int, last_bar: int) -> Pattern:
        """Return the pattern with other bars repeating, counted from 1.

        Raises
        ------
        UnitFileError
            The bars are not in the pattern, or in the wrong order.
        """
        if not 1 <= first_bar <= last_bar <= self.bars:
            raise UnitFileError(
                f"A loop from bar {first_bar} to bar {last_bar} does not fit a pattern of {self.bars}."
            )
        ending = bytearray(self.ending)
        ending[13:15] = LOOP_BASE + first_bar - 1, last_bar
        return replace(self, ending=bytes(ending))

    def to_bytes(self) -> bytes:
        """Return the file.

        Raises
        ------
        UnitFileError
            Two records are more than 255 ticks apart, or out of order.
        """
        ticks = [record.tick for record in self.records] + [self.end_tick]
        steps = [after - before for before, after in pairwise(ticks)]
        if ticks[0] != 0 or any(not 0 <= step <= LONGEST_STEP for step in steps):
            raise UnitFileError("The records of a pattern must follow each other within 255 ticks.")
        rows = (bytes([step]) + record.data for step, record in zip(steps, self.records, strict=True))
        return b"".join(rows) + self.ending


def pattern_length(bars: int, metre: str) -> int:
    """Return the length in ticks of so many bars.

    Raises
    ------
    UnitFileError
        The unit has no such length or metre.
    """
    if metre not in METRES:
        raise UnitFileError(f"A pattern is in {', '.join(METRES[:-1])} or {METRES[-1]}, not in {metre[:20]}.")
    if not 1 <= bars <= MAX_BARS:
        raise UnitFileError(f"A pattern has 1 to {MAX_BARS} bars, not {bars:,}.")
    return bars * BEATS[METRES.index(metre)] * TICKS_PER_QUARTER


def make_ending(bars: int, metre: str) -> bytes:
    """Return the end record and the trailer of a pattern that loops as a whole, 16 bytes."""
    return ENDING + bytes([bars, 0, 0, 0, METRES.index(metre), LOOP_BASE, bars, 1])


def read_pattern(data: bytes) -> Pattern:
    """Return the pattern of a PTN file.

    Parameters
    ----------
    data : bytes
        The whole file.

    Raises
    ------
    UnitFileError
        The file is too long, cut off, or has a length, metre or loop that the unit can't have.
    """
    end, ending = _find_end(data)
    records: list[PatternRecord] = []
    tick = 0
    for start in range(0, end, RECORD_BYTES):
        records.append(PatternRecord(tick, data[start + 1 : start + RECORD_BYTES]))
        tick += data[start]
    return Pattern(tuple(records), tick, ending)


def outline_pattern(data: bytes) -> Pattern:
    """Return the pattern of a PTN file without its records: its length, metre and loop are there.

    Records take about 30 times the memory of their file, which is too much where many files are only counted.

    Parameters
    ----------
    data : bytes
        The whole file.

    Raises
    ------
    UnitFileError
        As in `read_pattern`.
    """
    _end, ending = _find_end(data)
    return Pattern((), 0, ending)


def count_bars(data: bytes) -> int:
    """Return the bars of a PTN file, 1 to 64, without reading its records.

    Parameters
    ----------
    data : bytes
        The whole file.

    Raises
    ------
    UnitFileError
        As in `read_pattern`.
    """
    _end, ending = _find_end(data)
    return ending[RECORD_BYTES]


def _find_end(data: bytes) -> tuple[int, bytes]:
    """Return where the end record begins, and the end with its trailer."""
    if len(data) > MAX_PATTERN_BYTES:
        raise UnitFileError(f"A pattern file has at most {MAX_PATTERN_BYTES:,} bytes, not {len(data):,}.")
    if len(data) % RECORD_BYTES:
        raise UnitFileError("The pattern is cut off in the middle of a record.")
    number = data[1::RECORD_BYTES].find(END)
    if number < 0:
        raise UnitFileError("The pattern has no end: it was cut off.")
    end = number * RECORD_BYTES
    return end, _checked_ending(data[end:])


def _checked_ending(ending: bytes) -> bytes:
    """Return the end record and the trailer, when the unit can have them."""
    if len(ending) != 2 * RECORD_BYTES:
        raise UnitFileError("The pattern does not finish with its end and one record about its length.")
    bars, metre, first, last = ending[8], ending[12], ending[13] - LOOP_BASE, ending[14]
    if not 1 <= bars <= MAX_BARS:
        raise UnitFileError(f"The pattern says that it has {bars} bars; the unit has 1 to {MAX_BARS}.")
    if metre >= len(METRES):
        raise UnitFileError(f"The pattern has a metre of unknown number {metre}.")
    if not 0 <= first < last <= bars:
        raise UnitFileError(
            f"The pattern says that it repeats bars {first + 1} to {last}, but it has {bars}."
        )
    return ending
