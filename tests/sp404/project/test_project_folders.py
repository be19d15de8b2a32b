"""The folder that a project is written to: made whole, with every file that was in the project."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.sp404.project.project_reader import read_project
from app.sp404.project.project_writer import write_project
from app.sp404.project.unit_project import OtherFile, UnitProject
from tests.sp404.project.made_files import read_files, small_project, write_files

FILES = small_project()
LEFT_OVER = OtherFile(4, lambda: io.BytesIO(b"left"))


@pytest.fixture
def project(tmp_path: Path) -> UnitProject:
    return read_project(write_files(tmp_path / "PROJECT_01", FILES))


@pytest.fixture
def strict_umask() -> Iterator[int]:
    """Let this process make files that only its group may read too."""
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


def test_files_that_mean_nothing_here_are_copied(project: UnitProject, tmp_path: Path) -> None:
    big = bytes(range(256)) * 2000
    others = {"notes.txt": LEFT_OVER, "a/b/c.bin": OtherFile(len(big), lambda: io.BytesIO(big))}
    write_project(replace(project, others=others), tmp_path / "copy")
    assert read_files(tmp_path / "copy") == FILES | {"notes.txt": b"left", "a/b/c.bin": big}


@pytest.mark.parametrize("spell", [str, str.lower])
@pytest.mark.parametrize("path", FILES)
def test_the_projects_own_files_replace_left_over_ones(
    project: UnitProject, tmp_path: Path, path: str, spell: type[str]
) -> None:
    """The card does not tell capitals from small letters."""
    write_project(replace(project, others={spell(path): LEFT_OVER}), tmp_path / "copy")
    assert read_files(tmp_path / "copy") == FILES


def test_a_pad_without_its_sound_replaces_no_left_over_file(project: UnitProject, tmp_path: Path) -> None:
    silent = {"A1": replace(project.pads["A1"], sound=None)}
    others = {"SMPL/BANK1-01.SMP": LEFT_OVER}
    write_project(replace(project, pads=silent, others=others), tmp_path / "copy")
    assert read_files(tmp_path / "copy")["SMPL/BANK1-01.SMP"] == b"left"


def test_folders_are_made_as_deep_as_they_are_asked_for(project: UnitProject, tmp_path: Path) -> None:
    target = tmp_path / "EXPORT" / "PROJECT" / "PROJECT_02"
    write_project(replace(project, empty_folders=("ROLL/A", "ROLL", "SMPL/MORE")), target)
    assert (target / "ROLL" / "A").is_dir()
    assert (target / "SMPL" / "MORE").is_dir()
    assert read_files(target) == FILES


def test_others_may_read_the_folder_as_far_as_the_umask_lets_them(
    project: UnitProject, tmp_path: Path, strict_umask: int
) -> None:
    write_project(project, tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o750
    assert os.umask(strict_umask) == strict_umask


def test_a_folder_may_have_a_long_name(project: UnitProject, tmp_path: Path) -> None:
    """85 characters of three bytes are the 255 bytes that a name has at most."""
    write_project(project, tmp_path / ("ド" * 85))
    assert read_files(tmp_path / ("ド" * 85)) == FILES
