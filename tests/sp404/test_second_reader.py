"""The second reader takes files that a unit made, with the settings that were made on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sp404.reading.pad_records import place_in_frames
from tests.sp404.reading.padconf import read_padconf
from tests.sp404.reading.patterns import read_pattern
from tests.sp404.reading.smp import read_smp_header

DEVICE_MADE = Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "sp404"
device_made = pytest.mark.skipif(
    not DEVICE_MADE.is_dir(), reason="the device-made files are not beside the checkout"
)
FRESH: dict[str, Any] = {
    "level": 127,
    "pan": 64,
    "gate": True,
    "loop": False,
    "one_shot": False,
    "play_mode": 0,
    "bpm": 90.0,
}
FRESH |= {"mute_group": 0, "pad_link": 0, "bus": 1, "roll": 2, "bpm_sync": False, "pitch": 0, "fine": 0}
FRESH |= {"speed": 100.0, "vinyl": True, "fixed_velocity": True, "backing": False, "ensemble": False}
FRESH |= {
    "poly_mode": "mono",
    "attack": 0,
    "hold": 100,
    "release": 0,
    "start": 0,
    "loop_top": 0,
    "chops": [0],
}
SHORT = FRESH | {"name": "001 short hendry - 5PLH", "end": 19_178}
PLAIN = {"fixed_velocity": False}
EQUAL_16 = [*range(0, 11 * 1199, 1199), *range(13_188, 19_178, 1198)]
PAD_SETTINGS: dict[str, dict[str, Any]] = {
    "A1": {},
    "A2": PLAIN | {"loop": True},
    "A3": PLAIN | {"mute_group": 1},
    "A4": PLAIN | {"mute_group": 2},
    "A5": {"pad_link": 1},
    "A6": {"pad_link": 10},
    "A7": PLAIN | {"chops": []},
    "A8": {"bus": 2},
    "A9": {"bus": 0},
    "A10": {"roll": 0},
    "A11": {"roll": 4},
    "A12": {"roll": 7},
    "A13": {"poly_mode": "legato"},
    "A14": {"poly_mode": "poly"},
    "A15": {},
    "A16": {},
    "B1": {"chops": [0, 4104, 12288]},
    "B2": {"chops": [0, 4104]},
    "B3": {"chops": [0, 4795, 9590, 14384]},
    "B4": {"chops": EQUAL_16},
}
BEATS = [0, 480, 960, 1440]
DEVICE_PATTERNS: dict[int, list[tuple[int, str, int, int]]] = {
    1: [(tick, "A1", 90, 0) for tick in BEATS],
    2: [(tick, "A1", 127, 0) for tick in BEATS],
    3: [(tick, "A1", 90, -6) for tick in BEATS],
    5: [(tick, "B1", 90, 0) for tick in BEATS],
    6: [(tick, pad, 90, 0) for tick in BEATS for pad in ("A1", "B1")],
    7: [(tick + late, pad, 90, 0) for tick in BEATS for late, pad in ((0, "A1"), (240, "B1"))],
    9: [(tick, "A1", 90, 0) for tick in range(0, 1920, 120)],
    13: [(0, "A1", 90, 0)],
    14: [(0, "B1", 90, 0)],
    15: [(0, "B1", 90, 0), (0, "A1", 90, 0)],
    16: [(70, "B1", 90, 0)],
    17: [(12, "B1", 90, 0)],
    20: [(0, "F1", 90, 0)],
}


def device_padconf(name: str) -> dict[str, Any]:
    """Return a device-made PADCONF with its stereo pads in frames."""
    found = read_padconf((DEVICE_MADE / f"padconf-{name}.bin").read_bytes())
    for label, pad in found["pads"].items():
        found["pads"][label] = place_in_frames(pad, (pad["size"] - 512) // 4, 2, label)
    return found


@device_made
def test_device_made_pads_have_the_settings_that_were_made() -> None:
    found = device_padconf("pad-params")
    assert found["pads"] == {label: SHORT | changed for label, changed in PAD_SETTINGS.items()}
    assert (found["version"], found["name"], found["tempo"], found["mode"]) == (3, "PROJECT_16", 90.0, "bank")
    assert found["banks"].keys() == set("ABCDEFGHIJ")
    assert all(bank == {"tempo": 90.0, "volume": 127, "protect": False} for bank in found["banks"].values())


@device_made
@pytest.mark.parametrize(
    ("name", "chops"), [("four-chops", [0, 28_672, 63_488, 96_256]), ("no-chops", [])], ids=["four", "none"]
)
def test_device_made_chops_are_read(name: str, chops: list[int]) -> None:
    found = device_padconf(name)
    wanted = {"name": "cooper F drone - ARCN", "end": 501_227, "chops": chops}
    assert found["pads"] == {"A1": FRESH | PLAIN | wanted}
    assert found["name"] == "PROJECT_10"


@device_made
def test_the_device_made_pads_of_the_patterns_are_read() -> None:
    found = device_padconf("sequencer")
    kick = {"name": "indust - houst kck - AR", "gate": False, "bpm": 75.17, "end": 77_051}
    loop = {"name": "hiphop - another life k", "gate": True, "bpm": 118.47, "end": 73_375}
    pads = {"A1": FRESH | PLAIN | kick | {"chops": []}, "B1": FRESH | PLAIN | loop | {"chops": []}}
    assert (found["name"], found["pads"]) == ("PROJECT_08", pads)


@device_made
@pytest.mark.parametrize(("bank", "size"), [(1, 308_716), (2, 294_012)])
def test_device_made_headers_of_samples_are_read(bank: int, size: int) -> None:
    name = f"smp-header-bank{bank}-01.bin"
    assert read_smp_header((DEVICE_MADE / name).read_bytes(), size, name) == 2


@device_made
@pytest.mark.parametrize("number", DEVICE_PATTERNS)
def test_device_made_patterns_are_read(number: int) -> None:
    name = f"PTN{number:05}.BIN"
    found = read_pattern((DEVICE_MADE / "ptn" / name).read_bytes(), name)
    notes = [(note["tick"], note["pad"], note["velocity"], note["semitones"]) for note in found["notes"]]
    assert notes == DEVICE_PATTERNS[number]
    assert {note["gate"] for note in found["notes"]} == {120}
    assert (found["bars"], found["metre"], found["loop"]) == (1, "4/4", (0, 1))


@device_made
def test_every_device_made_pattern_is_among_those_tested() -> None:
    assert {path.stem for path in (DEVICE_MADE / "ptn").iterdir()} == {f"PTN{n:05}" for n in DEVICE_PATTERNS}
