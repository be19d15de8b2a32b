"""The second reader takes the first and last value of every range, and not the next one beyond."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from tests.sp404 import hand_built
from tests.sp404.reading.padconf import read_padconf
from tests.sp404.reading.patterns import read_pattern
from tests.sp404.second_reader import BrokenFile

# Word of a pad's record, field, lowest and highest as written, one step of the field.
EDGES = [
    (3, "level", 0, 127, 1),
    (7, "mute_group", 0, 10, 1),
    (9, "bpm", 4000, 20_000, 100),
    (13, "pitch", -12, 12, 1),
    (14, "fine", -100, 100, 1),
    (15, "play_mode", 0, 3, 1),
    (16, "speed", 5000, 15_000, 100),
    (18, "pan", 0, 127, 1),
    (19, "pad_link", 0, 10, 1),
    (20, "bus", 0, 2, 1),
    (21, "roll", 0, 127, 1),
    (22, "attack", 0, 127, 1),
    (23, "hold", 0, 127, 1),
    (24, "release", 0, 127, 1),
]


def read_a1(word: int, value: int) -> dict[str, Any]:
    """Return pad A1 of a hand-built project whose record has this value in that word."""
    data = hand_built.project_files()["PADCONF.BIN"]
    struct.pack_into(">i", data, 0xA0 + 4 * word, value)
    pad: dict[str, Any] = read_padconf(bytes(data))["pads"]["A1"]
    return pad


@pytest.mark.parametrize(("word", "field", "lowest", "highest", "step"), EDGES)
def test_a_setting_may_have_the_ends_of_its_range(
    word: int, field: str, lowest: int, highest: int, step: int
) -> None:
    assert [read_a1(word, value)[field] for value in (lowest, highest)] == [lowest / step, highest / step]
    for value in (lowest - 1, highest + 1):
        with pytest.raises(BrokenFile, match=f"Pad A1: {field} is "):
            read_a1(word, value)


@pytest.mark.parametrize("word", [25, 33, 42])
def test_the_last_words_of_a_record_are_zero(word: int) -> None:
    with pytest.raises(BrokenFile, match=f"Pad A1: word {word} is 1, not 0"):
        read_a1(word, 1)


@pytest.mark.parametrize(
    ("code", "metre", "quarters"),
    [(0, "4/4", 4), (1, "3/4", 3), (2, "2/4", 2), (3, "1/4", 1), (4, "5/4", 5), (5, "6/4", 6), (6, "7/4", 7)],
)
def test_every_metre_has_its_length(code: int, metre: str, quarters: int) -> None:
    whole, rest = divmod(quarters * 480, 255)
    records = "002F008D7F40FFFF" + whole * "FF80000000000000" + f"{rest:02X}80000000000000"
    data = bytes.fromhex(f"{records}008C000000000000 010000{code:04X}800101")
    found = read_pattern(data, "made")
    assert (found["metre"], found["length"], found["notes"][0]["gate"]) == (metre, quarters * 480, 65_536)


@pytest.mark.parametrize("controller", [0x10, 0x11, 0x12, 0x13, 0x50, 0x51, 0x52, 0x53])
@pytest.mark.parametrize(("bus", "stamp"), [(0x00, 0x00), (0x03, 0x00), (0x40, 0xFF)])
def test_a_motion_has_a_bus_and_a_controller(controller: int, bus: int, stamp: int) -> None:
    """A motion with 0x40 and FF carries something else than its tick in bytes 4 and 7."""
    other = 0x7F if stamp else 0
    motion = bytes([0, 0x8E, bus, stamp, other, controller, 127, other])
    found = read_pattern(motion + bytes.fromhex(hand_built.ONE_BAR), "made")
    assert found["motions"] == [{"tick": 0, "bus": (bus & 3) + 1, "controller": controller, "value": 127}]


@pytest.mark.parametrize(("second", "third"), [("40", "00"), ("00", "FF")])
def test_a_motion_without_both_marks_says_its_tick(second: str, third: str) -> None:
    motion = bytes.fromhex(f"008E{second}{third}7F10007F")
    with pytest.raises(BrokenFile, match="a motion says it stands at 32639"):
        read_pattern(motion + bytes.fromhex(hand_built.ONE_BAR), "made")
