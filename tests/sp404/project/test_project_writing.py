"""Whole projects are written as folders: what nobody changed byte by byte, and nothing on a failure."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.sp404.errors import UnitFileError
from app.sp404.pad_settings import PadSettings
from app.sp404.project.pad_sounds import wav_sound
from app.sp404.project.pattern_notes import PatternNote, compose_pattern
from app.sp404.project.picture_files import read_picture
from app.sp404.project.project_header import ProjectHead
from app.sp404.project.project_reader import read_project
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
    zipped,
)
from tests.sp404.project.test_smp_files import wav

FILES = small_project()
Change = Callable[[UnitProject], UnitProject]


def copied(project: UnitProject, folder: Path) -> dict[str, bytes]:
    write_project(project, folder)
    return read_files(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "PROJECT_01", FILES)


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


def test_a_project_without_a_name_gets_none_from_another_change(folder: Path, tmp_path: Path) -> None:
    pads = {0: block(1312, "Dusty"), 17: block(712, "Kick")}
    write_files(folder, {"PADCONF.BIN": padconf(pads, name="")})
    files = copied(_pad("A1", level=99)(read_project(folder)), tmp_path / "changed")
    assert files["PADCONF.BIN"] == padconf({**pads, 0: block(1312, "Dusty", w3=99)}, name="")


def test_a_cleared_pad_is_as_the_unit_clears_it(folder: Path, tmp_path: Path) -> None:
    project = read_project(folder)
    files = copied(replace(project, pads={"B2": project.pads["B2"]}), tmp_path / "changed")
    assert "SMPL/BANK1-01.SMP" not in files
    assert files["PADCONF.BIN"] == padconf({17: block(712, "Kick", w4=0, w10=0x21, w3=100)})


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
