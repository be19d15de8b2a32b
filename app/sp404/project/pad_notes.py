"""MIDI notes of the unit's pads.

Pads 1 to 4 of a bank are notes 48 to 51, 5 to 8 are 44 to 47, 9 to 12 are 40 to 43 and 13 to 16 are 36 to 39;
the MIDI channel is the bank (mode A of the unit).
"""

from __future__ import annotations

from app.sp404.pad_places import pad_index
from app.sp404.unit_limits import BANKS, PADS_IN_BANK

LOWEST_PAD_NOTE, HIGHEST_PAD_NOTE = 36, 51


def note_of_pad(place: str) -> tuple[int, int]:
    """Return the MIDI channel, 0 to 9, and the note, 36 to 51, of a pad.

    Raises
    ------
    UnitFileError
        The unit has no such pad.
    """
    bank, number = divmod(pad_index(place), PADS_IN_BANK)
    return bank, 48 - 4 * (number // 4) + number % 4


def pad_of_note(channel: int, note: int) -> str | None:
    """Return the pad that plays a note of a MIDI channel (0 to 15), if one does."""
    if channel >= len(BANKS) or not LOWEST_PAD_NOTE <= note <= HIGHEST_PAD_NOTE:
        return None
    row, column = divmod(note - LOWEST_PAD_NOTE, 4)
    return f"{BANKS[channel]}{(3 - row) * 4 + column + 1}"
