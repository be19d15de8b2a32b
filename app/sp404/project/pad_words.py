"""The numbers of a pad's record in PADCONF.BIN and what they mean, one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from app.sp404.unit_limits import PLAY_MODES, ROLLS

SIZE, START, END, ALWAYS_ONE, FLAGS, LOOP_TOP = 0, 1, 2, 6, 10, 11
LOOP_ON = 0x7FFFFFFF
FIXED_VELOCITY, LEGATO, POLY, ONE_SHOT = 0x01, 0x08, 0x10, 0x20
POLY_BITS = {"mono": 0, "legato": LEGATO, "poly": POLY}
WORDS = 43
FRESH_WORDS = (0, 0, 0, 127, 1, 0, 1, 0, 0, 9000, 0, 0, 0, 0, 0, 0, 10000, 1, 64, 0, 1, 2, 0, 100) + (0,) * 19
"""What the unit writes for a pad without a sound."""


class _Coding(NamedTuple):
    """How a value is written as a number. What is no such number is returned as it is, and refused later."""

    decode: Callable[[int], Any]
    encode: Callable[[Any], int]


def _choice(choices: Sequence[str]) -> _Coding:
    return _Coding(lambda word: choices[word] if 0 <= word < len(choices) else word, choices.index)


_NUMBER = _Coding(int, int)
_SWITCH = _Coding(lambda word: bool(word) if word in (0, 1) else word, int)
_LOOP = _Coding(
    lambda word: bool(word) if word in (0, LOOP_ON) else word, lambda value: LOOP_ON if value else 0
)
_HUNDREDTHS = _Coding(lambda word: word / 100, lambda value: round(value * 100))

FIELDS: dict[str, tuple[int, _Coding]] = {
    "level": (3, _NUMBER),
    "gate": (4, _SWITCH),
    "loop": (5, _LOOP),
    "mute_group": (7, _NUMBER),
    "bpm_sync": (8, _SWITCH),
    "bpm": (9, _HUNDREDTHS),
    "pitch": (13, _NUMBER),
    "fine": (14, _NUMBER),
    "play_mode": (15, _choice(PLAY_MODES)),
    "speed": (16, _HUNDREDTHS),
    "vinyl": (17, _SWITCH),
    "pan": (18, _NUMBER),
    "pad_link": (19, _NUMBER),
    "bus": (20, _NUMBER),
    "roll": (21, _choice(ROLLS)),
    "attack": (22, _NUMBER),
    "hold": (23, _NUMBER),
    "release": (24, _NUMBER),
}
"""The word and the coding of each setting that has a word of its own, by its name in `PadSettings`."""


def decode_fields(words: Sequence[int]) -> dict[str, Any]:
    """Return the settings with a word of their own, and those of the flags, unchecked.

    Parameters
    ----------
    words : sequence of int
        The 43 signed numbers of a pad's record.

    Returns
    -------
    dict
        By the names of `PadSettings`. A number without a meaning stays a number, which `PadSettings` refuses.
    """
    values = {name: coding.decode(words[word]) for name, (word, coding) in FIELDS.items()}
    flags = words[FLAGS]
    modes = {bits: mode for mode, bits in POLY_BITS.items()}
    return values | {
        "fixed_velocity": bool(flags & FIXED_VELOCITY),
        "one_shot": bool(flags & ONE_SHOT),
        "poly_mode": modes.get(flags & (LEGATO | POLY), flags),
    }


def encode_field(words: list[int], name: str, value: Any) -> None:
    """Write one setting into the words of a pad's record; other bits of its word stay.

    Raises
    ------
    KeyError
        The setting has no place in the record, or it is one of the positions.
    """
    if name == "fixed_velocity":
        _set_bits(words, FIXED_VELOCITY, FIXED_VELOCITY if value else 0)
    elif name == "one_shot":
        _set_bits(words, ONE_SHOT, ONE_SHOT if value else 0)
    elif name == "poly_mode":
        _set_bits(words, LEGATO | POLY, POLY_BITS[value])
    else:
        word, coding = FIELDS[name]
        words[word] = coding.encode(value)


def _set_bits(words: list[int], mask: int, bits: int) -> None:
    words[FLAGS] = (words[FLAGS] & ~mask) | bits
