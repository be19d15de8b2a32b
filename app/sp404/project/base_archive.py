"""The project that a kit was imported from, packed without what the kit has, and read again for a card.

Of each sound that went to a library only what its WAV lacks is kept: the header, which the unit fills with
random values, and bytes after the last whole frame. So an untouched sound is written as the same SMP again.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, NamedTuple, cast

from app.sp404.errors import ProjectProblem, UnitFileError
from app.sp404.pad_places import pad_index, pattern_file, sound_file
from app.sp404.project.file_trees import PADCONF, open_tree, read_errors_named, read_whole, shown_path
from app.sp404.project.kept_smp import KeptSmp
from app.sp404.project.project_reader import read_project_of
from app.sp404.project.unit_project import OtherFile, UnitProject
from app.sp404.project.zip_checks import MAX_DEPTH

ARCHIVE_VERSION = 1
FOLDER, FACTS = "project", "sounds.json"
MAX_FACTS_BYTES = 4 << 20
MAX_OTHERS, MAX_OTHERS_BYTES = 2_000, 48 << 20
"""How many files without a meaning here are kept with a kit, and how large they may be together."""
COPY_BYTES = 1 << 18
NOT_KEPT = (
    "It was not kept with the kit: it is nested too deep, "
    "or the project's other files are too many or too large."
)
WriteFile = Callable[[BinaryIO], object]


class BaseArchive(NamedTuple):
    """A project without its sounds, and what their SMPs had beside the sound, by pads."""

    project: UnitProject
    sounds: Mapping[str, KeptSmp]


def write_base(project: UnitProject, sounds: Mapping[str, KeptSmp], target: Path) -> list[ProjectProblem]:
    """Pack everything of a project but the sounds that were taken.

    Parameters
    ----------
    project : UnitProject
        As it was read, without the patterns that the kit holds.
    sounds : mapping of str to KeptSmp
        What was taken, by pads.
    target : Path
        Of the ZIP.

    Returns
    -------
    list of ProjectProblem
        Files that were left out, because they are too many or too large together, lie too deep or can't be
        read.
    """
    problems: list[ProjectProblem] = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(FACTS, json.dumps(_facts_of(project, sounds)))
        for path, data in _own_files(project):
            archive.writestr(f"{FOLDER}/{path}", data)
        for path in project.empty_folders:
            archive.writestr(f"{FOLDER}/{path}/", b"")
        files, left_bytes = 0, MAX_OTHERS_BYTES
        for path, size_bytes, write in _other_files(project, sounds):
            fits = size_bytes <= left_bytes and files < MAX_OTHERS and path.count("/") < MAX_DEPTH
            fault = _add_other(archive, path, write) if fits else NOT_KEPT
            if fault:
                problems.append(ProjectProblem(shown_path(path), fault))
                continue
            files, left_bytes = files + 1, left_bytes - size_bytes
    return problems


def read_base(path: Path) -> BaseArchive:
    """Return a project that `write_base` has packed. Its files are read from the ZIP when they are needed.

    Raises
    ------
    UnitFileError
        The file is no such ZIP.
    """
    tree = open_tree(path)
    try:
        facts = json.loads(read_whole(tree, FACTS, MAX_FACTS_BYTES, FACTS))
        sounds = {place: _kept_smp(plain) for place, plain in facts["sounds"].items()}
        folder_name = str(facts["folder_name"])
    except (KeyError, TypeError, ValueError) as error:
        raise UnitFileError("The project that is kept with the kit can't be read.") from error
    project = read_project_of(tree, FOLDER)
    return BaseArchive(replace(project, folder_name=folder_name, problems=()), sounds)


def _own_files(project: UnitProject) -> Iterator[tuple[str, bytes]]:
    yield PADCONF, project.base.to_bytes()
    for place, pattern in project.patterns.items():
        yield pattern_file(pad_index(place)), pattern.to_bytes()
    for path, picture in project.pictures.items():
        yield path, picture.to_bytes()


def _other_files(project: UnitProject, sounds: Mapping[str, KeptSmp]) -> Iterator[tuple[str, int, WriteFile]]:
    """Yield path, size and writer of the sounds that were not taken, and of files without a meaning here."""
    for place, pad in project.pads.items():
        if pad.sound is not None and place not in sounds:
            yield sound_file(pad_index(place)), pad.sound.header.size_bytes, pad.sound.write_smp
    for path, other in project.others.items():
        yield path, other.size_bytes, partial(_copy_other, path, other)


def _add_other(archive: zipfile.ZipFile, path: str, write: WriteFile) -> str:
    """Add a file if all of it can be read; else return why not."""
    with TemporaryFile() as whole:
        try:
            write(cast(BinaryIO, whole))
        except UnitFileError:
            return "It can't be read and is not kept with the kit."
        whole.seek(0)
        with archive.open(f"{FOLDER}/{path}", "w") as member:
            shutil.copyfileobj(whole, member, COPY_BYTES)
    return ""


def _copy_other(path: str, other: OtherFile, target: BinaryIO) -> None:
    with read_errors_named(f"“{shown_path(path)}” can't be read."), other.open_file() as source:
        shutil.copyfileobj(source, target, COPY_BYTES)


def _facts_of(project: UnitProject, sounds: Mapping[str, KeptSmp]) -> dict[str, Any]:
    return {
        "version": ARCHIVE_VERSION,
        "folder_name": project.folder_name,
        "sounds": {
            place: {
                "header": kept.header.hex(),
                "tail": kept.tail.hex(),
                "pcm_sha256": kept.pcm_sha256,
                "frames": kept.frames,
                "channels": kept.channels,
            }
            for place, kept in sounds.items()
        },
    }


def _kept_smp(plain: Mapping[str, Any]) -> KeptSmp:
    return KeptSmp(
        bytes.fromhex(plain["header"]),
        bytes.fromhex(plain["tail"]),
        plain["pcm_sha256"],
        cast(int, plain["frames"]),
        cast(int, plain["channels"]),
    )
