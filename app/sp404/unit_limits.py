"""Limits of the SP-404MKII, and what it offers to choose from."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from app.audio.unit_format import MAX_FRAMES, RATE_HZ

MAX_PAD_S = MAX_FRAMES / RATE_HZ
"""Longest sound of a pad in seconds."""

BANKS = "ABCDEFGHIJ"
PADS_IN_BANK = 16
MAX_PROJECT_NAME = 32
"""Characters of a project's name, as the unit shows it."""
MAX_CHOPS = 16
GROUPS = 10
"""Mute groups and pad links, which the unit calls A to J."""

PlayMode = Literal["forward", "reverse", "ping-pong", "reverse ping-pong"]
PLAY_MODES: tuple[PlayMode, ...] = get_args(PlayMode)
"""How a pad runs through its sound. The place in the list is the value that the unit stores."""
PolyMode = Literal["mono", "legato", "poly"]
POLY_MODES: tuple[PolyMode, ...] = get_args(PolyMode)
Roll = Literal["off", "1/2", "1/4", "1/8", "1/16", "1/32", "1/64", "3/8", "3/16", "3/32", "3/64"]
ROLLS: tuple[Roll, ...] = get_args(Roll)
"""Intervals of a roll in the order of the manual; the place is the value that the unit stores.

Files made by the unit show off, 1/4, 1/16 and 3/8 at their places; the rest follows from the order.
"""


class Limits(NamedTuple):
    """The lowest and highest value of a setting."""

    least: int
    most: int


LEVEL = Limits(0, 127)
PAN = Limits(0, 127)
PAN_CENTRE = 64
GROUP = Limits(0, GROUPS)
BUS = Limits(0, 2)
TEMPO_BPM = Limits(40, 200)
PITCH_SEMITONES = Limits(-12, 12)
FINE_CENTS = Limits(-100, 100)
SPEED_PERCENT = Limits(50, 150)
ATTACK = Limits(0, 127)
HOLD_PERCENT = Limits(1, 100)
RELEASE = Limits(0, 127)
VOLUME = Limits(0, 127)
"""Of a bank."""


def fits_on_pad(duration_s: float) -> bool:
    """Return whether a pad of the unit can hold a sound of this length in seconds."""
    return duration_s <= MAX_PAD_S
