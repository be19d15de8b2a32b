"""The numbers of the 160 pads in the unit's files, and the names of the files of each."""

from __future__ import annotations

from app.sp404.errors import UnitFileError
from app.sp404.pads import PAD_NAMES, PLACES
from app.sp404.unit_limits import PADS_IN_BANK

PADS = len(PAD_NAMES)


def pad_place(index: int) -> str:
    """Return the name of a pad by its number in the unit's files, 0 to 159.

    Raises
    ------
    IndexError
        There is no such pad.
    """
    if not 0 <= index < PADS:
        raise IndexError(index)
    return PAD_NAMES[index]


def pad_index(place: str) -> int:
    """Return the number in the unit's files of a pad, 0 for ``A1`` to 159 for ``J16``.

    Raises
    ------
    UnitFileError
        The unit has no such pad.
    """
    if place not in PLACES:
        raise UnitFileError(f"The unit has pads A1 to J16, and no “{place[:20]}”.")
    return PLACES[place]


def sound_file(index: int) -> str:
    """Return the path inside a project of a pad's sound, like ``SMPL/BANK1-01.SMP`` for pad 0."""
    bank, number = divmod(index, PADS_IN_BANK)
    return f"SMPL/BANK{bank + 1}-{number + 1:02d}.SMP"


def pattern_file(index: int) -> str:
    """Return the path inside a project of a pattern, like ``PTN/PTN00001.BIN`` for number 0."""
    return f"PTN/PTN{index + 1:05d}.BIN"
