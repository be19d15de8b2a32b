"""Files made by a real SP-404MKII are read as their README says, and written back byte by byte.

They lie beside the checkout and are never part of it: see LICENSE and README.md there.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.sp404.project.midi_reader import pattern_from_midi
from app.sp404.project.midi_writer import pattern_to_midi
from app.sp404.project.padconf_files import read_padconf
from app.sp404.project.pattern_files import read_pattern
from app.sp404.project.pattern_notes import PatternNote, compose_pattern, notes_of
from app.sp404.project.project_json import project_to_dict
from app.sp404.project.project_reader import read_project
from app.sp404.project.project_writer import write_project
from app.sp404.project.smp_files import make_smp_header, read_smp_header
from app.sp404.project.unit_project import FRESH
from tests.sp404.project.made_files import read_files

DEVICE = Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "sp404"
pytestmark = pytest.mark.skipif(not DEVICE.is_dir(), reason=f"no device-made files in {DEVICE}")
PADCONFS = ("padconf-pad-params", "padconf-four-chops", "padconf-no-chops", "padconf-sequencer")
PATTERNS = (1, 2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 17, 20)


def read_json(name: str) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(json.dumps(project_to_dict(read_project(DEVICE / f"{name}.bin"))))
    return shown


def hits(number: int) -> list[tuple[int, str]]:
    found = read_pattern((DEVICE / "ptn" / f"PTN{number:05d}.BIN").read_bytes())
    return [(note.tick, note.pad) for note in notes_of(found)]


def test_each_pad_differs_in_the_setting_that_was_changed() -> None:
    pads = read_json("padconf-pad-params")["pads"]
    usual = {key: value for key, value in pads["A7"].items() if key not in ("fixed_velocity", "chops")}
    assert (usual["name"], usual["size"], usual["bpm"]) == ("001 short hendry - 5PLH", 77_224, 90.0)
    changes: dict[str, dict[str, Any]] = {
        "A1": {},
        "A2": {"loop": True},
        "A3": {"mute_group": 1},
        "A4": {"mute_group": 2},
        "A5": {"pad_link": 1},
        "A6": {"pad_link": 10},
        "A8": {"bus": 2},
        "A9": {"bus": 0},
        "A10": {"roll": "off"},
        "A11": {"roll": "1/16"},
        "A12": {"roll": "3/8"},
        "A13": {"poly_mode": "legato"},
        "A14": {"poly_mode": "poly"},
    }
    for place, changed in changes.items():
        assert {key: pads[place][key] for key in usual} == usual | changed, place
        assert pads[place]["fixed_velocity"] is (place not in ("A2", "A3", "A4")), place
    assert len(pads) == 20
    assert pads["B1"]["chops"] == [0, 4104, 12_288]
    assert pads["B2"]["chops"] == [0, 4104]
    assert pads["B3"]["chops"] == [0, 4795, 9590, 14_384]
    assert len(pads["B4"]["chops"]) == 16
    steps = [
        after - before for before, after in zip(pads["B4"]["chops"], pads["B4"]["chops"][1:], strict=False)
    ]
    assert steps == [1199] * 10 + [1198] * 5, (
        "19,178 frames: the first ten parts have the frames that are over"
    )


def test_chops_and_tempos_of_the_other_projects() -> None:
    assert read_json("padconf-four-chops")["pads"]["A1"]["chops"] == [0, 28_672, 63_488, 96_256]
    assert read_json("padconf-no-chops")["pads"]["A1"]["chops"] == []
    pads = read_json("padconf-sequencer")["pads"]
    assert (pads["A1"]["bpm"], pads["A1"]["gate"], pads["A1"]["size"]) == (75.17, False, 308_716)
    assert (pads["B1"]["bpm"], pads["B1"]["gate"], pads["B1"]["size"]) == (118.47, True, 294_012)


def test_an_unused_pad_is_as_a_project_made_here_has_it() -> None:
    for name in PADCONFS:
        base = read_padconf((DEVICE / f"{name}.bin").read_bytes())
        assert base.header[:0x80] == FRESH.header[:0x80]
        assert base.blocks[159] == FRESH.blocks[159]


@pytest.mark.parametrize("name", PADCONFS)
def test_projects_are_copied_byte_by_byte(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "PROJECT_01"
    (folder / "SMPL").mkdir(parents=True)
    shutil.copyfile(DEVICE / f"{name}.bin", folder / "PADCONF.BIN")
    if name == "padconf-sequencer":
        shutil.copytree(DEVICE / "ptn", folder / "PTN")
        for bank, size in ((1, 308_716), (2, 294_012)):
            head = (DEVICE / f"smp-header-bank{bank}-01.bin").read_bytes()
            (folder / f"SMPL/BANK{bank}-01.SMP").write_bytes(head + bytes(size - 512))
    project = read_project(folder)
    write_project(project, tmp_path / "copy")
    assert read_files(tmp_path / "copy") == read_files(folder)
    assert all(pad.settings.kept == "" for pad in project.pads.values()), "every byte has a name"
    if name == "padconf-sequencer":
        assert (project.problems, len(project.patterns)) == ((), 13)


@pytest.mark.parametrize(("bank", "size"), [(1, 308_716), (2, 294_012)])
def test_headers_of_sounds_are_those_made_here(bank: int, size: int) -> None:
    head = (DEVICE / f"smp-header-bank{bank}-01.bin").read_bytes()
    found = read_smp_header(head, size)
    assert (found.channels, found.faults) == (2, ())
    assert make_smp_header(found.frames, 2)[:0x30] == head[:0x30]


@pytest.mark.parametrize("number", PATTERNS)
def test_patterns_are_built_again_from_their_notes(number: int) -> None:
    data = (DEVICE / "ptn" / f"PTN{number:05d}.BIN").read_bytes()
    found = read_pattern(data)
    made = compose_pattern(notes_of(found), found.bars, found.metre)
    assert made.to_bytes() == data
    assert found.to_bytes() == data
    if number not in (3, 15):  # a chromatic note, and two notes of one tick that are not in pad order
        assert pattern_from_midi(pattern_to_midi(found)).pattern.to_bytes() == data


def test_patterns_have_the_notes_that_were_played() -> None:
    beats = [(tick, "A1") for tick in (0, 480, 960, 1440)]
    assert hits(1) == hits(2) == hits(3) == beats
    assert hits(5) == [(tick, "B1") for tick, _pad in beats]
    assert hits(6) == [(tick, pad) for tick, _pad in beats for pad in ("A1", "B1")]
    assert hits(7) == sorted(beats + [(tick + 240, "B1") for tick, _pad in beats])
    assert hits(9) == [(tick, "A1") for tick in range(0, 1920, 120)]
    assert [hits(number) for number in (13, 14, 15, 16, 17, 20)] == [
        [(0, "A1")], [(0, "B1")], [(0, "B1"), (0, "A1")], [(70, "B1")], [(12, "B1")], [(0, "F1")],
    ]  # fmt: skip
    notes = [
        notes_of(read_pattern((DEVICE / "ptn" / f"PTN{number:05d}.BIN").read_bytes()))[0]
        for number in (1, 2, 3)
    ]
    assert notes == [
        PatternNote(0, "A1", velocity=90, gate=120),
        PatternNote(0, "A1", velocity=127, gate=120),
        PatternNote(0, "A1", velocity=90, gate=120, semitones=-6),
    ]
