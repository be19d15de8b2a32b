"""Names of the files and folders of a card. A prefix counts within the 23 characters of a name."""

from __future__ import annotations

from app.sp404.card.pad_plans import PlannedPad
from app.sp404.pad_names import MAX_PAD_NAME, safe_name
from app.sp404.pads import bank_of


def numbered_stem(planned: PlannedPad) -> str:
    """Return ``05_Dusty break 93 Am`` for pad 5 of a bank: the order in which the unit lists the files."""
    return _prefixed(f"{pad_number(planned.pad):02d}_", planned)


def placed_stem(planned: PlannedPad) -> str:
    """Return ``A05 Dusty break 93 Am``: the pad comes first, as tools for the unit name their files."""
    return _prefixed(f"{bank_of(planned.pad)}{pad_number(planned.pad):02d} ", planned)


def folder_for_kit(name: str) -> str:
    """Return the name of a kit's folder, at most 23 characters."""
    return safe_name(name, MAX_PAD_NAME)


def folder_for_bank(name: str, bank: str) -> str:
    """Return the name of a bank's folder: the kit's, then the letter."""
    return f"{safe_name(name, MAX_PAD_NAME - 2)} {bank}"


def pad_number(pad: str) -> int:
    """Return the number of a pad in its bank, 1 to 16."""
    return int(pad[1:])


def shortening(planned: PlannedPad, stem: str) -> tuple[str, ...]:
    """Return a sentence about a file name that does not end in the whole name of its pad, if it doesn't."""
    return () if stem.endswith(planned.settings.name) else (f"File name shortened to “{stem}”.",)


def _prefixed(prefix: str, planned: PlannedPad) -> str:
    return prefix + safe_name(planned.settings.name, MAX_PAD_NAME - len(prefix))
