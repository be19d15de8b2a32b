"""ZIPs that are not safe to unpack are refused."""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.sp404.errors import UnitFileError
from app.sp404.project.project_reader import read_project
from tests.sp404.project.made_files import padconf

GOOD = {"PADCONF.BIN": padconf()}


def zipped(entries: Mapping[Any, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for entry, data in entries.items():
            archive.writestr(entry, data)
    return made.getvalue()


def entry(path: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path)
    info.create_system, info.external_attr = 3, mode << 16
    return info


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("../x", "leads outside of its folder: “../x”"),
        ("a/../../x", "leads outside"),
        ("/etc/x", "leads outside"),
        ("C:/x", "leads outside"),
        ("..\\x", "leads outside"),
        ("a//x", "leads outside"),
        ("./x", "leads outside"),
        ("a\x07b", "a name with a control character: “a[?]b”"),
        ("x" * 256, "a path that is too long"),
        ("d/" * 13 + "x", "a path that is too long"),
        ("padconf.bin", "two files named “padconf.bin”"),
    ],
)
def test_a_path_that_is_not_safe_is_refused(path: str, sentence: str) -> None:
    with pytest.raises(UnitFileError, match=sentence):
        read_project(zipped({**GOOD, path: b"x"}))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_special_files_are_refused(kind: int) -> None:
    with pytest.raises(UnitFileError, match="a link or a special file: “SMPL”"):
        read_project(zipped({**GOOD, entry("SMPL", kind | 0o777): b"/etc"}))


def test_folders_are_no_files() -> None:
    project = read_project(zipped({entry("P/", stat.S_IFDIR | 0o755): b"", "P/PADCONF.BIN": padconf()}))
    assert (project.folder_name, project.problems) == ("P", ())


def test_a_locked_zip_is_refused() -> None:
    data = bytearray(zipped({**GOOD}))
    data[data.rindex(b"PK\1\2") + 8] |= 1
    with pytest.raises(UnitFileError, match="locked by a password"):
        read_project(bytes(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_rare_way_of_packing_is_refused(method: int) -> None:
    with pytest.raises(UnitFileError, match="Make it again as an ordinary ZIP"):
        read_project(zipped({**GOOD}, method))


def test_a_bomb_is_refused() -> None:
    with pytest.raises(UnitFileError, match="more than 200 times as large as the ZIP"):
        read_project(zipped({**GOOD, "SMPL/BANK1-01.SMP": bytes(100 << 20)}))
    silence = read_project(zipped({**GOOD, "SMPL/BANK1-01.SMP": bytes(20 << 20)}))
    assert list(silence.others) == ["SMPL/BANK1-01.SMP"], "some silence is no bomb"


def test_a_size_that_is_said_but_not_there_is_refused() -> None:
    data = bytearray(zipped({**GOOD, "x": bytes(10)}))
    struct.pack_into("<I", data, data.rindex(b"PK\1\2") + 24, 0xF0000000)
    with pytest.raises(UnitFileError, match="more than 200 times"):
        read_project(bytes(data))
    struct.pack_into("<I", data, data.rindex(b"PK\1\2") + 20, 0x00F00000)
    with pytest.raises(UnitFileError, match="overlap"):
        read_project(bytes(data))


def test_too_many_files_are_refused_before_their_list_is_read() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(20_001):
            archive.writestr(f"{number}", b"")
    with pytest.raises(UnitFileError, match="too many files: 20,000 are read"):
        read_project(made.getvalue())
    data = bytearray(zipped({**GOOD}))
    struct.pack_into("<I", data, data.rindex(b"PK\5\6") + 12, 9_000_000)
    with pytest.raises(UnitFileError, match="too many files: 20,000 are read"):
        read_project(bytes(data))


def test_a_long_list_behind_a_zip64_record_is_refused() -> None:
    data = zipped({**GOOD})
    end = data.rindex(b"PK\5\6")
    long_end = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, 9_000_000, 0)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)
    with pytest.raises(UnitFileError, match="too many files: 20,000 are read"):
        read_project(data[:end] + long_end + locator + data[end:])


@pytest.mark.parametrize("cut", [10, 100, 200])
def test_a_zip_that_was_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(UnitFileError, match="Make it again"):
        read_project(zipped({**GOOD})[:-cut])


def test_the_same_name_twice_is_refused() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("PADCONF.BIN", padconf())
        archive.writestr("PADCONF.BIN", padconf(name="Other"))
    with pytest.raises(UnitFileError, match=r"two files named “PADCONF\.BIN”"):
        read_project(made.getvalue())


def test_a_zip_on_disk_is_read_without_loading_it(tmp_path: Path) -> None:
    (tmp_path / "Dusty.zip").write_bytes(zipped({**GOOD}))
    assert read_project(tmp_path / "Dusty.zip").folder_name == "Dusty"
