"""Whole projects are read from folders and ZIPs, and written as folders."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.sp404.errors import UnitFileError
from app.sp404.pad_settings import PadSettings
from app.sp404.project.file_trees import open_tree
from app.sp404.project.pad_sounds import wav_sound
from app.sp404.project.pattern_notes import PatternNote, compose_pattern
from app.sp404.project.picture_files import read_picture
from app.sp404.project.project_header import ProjectHead
from app.sp404.project.project_reader import read_project
from app.sp404.project.project_search import find_projects
from app.sp404.project.project_writer import write_project
from app.sp404.project.unit_project import UnitProject, make_pad
from tests.sp404.project.made_files import (
    ONE_HIT,
    block,
    padconf,
    padconf_2,
    read_files,
    small_project,
    smp,
    write_files,
)
from tests.sp404.project.test_smp_files import wav

FILES = small_project()
Change = Callable[[UnitProject], UnitProject]


def zipped(files: dict[str, bytes], prefix: str = "") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(prefix + path, data)
    return made.getvalue()


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


def test_empty_folders_are_made_again(folder: Path, tmp_path: Path) -> None:
    (folder / "ROLL" / "A").mkdir(parents=True)
    write_project(read_project(folder), tmp_path / "copy")
    assert (tmp_path / "copy/ROLL/A").is_dir()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, data in {
            "P/": b"",
            "P/PTN/": b"",
            **{f"P/{path}": data for path, data in FILES.items()},
        }.items():
            archive.writestr(path, data)
        archive.writestr("P/ROLL/", b"")
    project = read_project(made.getvalue())
    assert project.empty_folders == ("ROLL",)
    assert copied(project, tmp_path / "unzipped") == FILES
    assert (tmp_path / "unzipped/ROLL").is_dir()


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


def test_version_2_stays_as_it_is_until_something_changes(tmp_path: Path) -> None:
    old = padconf_2({0: block(1312, "Dusty"), 159: block(912, "Last", w3=1)})
    files = {
        "PADCONF.BIN": old,
        "SMPL/BANK1-01.SMP": smp(bytes(800), 2),
        "SMPL/BANK10-16.SMP": smp(bytes(400), 2),
    }
    project = read_project(write_files(tmp_path / "OLD", files))
    assert (project.base.version, project.head.name, project.problems) == (2, "", ())
    assert project.pads["J16"].settings == PadSettings(name="Last", level=1)
    assert copied(project, tmp_path / "same") == files
    pads = {**project.pads, "A1": replace(project.pads["A1"], settings=PadSettings(name="New", chops=(0, 9)))}
    changed = copied(replace(project, pads=pads), tmp_path / "new")
    blocks = {0: block(1312, "New", (0, 9)), 159: block(912, "Last", w3=1)}
    assert changed["PADCONF.BIN"] == padconf(blocks, name="OLD")


def test_a_project_made_new_is_what_the_unit_writes(tmp_path: Path) -> None:
    (tmp_path / "break.wav").write_bytes(wav(list(range(1000)), 2))
    settings = PadSettings(name="Break", bpm=92.5, chops=(0, 250))
    pads = {"C16": make_pad(settings, wav_sound(tmp_path / "break.wav"))}
    hit = compose_pattern([PatternNote(0, "A1", gate=120)], bars=1)
    picture = read_picture(FILES["PICTURE/startup_1.bmp"])
    project = UnitProject(ProjectHead("Dusty"), pads, {"J16": hit}, {"PICTURE/startup_2.bmp": picture})
    files = copied(project, tmp_path / "PROJECT_02")
    assert sorted(files) == ["PADCONF.BIN", "PICTURE/startup_2.bmp", "PTN/PTN00160.BIN", "SMPL/BANK3-16.SMP"]
    assert files["PADCONF.BIN"] == padconf({47: block(512 + 2000, "Break", (0, 250), w9=9250)}, name="Dusty")
    assert files["PTN/PTN00160.BIN"] == ONE_HIT
    pcm = b"".join(value.to_bytes(2, "big") for value in range(1000))
    made, truth = files["SMPL/BANK3-16.SMP"], smp(pcm, 2)
    assert (made[:0x30], made[0x200:]) == (truth[:0x30], truth[0x200:])
    found = read_project(tmp_path / "PROJECT_02")
    assert (found.head, found.patterns, found.pictures, found.problems) == (
        project.head, project.patterns, project.pictures, (),
    )  # fmt: skip
    assert found.pads["C16"].settings == settings
    sound = io.BytesIO()
    assert found.pads["C16"].sound is not None
    found.pads["C16"].sound.write_wav(sound)
    assert sound.getvalue() == (tmp_path / "break.wav").read_bytes()


def _bank_b_softer(project: UnitProject) -> UnitProject:
    banks = list(project.head.banks)
    banks[1] = replace(banks[1], volume=100)
    return replace(project, head=replace(project.head, banks=tuple(banks)))


def _pad(place: str, **changes: object) -> Change:
    def change(project: UnitProject) -> UnitProject:
        pad = project.pads[place]
        return replace(
            project, pads={**project.pads, place: replace(pad, settings=pad.settings.changed(changes))}
        )

    return change


@pytest.mark.parametrize(
    ("change", "file", "differing"),
    [
        (
            lambda project: replace(project, head=replace(project.head, name="Dust")),
            "PADCONF.BIN",
            range(0x80, 0xA0),
        ),
        (
            lambda project: replace(project, head=replace(project.head, tempo=91.0)),
            "PADCONF.BIN",
            range(0x10, 0x14),
        ),
        (_bank_b_softer, "PADCONF.BIN", range(0x6C, 0x6E)),
        (_pad("A1", level=99), "PADCONF.BIN", range(0xA0 + 12, 0xA0 + 16)),
        (_pad("B2", name="Snare"), "PADCONF.BIN", range(0x6C20 + 17 * 24, 0x6C20 + 18 * 24)),
        (_pad("A1", chops=(0, 60)), "PADCONF.BIN", range(0x7B20, 0x7B20 + 64)),
        (lambda project: replace(project, patterns={}), "PTN/PTN00001.BIN", None),
        (lambda project: replace(project, pictures={}), "PICTURE/startup_1.bmp", None),
    ],
)
def test_only_what_was_changed_differs(
    change: Change, file: str, differing: range | None, folder: Path, tmp_path: Path
) -> None:
    # Bytes that nothing here has a name for, all over the head and the pads.
    strange = bytearray(FILES["PADCONF.BIN"])
    for place in (0x24, 0x68, 0x6A, 0xA0 + 6 * 4, 0xA0 + 40 * 4, 0x6C20 + 20, 0x7B20 + 100, 0x9000):
        strange[place] = 0x5A
    write_files(folder, {"PADCONF.BIN": bytes(strange)})
    files = copied(change(read_project(folder)), tmp_path / "changed")
    before = FILES | {"PADCONF.BIN": bytes(strange)}
    assert {path for path in before if files.get(path) != before[path]} == {file}
    if differing is not None:
        wrong = [at for at in range(52_000) if files[file][at] != strange[at] and at not in differing]
        assert wrong == []


def test_a_cleared_pad_is_as_the_unit_clears_it(folder: Path, tmp_path: Path) -> None:
    project = read_project(folder)
    files = copied(replace(project, pads={"B2": project.pads["B2"]}), tmp_path / "changed")
    assert "SMPL/BANK1-01.SMP" not in files
    assert files["PADCONF.BIN"] == padconf({17: block(712, "Kick", w4=0, w10=0x21, w3=100)})


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


def test_a_folder_that_is_there_is_never_written_over(folder: Path, tmp_path: Path) -> None:
    project = read_project(folder)
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    (tmp_path / "file").write_text("mine")
    for taken in (folder, tmp_path / "link", tmp_path / "file"):
        with pytest.raises(UnitFileError, match="exists already"):
            write_project(project, taken)
    with pytest.raises(UnitFileError, match="can't be"):
        write_project(project, tmp_path / "file" / "below")
    assert copied(project, tmp_path / "empty") == FILES
    assert (tmp_path / "empty").stat().st_mode & 0o777 == folder.stat().st_mode & 0o777
    assert (tmp_path / "file").read_text() == "mine"


def test_a_failed_copy_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    project = read_project(folder)
    (folder / "SMPL/BANK2-02.SMP").unlink()
    with pytest.raises(UnitFileError, match="The sound can't be read"):
        write_project(project, tmp_path / "out" / "copy")
    assert list((tmp_path / "out").iterdir()) == []
    gone = replace(project, pads={"A1": replace(project.pads["A1"], settings=PadSettings(end=1000))})
    with pytest.raises(UnitFileError, match="A1: End is at frame 1,000, but the sound has 200 frames"):
        write_project(gone, tmp_path / "out" / "copy")
    with pytest.raises(UnitFileError, match="no “K1”"):
        write_project(replace(project, pads={"K1": project.pads["A1"]}), tmp_path / "out" / "copy")
    picture = read_picture(FILES["PICTURE/startup_1.bmp"])
    outside = replace(project, pictures={"../x.bmp": picture})
    with pytest.raises(UnitFileError, match=r"no picture “\.\./x.bmp”"):
        write_project(outside, tmp_path / "out" / "copy")
    other = next(iter(read_project(write_files(folder, {"note": b"x"})).others.values()))
    outside = replace(project, others={"../../x": other})
    with pytest.raises(UnitFileError, match="leads outside of the project"):
        write_project(outside, tmp_path / "out" / "copy")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_sound_that_is_damaged_inside_a_zip_stops_the_copy(tmp_path: Path) -> None:
    noise = smp(hashlib.shake_128(b"noise").digest(400_000), 2)
    data = bytearray(zipped({**FILES, "SMPL/BANK1-01.SMP": noise}))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        info = archive.getinfo("SMPL/BANK1-01.SMP")
    end = info.header_offset + 30 + len(info.filename) + info.compress_size
    data[end - 6 : end] = bytes(6)
    project = read_project(bytes(data))
    with pytest.raises(UnitFileError, match="The sound can't be read"):
        write_project(project, tmp_path / "copy")


def test_only_wavs_that_the_unit_plays_go_on_a_pad(tmp_path: Path) -> None:
    for data, sentence in (
        (wav([1], 1, rate=44_100), "no 48 kHz, 16-bit WAV"),
        (wav([], 1), "no 48 kHz, 16-bit WAV"),
        (b"RIFF", "can't be read as a WAV"),
    ):
        (tmp_path / "x.wav").write_bytes(data)
        with pytest.raises(UnitFileError, match=sentence):
            wav_sound(tmp_path / "x.wav")
    with pytest.raises(UnitFileError, match="can't be read as a WAV"):
        wav_sound(tmp_path / "none.wav")
