"""The second reader finds in hand-built files what was put there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.sp404.hand_built import (
    RISING,
    SIDES,
    corner,
    project_files,
    sx_files,
    wav_file,
    write_folder,
    write_zip,
)
from tests.sp404.reading.patterns import read_pattern
from tests.sp404.second_reader import check_wav, read_project, read_sx_card


@pytest.fixture
def hand_built(tmp_path: Path) -> dict[str, Any]:
    return read_project(write_folder(project_files(), tmp_path / "PROJECT_07"))


@pytest.mark.parametrize("kind", ["folder", "ZIP"])
def test_the_settings_of_a_hand_built_project_are_read(tmp_path: Path, kind: str) -> None:
    files = {f"PROJECT_07/{name}": data for name, data in project_files().items()}
    write = {"folder": write_folder, "ZIP": write_zip}[kind]
    found = read_project(write(files, tmp_path / "made"))
    assert (found["folder"], found["name"], found["version"]) == ("PROJECT_07", "PROJECT_07", 3)
    assert (found["tempo"], found["mode"]) == (93.5, "project")
    assert found["banks"]["A"] == {"tempo": 93.5, "volume": 100, "protect": True}
    assert found["banks"]["I"] == {"tempo": 90.0, "volume": 127, "protect": False}
    assert found["banks"]["J"] == {"tempo": 200.0, "volume": 0, "protect": False}
    assert found["pads"].keys() == {"A1", "J16"}


def test_the_pads_of_a_hand_built_project_are_read(hand_built: dict[str, Any]) -> None:
    pads = hand_built["pads"]
    assert np.array_equal(pads["A1"].pop("pcm"), RISING)
    assert np.array_equal(pads["J16"].pop("pcm"), SIDES)
    a1 = {"name": "A1 kick", "level": 100, "pan": 0, "gate": False, "loop": False, "one_shot": True}
    a1 |= {"play_mode": 1, "mute_group": 3, "pad_link": 4, "bus": 2, "roll": 4, "bpm": 75.17}
    a1 |= {"bpm_sync": True, "pitch": -5, "fine": 20, "speed": 74.07, "vinyl": False}
    a1 |= {"fixed_velocity": True, "backing": False, "ensemble": False, "poly_mode": "poly"}
    a1 |= {"attack": 7, "hold": 90, "release": 9, "start": 0, "end": 5000, "loop_top": 0}
    assert pads["A1"] == a1 | {"chops": [0, 1250, 4999]}
    j16 = {"name": "01 pad (Am) [x]", "level": 127, "pan": 127, "gate": True, "loop": True}
    j16 |= {"one_shot": False, "play_mode": 3, "mute_group": 10, "pad_link": 10, "bus": 0, "roll": 7}
    j16 |= {"bpm": 200.0, "bpm_sync": False, "pitch": 12, "fine": -100, "speed": 150.0, "vinyl": True}
    j16 |= {"fixed_velocity": False, "backing": True, "ensemble": True, "poly_mode": "legato"}
    j16 |= {"attack": 127, "hold": 100, "release": 127, "start": 1000, "end": 5000, "loop_top": 2000}
    assert pads["J16"] == j16 | {"chops": []}


def test_the_pattern_and_the_picture_of_a_hand_built_project_are_read(hand_built: dict[str, Any]) -> None:
    assert hand_built["patterns"].keys() == {"A1", "J16"}
    first = {"tick": 0, "pad": "J16", "semitones": 1, "velocity": 90, "gate": 120}
    second = {"tick": 0, "pad": "A2", "semitones": -4, "velocity": 1, "gate": 1}
    assert hand_built["patterns"]["J16"]["notes"] == [first, second]
    assert hand_built["pictures"].keys() == {"startup_1"}
    assert np.array_equal(hand_built["pictures"]["startup_1"], corner())


def test_motions_erased_notes_and_other_metres_are_read() -> None:
    """Read two bars of 3/4 that loop from the second on, with a note at tick 2040 = 8 · 255."""
    rows = ["FF80000000000000"] * 8
    rows[1] = "0A80000000000000 F58E010001134009"  # a motion of bus 2 at tick 265
    rows[2] = "0080018D5A407700 FF80000000000000"
    rows += [
        "0030008D7F40FF01",
        "FF80000000000000",
        "FF80000000000000",
        "FF80000000000000",
        "4B80000000000000",
    ]
    found = read_pattern(bytes.fromhex("".join(rows) + "008C000000000000 0200000001810201"), "made")
    assert (found["bars"], found["metre"], found["length"], found["loop"]) == (2, "3/4", 2880, (1, 2))
    assert found["notes"] == [{"tick": 2040, "pad": "A2", "semitones": 0, "velocity": 127, "gate": 512}]
    assert found["motions"] == [{"tick": 265, "bus": 2, "controller": 0x13, "value": 64}]
    assert found["erased"] == [{"tick": 510, "bytes": bytes.fromhex("018D5A407700")}]


def test_a_project_of_version_2_has_no_name_and_no_chops(tmp_path: Path) -> None:
    files = project_files()
    newer = files["PADCONF.BIN"]
    files["PADCONF.BIN"] = newer[:0x80] + newer[0xA0:0x7B20]
    files["PADCONF.BIN"][8] = 2
    found = read_project(write_folder(files, tmp_path / "PROJECT_01"))
    assert (found["version"], found["name"], found["folder"]) == (2, None, "PROJECT_01")
    assert [pad["name"] for pad in found["pads"].values()] == ["A1 kick", "01 pad (Am) [x]"]
    assert [pad["chops"] for pad in found["pads"].values()] == [[], []]


@pytest.mark.parametrize("kind", ["folder", "ZIP"])
def test_a_hand_built_card_is_read(tmp_path: Path, kind: str) -> None:
    files = {f"ROLAND/SP-404SX/SMPL/{name}": data for name, data in sx_files().items()}
    write = {"folder": write_folder, "ZIP": write_zip}[kind]
    found = read_sx_card(write(files, tmp_path / "card"))
    assert found.keys() == {"A2", "J12"}
    assert np.array_equal(found["A2"].pop("pcm"), RISING)
    assert np.array_equal(found["J12"].pop("pcm"), SIDES)
    a2: dict[str, Any] = {
        "original_start": 0,
        "original_end": 5000,
        "start": 0,
        "end": 5000,
        "volume": 127,
        "lofi": False,
    }
    a2 |= {"loop": False, "gate": True, "reverse": False, "channels": 1, "tempo_mode": "off"}
    assert found["A2"] == a2 | {"original_bpm": 90.0, "bpm": 90.0}
    j12: dict[str, Any] = {
        "original_start": 0,
        "original_end": 6000,
        "start": 1000,
        "end": 5000,
        "volume": 90,
        "lofi": True,
    }
    j12 |= {"loop": True, "gate": False, "reverse": True, "channels": 2, "tempo_mode": "user"}
    assert found["J12"] == j12 | {"original_bpm": 93.5, "bpm": 120.0}


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_canonical_wav_passes(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(wav_file(SIDES, rate))
    found = check_wav(path, rate)
    assert (found["channels"], found["frames"]) == (2, 6000)
    assert np.array_equal(found["pcm"], SIDES)
