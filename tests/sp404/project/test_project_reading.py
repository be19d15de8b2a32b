"""Whole projects are read from folders and ZIPs, also those with something wrong."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from app.sp404.errors import UnitFileError
from app.sp404.pad_settings import PadSettings
from app.sp404.project.file_trees import open_tree
from app.sp404.project.pad_sounds import wav_sound
from app.sp404.project.pattern_notes import PatternNote, compose_pattern
from app.sp404.project.project_header import ProjectHead
from app.sp404.project.project_reader import read_project
from app.sp404.project.project_search import find_projects
from app.sp404.project.project_writer import write_project
from app.sp404.project.unit_project import UnitProject, make_pad
from tests.sp404.project.made_files import (
    ONE_HIT,
    padconf,
    padconf_2,
    read_files,
    small_project,
    smp,
    write_files,
    zipped,
)
from tests.sp404.project.test_smp_files import wav

FILES = small_project()


def copied(project: UnitProject, folder: Path) -> dict[str, bytes]:
    write_project(project, folder)
    return read_files(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "PROJECT_01", FILES)


def test_a_project_is_read(folder: Path) -> None:
    project = read_project(folder)
    assert project.problems == ()
    assert project.head == ProjectHead("PROJECT_01")
    assert project.pads["A1"].settings == PadSettings(
        name="Dusty break 92", bpm=92.17, bpm_sync=True, mute_group=3, chops=(0, 50, 120)
    )
    kick = project.pads["B2"]
    assert kick.settings == PadSettings(
        name="Kick", gate=False, one_shot=True, fixed_velocity=True, level=100
    )
    assert (kick.size_bytes, kick.channels, kick.sound is not None) == (712, 1, True)
    assert list(project.patterns) == ["A1"]
    assert list(project.pictures) == ["PICTURE/startup_1.bmp"]
    assert (project.others, project.folder_name) == ({}, "PROJECT_01")


@pytest.mark.parametrize("source", ["folder", "above", "zip", "zip bytes", "zip of a card", "windows zip"])
def test_it_is_copied_byte_by_byte_from_wherever_it_lies(source: str, folder: Path, tmp_path: Path) -> None:
    card = {f"EXPORT/PROJECT/PROJECT_01/{path}": data for path, data in FILES.items()}
    card |= {"__MACOSX/EXPORT/._x": b"x", "EXPORT/.DS_Store": b"x", "IMPORT/Drums/01.wav": b"x"}
    sources: dict[str, Path | bytes] = {
        "folder": folder,
        "above": tmp_path,
        "zip": write_files(tmp_path / "z", {"p.zip": zipped(FILES)}) / "p.zip",
        "zip bytes": zipped(FILES, "Dusty Breaks/"),
        "zip of a card": zipped(card),
        "windows zip": zipped(FILES).replace(b"SMPL/B", b"SMPL\\B"),
    }
    project = read_project(sources[source])
    assert project.problems == ()
    assert copied(project, tmp_path / "out" / "copy") == FILES


def test_files_without_a_meaning_are_kept(folder: Path, tmp_path: Path) -> None:
    odd = {
        "PTN/PATTERNCHAIN_00.CHN": b"<chain/>",
        "PTN/PTN00161.BIN": ONE_HIT,
        "PTN/PTN00002.BIN": ONE_HIT[:-3],
        "SMPL/BANK3-01.SMP": smp(bytes(400), 2),
        "SMPL/BANK2-02.SMP": b"no sound",
        "PICTURE/screen_saver_1.bmp": b"BMno",
        "notes.txt": b"mine",
    }
    project = read_project(write_files(folder, odd))
    assert sorted(project.others) == sorted(odd)
    assert [str(problem) for problem in project.problems] == [
        "B2: The sound is cut off inside its header.",
        "Pattern A2: The pattern is cut off in the middle of a record. It is kept as it is.",
        "PICTURE/screen_saver_1.bmp: A picture of the unit is a BMP file of 1,086 bytes; this has 4. "
        "It is kept as it is.",
        "C1: There is a sound SMPL/BANK3-01.SMP, but PADCONF.BIN has no pad for it.",
    ]
    assert project.pads["B2"].sound is None
    assert copied(project, tmp_path / "copy") == FILES | odd
    # A new sound and a new pattern take the places of what could not be read.
    (tmp_path / "kick.wav").write_bytes(wav([1, 2, 3], 1))
    pad = make_pad(PadSettings(name="New"), wav_sound(tmp_path / "kick.wav"))
    hit = compose_pattern([PatternNote(0, "A1")], 1)
    changed = replace(project, pads={**project.pads, "B2": pad}, patterns={**project.patterns, "A2": hit})
    files = copied(changed, tmp_path / "changed")
    assert files["SMPL/BANK2-02.SMP"][512:] == bytes([0, 1, 0, 2, 0, 3])
    assert files["PTN/PTN00002.BIN"] == ONE_HIT.replace(b"\x77", b"\x77")


def test_names_that_can_not_be_shown_are_no_trouble(folder: Path, tmp_path: Path) -> None:
    (folder / os.fsdecode(b"bad\xff\nname")).write_bytes(b"x")
    (folder / os.fsdecode(b"link\xff")).symlink_to(tmp_path)
    project = read_project(folder)
    assert [problem.place for problem in project.problems] == ["link?"]
    write_project(project, tmp_path / "copy")
    assert (tmp_path / "copy" / os.fsdecode(b"bad\xff\nname")).read_bytes() == b"x"
    for action in (read_project, lambda path: write_project(project, path)):
        with pytest.raises(UnitFileError, match=r"“x+”"):
            action(tmp_path / ("x" * 300))


def test_a_wrong_sound_is_said(folder: Path) -> None:
    sound = bytearray(smp(bytes(400), 2))
    sound[0x20] ^= 1
    write_files(folder, {"SMPL/BANK1-01.SMP": bytes(sound)})
    (folder / "SMPL/BANK2-02.SMP").unlink()
    assert [str(problem) for problem in read_project(folder).problems] == [
        "A1: The checksum in the header is wrong; the unit may answer “Hash Check Error”.",
        "A1: Its sound has 912 bytes, but PADCONF.BIN says 1,312.",
        "A1: A chop is at frame 120, but the sound has 100 frames.",
        "B2: Its sound SMPL/BANK2-02.SMP is missing; the unit drops the pad.",
    ]


def test_padconf_alone_is_a_project_without_sounds(tmp_path: Path) -> None:
    project = read_project(FILES["PADCONF.BIN"])
    assert [problem.place for problem in project.problems] == ["Project"]
    assert sorted(project.pads) == ["A1", "B2"]
    assert project.pads["A1"].sound is None
    alone = write_files(tmp_path, {"anything.bin": FILES["PADCONF.BIN"]}) / "anything.bin"
    assert read_project(alone).pads == project.pads


def test_one_of_several_projects_is_chosen(tmp_path: Path) -> None:
    write_files(tmp_path / "EXPORT/PROJECT/PROJECT_01", FILES)
    write_files(tmp_path / "EXPORT/PROJECT/P16_Dusty", {"padconf.bin": padconf(name="Dusty")})
    write_files(tmp_path / "EXPORT/PROJECT/P16_Dusty/inner", {"PADCONF.BIN": padconf(name="Inner")})
    found = find_projects(open_tree(tmp_path))
    assert found == [f"EXPORT/PROJECT/{name}" for name in ("P16_Dusty", "P16_Dusty/inner", "PROJECT_01")]
    with pytest.raises(
        UnitFileError, match=r"There are 3 projects: “EXPORT/PROJECT/P16_Dusty”, .* Choose one\."
    ):
        read_project(tmp_path)
    dusty = read_project(tmp_path, found[0])
    assert (dusty.head.name, dusty.folder_name, dusty.others) == ("Dusty", "P16_Dusty", {})
    with pytest.raises(UnitFileError, match="There is no project “x”"):
        read_project(tmp_path, "x")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"RFPX" + padconf()[4:], "neither a project folder, nor a ZIP, nor a PADCONF.BIN"),
        (b"", "neither a project folder"),
        (b"RFPD", "does not begin like a project"),
        (padconf()[:8] + b"\4" + padconf()[9:], "of version 4; versions 2 and 3 can be read"),
        (padconf()[:-1], "has 52,000 bytes, but this one has 51,999"),
        (padconf() + b"\0", "has 52,000 bytes, but this one has 52,001"),
        (padconf_2() + b"\0", "has 31,488 bytes"),
        (zipped({"a": b"x"}), "There is no PADCONF.BIN"),
        (zipped({"PADCONF.BIN": bytes(60_000)}), "PADCONF.BIN has 60,000 bytes; at most 52,001 are read"),
    ],
)
def test_what_is_no_project_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(UnitFileError, match=sentence):
        read_project(data)


def test_links_and_special_files_are_left_out(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (folder / "SMPL/BANK4-01.SMP").symlink_to(tmp_path / "secret")
    (folder / "LINKED").symlink_to(tmp_path)
    os.mkfifo(folder / "PTN" / "PTN00003.BIN")
    project = read_project(folder)
    assert sorted(problem.place for problem in project.problems) == [
        "LINKED", "PTN/PTN00003.BIN", "SMPL/BANK4-01.SMP",
    ]  # fmt: skip
    assert copied(project, tmp_path / "copy") == FILES
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path / "none"):
        with pytest.raises(UnitFileError):
            read_project(path)
