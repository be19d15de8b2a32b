"""One pad's record in PADCONF.BIN: 43 big-endian words, its name and its chops."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Any

from tests.sp404.reading.checks import read_name, require, require_between

RECORD_BYTES = 172
NAME_BYTES = 24
CHOP_BYTES = 128
UNUSED_CHOP = 0xFFFFFFFF
LOOP_ON = 0x7FFFFFFF

# Words that hold the value itself: field, lowest, highest.
PLAIN_WORDS = {
    3: ("level", 0, 127),
    7: ("mute_group", 0, 10),
    13: ("pitch", -12, 12),
    14: ("fine", -100, 100),
    15: ("play_mode", 0, 3),
    18: ("pan", 0, 127),
    19: ("pad_link", 0, 10),
    20: ("bus", 0, 2),
    21: ("roll", 0, 127),
    22: ("attack", 0, 127),
    23: ("hold", 0, 127),
    24: ("release", 0, 127),
}
SWITCHES = {4: "gate", 8: "bpm_sync", 17: "vinyl"}
FLAGS = {"fixed_velocity": 0x01, "backing": 0x02, "ensemble": 0x04, "one_shot": 0x20}
POLY_MODES = {0x00: "mono", 0x08: "legato", 0x10: "poly"}
FIXED_WORDS = {6: 1, 12: 0, **dict.fromkeys(range(25, 43), 0)}

FRESH_WORDS = {3: 127, 4: 1, 6: 1, 9: 9000, 16: 10_000, 17: 1, 18: 64, 20: 1, 21: 2, 23: 100}
EMPTY_RECORD = tuple(FRESH_WORDS.get(word, 0) for word in range(43))
EMPTY_NAME = b" " * 23 + b"\0"


def read_pad(record: bytes, name: bytes, label: str) -> dict[str, Any] | None:
    """Return the fields of a pad with its positions in bytes, or None for an empty pad."""
    words = struct.unpack(">43i", record)
    if words[0] == 0:
        require(words == EMPTY_RECORD, f"Pad {label} is empty, but its record is not that of an empty pad.")
        require(name == EMPTY_NAME, f"Pad {label} is empty, but its name is not 23 spaces.")
        return None
    for word, value in FIXED_WORDS.items():
        require(words[word] == value, f"Pad {label}: word {word} is {words[word]}, not {value}.")
    require(b"\0" in name, f"The name of pad {label} has no NUL at its end.")
    text = read_name(name.split(b"\0")[0], f"pad {label}")
    pad = {"name": text, "size": words[0]} | _read_values(words, label) | _read_flags(words[10], label)
    require(words[5] in (0, LOOP_ON), f"Pad {label}: loop is {words[5]:#x}, not 0 or {LOOP_ON:#x}.")
    pad |= {"loop": words[5] == LOOP_ON}
    held = pad["gate"] or pad["loop"]
    require(not (pad["one_shot"] and held), f"Pad {label} is a one-shot with gate or loop.")
    return pad | {"start_byte": words[1], "end_byte": words[2], "loop_top_byte": words[11]}


def read_chops(data: bytes, label: str) -> list[int]:
    """Return the chop points of a pad in frames: none, or the first is 0 and each is later than the last."""
    points = struct.unpack(">16I", data[:64])
    require(data[64:] == bytes(64), f"Pad {label}: the 16 words after its chops are not zero.")
    chops = [point for point in points if point != UNUSED_CHOP]
    require(list(points[: len(chops)]) == chops, f"Pad {label} has an unused chop before a used one.")
    require(not chops or chops[0] == 0, f"The first chop of pad {label} is not 0.")
    rising = all(first < second for first, second in pairwise(chops))
    require(rising, f"The chops of pad {label} are not in order.")
    return chops


def place_in_frames(pad: dict[str, Any], frames: int, channels: int, label: str) -> dict[str, Any]:
    """Return the pad with start, end and loop top in frames of its SMP, where all must lie."""
    placed = {key: value for key, value in pad.items() if not key.endswith("_byte") and key != "size"}
    for field in ("start", "end", "loop_top"):
        offset = pad[f"{field}_byte"]
        frame, rest = divmod(offset - 512, 2 * channels)
        require(rest == 0, f"Pad {label}: {field} {offset} lies inside a frame.")
        require_between(frame, 0, frames, f"Pad {label}: {field} in frames")
        placed[field] = frame
    require(placed["start"] < placed["end"], f"Pad {label} ends before it starts.")
    inside = placed["start"] <= placed["loop_top"] <= placed["end"]
    require(inside, f"Pad {label}: the loop top is not between start and end.")
    last = max(pad["chops"], default=0)
    require(last < frames, f"Pad {label}: chop {last} lies after the last of {frames} frames.")
    return placed


def _read_values(words: tuple[int, ...], label: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for word, (field, lowest, highest) in PLAIN_WORDS.items():
        require_between(words[word], lowest, highest, f"Pad {label}: {field}")
        values[field] = words[word]
    for word, field in SWITCHES.items():
        require_between(words[word], 0, 1, f"Pad {label}: {field}")
        values[field] = words[word] == 1
    values |= {"bpm": words[9] / 100, "speed": words[16] / 100}
    require_between(values["bpm"], 40, 200, f"Pad {label}: bpm")
    require_between(values["speed"], 50, 150, f"Pad {label}: speed")
    return values


def _read_flags(flags: int, label: str) -> dict[str, Any]:
    require(flags & ~0x3F == 0, f"Pad {label} has unknown flags: {flags:#x}.")
    poly = flags & 0x18
    require(poly in POLY_MODES, f"Pad {label} is legato and poly at once.")
    return {field: bool(flags & bit) for field, bit in FLAGS.items()} | {"poly_mode": POLY_MODES[poly]}
