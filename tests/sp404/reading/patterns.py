"""Patterns of the sequencer: records of 8 bytes, each with the ticks to the next, and a trailer."""

from __future__ import annotations

from typing import Any

from tests.sp404.reading.checks import require, require_between
from tests.sp404.reading.padconf import PAD_LABELS

TICKS_A_QUARTER = 480
GRID_TICKS = 255
METRES = {0: "4/4", 1: "3/4", 2: "2/4", 3: "1/4", 4: "5/4", 5: "6/4", 6: "7/4"}
FIRST_PAD, LAST_PAD, TIME, END, MOTION = 0x2F, 0x7E, 0x80, 0x8C, 0x8E
AS_IT_IS = 0x8D
CONTROLLERS = frozenset({0x10, 0x11, 0x12, 0x13, 0x50, 0x51, 0x52, 0x53})


def read_pattern(data: bytes, name: str) -> dict[str, Any]:
    """Return bars, metre, loop, notes, motions and erased notes; ticks count 480 a quarter from 0."""
    require(
        len(data) % 8 == 0 and len(data) >= 24, f"{name} has {len(data)} bytes, no row of 8-byte records."
    )
    *events, end, trailer = [data[at : at + 8] for at in range(0, len(data), 8)]
    require(
        end == bytes([0, END, 0, 0, 0, 0, 0, 0]), f"{name}: the record before the trailer is not the end."
    )
    pattern = _read_trailer(trailer, name) | {"notes": [], "motions": [], "erased": []}
    tick, grid = 0, []
    for record in events:
        if record[1] == TIME and not any(record[2:]):
            grid.append(tick)
        else:
            _read_event(record, tick, name, pattern)
            late = FIRST_PAD <= record[1] <= LAST_PAD and grid[-1:] == [tick]
            require(not late, f"{name}: a note at tick {tick} stands after the time record of that tick.")
        tick += record[0]
    length = pattern["length"]
    require(tick == length, f"{name}: its records last {tick} ticks, its bars {length}.")
    wanted = list(range(0, length, GRID_TICKS))
    require(grid == wanted, f"{name}: time records at {grid}, not once at every multiple of {GRID_TICKS}.")
    require(bool(pattern["notes"]), f"{name} has no note.")
    require(all(note["tick"] < length for note in pattern["notes"]), f"{name} has a note at its very end.")
    return pattern


def _read_trailer(trailer: bytes, name: str) -> dict[str, Any]:
    bars, metre, first, last = trailer[0], trailer[4], trailer[5] - 0x80, trailer[6]
    require_between(bars, 1, 64, f"{name}: bars")
    require(trailer[1:4] == bytes(3), f"{name}: bytes 1 to 3 of the trailer are not 0.")
    require(metre in METRES, f"{name} has an unknown metre: {metre}.")
    require(0 <= first < last <= bars, f"{name} loops from bar {first} to {last} of {bars}.")
    require(trailer[7] == 1, f"{name}: the trailer ends in {trailer[7]}, not 1.")
    quarters = int(METRES[metre][0])
    length = bars * quarters * TICKS_A_QUARTER
    return {"bars": bars, "metre": METRES[metre], "length": length, "loop": (first, last)}


def _read_event(record: bytes, tick: int, name: str, pattern: dict[str, Any]) -> None:
    kind, where = record[1], f"{name} at tick {tick}"
    if FIRST_PAD <= kind <= LAST_PAD:
        pattern["notes"].append(_read_note(record, tick, where))
    elif kind == MOTION:
        pattern["motions"].append(_read_motion(record, tick, where))
    else:
        require(kind == TIME, f"{where}: unknown record {record.hex(' ')}.")
        pattern["erased"].append({"tick": tick, "bytes": record[2:]})


def _read_note(record: bytes, tick: int, where: str) -> dict[str, Any]:
    require(record[2] & ~0x41 == 0, f"{where}: byte 2 of a note is {record[2]:#x}.")
    require_between(record[4], 1, 127, f"{where}: velocity")
    require(record[5] == 0x40, f"{where}: byte 5 of a note is {record[5]:#x}, not 0x40.")
    return {
        "tick": tick,
        "pad": PAD_LABELS[record[1] - FIRST_PAD + 80 * (record[2] & 1)],
        "semitones": record[3] - AS_IT_IS,
        "velocity": record[4],
        "gate": int.from_bytes(record[6:8], "little") + 1,
    }


def _read_motion(record: bytes, tick: int, where: str) -> dict[str, Any]:
    bus, controller = record[2] & 0x0F, record[5]
    require_between(bus, 0, 3, f"{where}: bus of a motion")
    require(controller in CONTROLLERS, f"{where}: unknown controller {controller:#x}.")
    stamped = not (record[2] & 0x40 and record[3] == 0xFF)
    own_tick = record[4] << 8 | record[7]
    require(not stamped or own_tick == tick & 0xFFFF, f"{where}: a motion says it stands at {own_tick}.")
    return {"tick": tick, "bus": bus + 1, "controller": controller, "value": record[6]}
