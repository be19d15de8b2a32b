"""The 160 pads of a project by their names: A1 to A16, B1 … J16. Pad 1 is at the top left of its bank."""

from __future__ import annotations

import re

from app.sp404.unit_limits import BANKS, PADS_IN_BANK

PAD_NAMES = tuple(f"{bank}{number}" for bank in BANKS for number in range(1, PADS_IN_BANK + 1))
PAD_PATTERN = r"^[A-J]([1-9]|1[0-6])$"
# `C05 snare.wav`, as tools name the files of a bank: the pad, then something that is no letter or digit.
PAD_IN_FILE_NAME = re.compile(r"\s*([A-J])(0[1-9]|1[0-6])(?![A-Za-z0-9])")
PLACES = {name: place for place, name in enumerate(PAD_NAMES)}


def bank_of(pad: str) -> str:
    """Return the bank of a pad: `C` of `C5`."""
    return pad[0]


def pads_of_bank(bank: str) -> tuple[str, ...]:
    """Return the 16 pads of a bank in order.

    Parameters
    ----------
    bank : str
        A letter from A to J.
    """
    first = BANKS.index(bank) * PADS_IN_BANK
    return PAD_NAMES[first : first + PADS_IN_BANK]


def pad_in_file_name(name: str) -> str | None:
    """Return the pad that a file's name begins with, as `C5` for `C05 snare.wav`.

    Parameters
    ----------
    name : str
        The bank and two digits of the pad come first; what follows begins with no letter or digit.

    Returns
    -------
    str or None
        None when the name asks for no pad.
    """
    found = PAD_IN_FILE_NAME.match(name)
    return f"{found[1]}{int(found[2])}" if found else None


def lay_out(names: list[str]) -> dict[int, str]:
    """Return a pad for each of several sounds by their files' names, as far as there are pads.

    Parameters
    ----------
    names : list of str
        The names of the files in order.

    Returns
    -------
    dict of int to str
        The pad of each place in the list. A sound whose name begins with a pad goes there, the first of
        several; pads that no name asks for stay empty in such a bank. The others fill the other banks in
        their order, and then the gaps. Sounds beyond the 160 pads are not in the result.
    """
    found: dict[int, str] = {}
    for place, name in enumerate(names):
        pad = pad_in_file_name(name)
        if pad is not None and pad not in found.values():
            found[place] = pad
    asked_banks = {bank_of(pad) for pad in found.values()}
    free = [pad for pad in PAD_NAMES if pad not in found.values()]
    free.sort(key=lambda pad: bank_of(pad) in asked_banks)
    others = [place for place in range(len(names)) if place not in found]
    return found | dict(zip(others, free, strict=False))
