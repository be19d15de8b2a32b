"""Find what can become a kit in a ZIP: projects of the unit, and `kit.json` with sounds beside it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from app.sp404.card.kit_folders import KIT_FILE
from app.sp404.card.kit_reading import MAX_KIT_BYTES
from app.sp404.errors import ProjectProblem, UnitFileError
from app.sp404.importing.project_kit import name_project
from app.sp404.kit_document import KitDocument, KitDocumentError, read_kit
from app.sp404.project.file_trees import FileTree, open_tree, read_whole, shown_path
from app.sp404.project.pattern_files import MAX_PATTERN_BYTES
from app.sp404.project.pcm_files import WAV_HEADER_BYTES
from app.sp404.project.project_reader import read_project_of
from app.sp404.project.project_search import MAX_PROJECTS, find_projects
from app.sp404.project.smp_files import HEADER_BYTES
from app.sp404.project.unit_project import UnitProject

UNIT, KIT = "unit", "kit"
MAX_PROBLEMS = 200
MAX_KITS = 32
"""How many kit.json one file may have. Each may hold 160 patterns, which are unpacked to be checked."""
MAX_LOOKED_BYTES = 64 << 20
"""Of all patterns of a file together: 16 projects with 160 patterns of 3,000 notes each."""
PATTERN_PATH = re.compile(r"(?:.*/)?ptn/ptn\d{5}\.bin", re.DOTALL)
NOTHING_FOUND = (
    "There is no project of the SP-404MKII and no kit.json in it. Choose the folder of a project, a card's "
    "EXPORT, a backup of the unit, or a card of ours with WAVs and kit.json."
)


@dataclass(frozen=True)
class KitSource:
    """Something that can become a kit.

    Attributes
    ----------
    path : str
        Of the project's folder, or of the kit.json; a project at the top is an empty path.
    kind : str
        "unit" or "kit".
    """

    path: str
    kind: Literal["unit", "kit"]


@dataclass(frozen=True)
class FoundKit:
    """What can be told of a kit before its sounds are read.

    Attributes
    ----------
    path, kind : str
        As in `KitSource`.
    name : str
    pads, sounds : int
        How many pads have a sound, and how many files these are: at most so many samples.
    size_bytes : int
        Of the sounds as WAVs.
    patterns, pictures : int
    problems : tuple of str
        Sentences about what is wrong; where it can't become a kit at all, `sounds` is 0 and this says why.
    is_readable : bool
        False where it can't become a kit.
    """

    path: str
    kind: str
    name: str
    pads: int = 0
    sounds: int = 0
    size_bytes: int = 0
    patterns: int = 0
    pictures: int = 0
    problems: tuple[str, ...] = ()
    is_readable: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> FoundKit:
        """Return what `to_dict` made plain."""
        return cls(**{**plain, "problems": tuple(plain["problems"])})


def look_into(source: Path, name: str) -> list[FoundKit]:
    """Return what can become a kit in a file that somebody sends. Sounds are not read.

    It runs where requests are answered, so memory and time are bounded whatever the file holds.

    Parameters
    ----------
    source : Path
        A ZIP, or a PADCONF.BIN alone.
    name : str
        What it was called, without its ending; a project at its top is called so if it has no name.

    Raises
    ------
    UnitFileError
        It is none of these, not safe to unpack, or there is no kit in it, or its patterns are too large.
    """
    tree = open_tree(source)
    _check_room(tree)
    return [_look_at(tree, one, name) for one in find_sources(tree)]


def find_sources(tree: FileTree) -> list[KitSource]:
    """Return everything in a tree that can become a kit, in the order of the paths.

    Raises
    ------
    UnitFileError
        There is nothing, or there are too many.
    """
    kits = [path for path in tree.sizes() if path.rpartition("/")[2].casefold() == KIT_FILE]
    found = [KitSource(path, "unit") for path in find_projects(tree)]
    found += [KitSource(path, "kit") for path in kits]
    if not found:
        raise UnitFileError(NOTHING_FOUND)
    if len(kits) > MAX_KITS:
        raise UnitFileError(f"There are more than {MAX_KITS} kit.json. Choose the folder of one.")
    if len(found) > MAX_PROJECTS:
        raise UnitFileError(f"There are more than {MAX_PROJECTS} projects. Choose the folder of one.")
    return sorted(found, key=lambda one: one.path)


def read_named_project(tree: FileTree, path: str, name: str, *, outlines: bool = False) -> UnitProject:
    """Return the project in one folder of a tree, as `read_project_of` does; one at the top has this name.

    Raises
    ------
    UnitFileError
        Its PADCONF.BIN can't be read.
    """
    project = read_project_of(tree, path, outlines=outlines)
    return project if path else replace(project, folder_name=shown_path(name))


def read_kit_of(tree: FileTree, path: str) -> KitDocument:
    """Return the kit of a kit.json in a tree.

    Raises
    ------
    UnitFileError
        It can't be read or is no kit.
    """
    try:
        return read_kit(read_whole(tree, path, MAX_KIT_BYTES, "Its kit.json"))
    except KitDocumentError as error:
        raise UnitFileError(f"Its kit.json can't be read. {error}") from error


def find_kit_sounds(
    tree: FileTree, path: str, kit: KitDocument
) -> tuple[dict[str, str], list[ProjectProblem]]:
    """Return the paths in a tree of a kit's sounds by pads, and what is wrong with the others."""
    folder, found, problems = posixpath.dirname(path), {}, []
    for pad, document in kit.pads.items():
        relative = document.sample.path if document.sample else None
        if not relative:
            continue
        wanted = posixpath.normpath(posixpath.join(folder, relative))
        is_inside = not folder or wanted.startswith(f"{folder}/")
        if is_inside and wanted in tree.sizes():
            found[pad] = wanted
        else:
            text = f"There is no sound “{shown_path(relative)}” beside the kit.json."
            problems.append(ProjectProblem(pad, text))
    return found, problems


def _check_room(tree: FileTree) -> None:
    """Refuse a file whose patterns are too large to look into together."""
    read = (
        size
        for path, size in tree.sizes().items()
        if size <= MAX_PATTERN_BYTES and PATTERN_PATH.fullmatch(path.casefold())
    )
    if sum(read) > MAX_LOOKED_BYTES:
        raise UnitFileError(
            f"Its patterns have more than {MAX_LOOKED_BYTES >> 20} MB together. "
            "Send fewer projects at a time."
        )


def _look_at(tree: FileTree, source: KitSource, name: str) -> FoundKit:
    try:
        if source.kind == KIT:
            return _look_at_kit(tree, source)
        return _look_at_project(source, read_named_project(tree, source.path, name, outlines=True))
    except UnitFileError as error:
        shown = shown_path(source.path.rpartition("/")[2]) or name
        return FoundKit(source.path, source.kind, shown, problems=(str(error),), is_readable=False)


def _look_at_project(source: KitSource, project: UnitProject) -> FoundKit:
    sounds = [pad.sound for pad in project.pads.values() if pad.sound is not None]
    return FoundKit(
        source.path,
        source.kind,
        name_project(project),
        pads=len(project.pads),
        sounds=len(sounds),
        size_bytes=sum(one.header.size_bytes - HEADER_BYTES + WAV_HEADER_BYTES for one in sounds),
        patterns=len(project.patterns),
        pictures=len(project.pictures),
        problems=_sentences(project.problems),
    )


def _look_at_kit(tree: FileTree, source: KitSource) -> FoundKit:
    kit = read_kit_of(tree, source.path)
    sounds, problems = find_kit_sounds(tree, source.path, kit)
    files = set(sounds.values())
    return FoundKit(
        source.path,
        source.kind,
        kit.name,
        pads=sum(1 for pad in kit.pads.values() if pad.sample),
        sounds=len(files),
        size_bytes=sum(tree.sizes()[path] for path in files),
        problems=_sentences(problems),
    )


def _sentences(problems: Iterable[ProjectProblem]) -> tuple[str, ...]:
    return tuple(str(one) for one in problems)[:MAX_PROBLEMS]
