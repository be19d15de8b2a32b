"""Check finished files: a card's folder or ZIP, of ours or of anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from app.sp404.card.kit_folders import KIT_FILE
from app.sp404.card.sx_card import PAD_INFO
from app.sp404.errors import UnitFileError
from app.sp404.pad_names import MAX_PAD_NAME, UNLOADABLE_CHARACTER
from app.sp404.preflight.findings import ERROR, NOTE, Finding
from app.sp404.preflight.program_checks import check_kit_file, check_program
from app.sp404.preflight.sx_checks import check_sx_folder
from app.sp404.preflight.wav_checks import check_wav_head, findings_of, read_head
from app.sp404.project.file_trees import FileTree, open_tree, read_errors_named
from app.sp404.project.project_reader import read_project_of
from app.sp404.project.project_search import find_projects

MAX_FILE_BYTES = (1 << 32) - 1
"""Of a file on FAT32."""
SOUNDS = (".wav", ".aif", ".aiff", ".mp3")
OLDEST_COMPLETE = 3
PROGRAMS = (".xpm", ".sfz")


def check_files(source: Path | bytes) -> list[Finding]:
    """Return what the unit, or another sampler, would refuse or lose of finished files.

    Parameters
    ----------
    source : Path or bytes
        A folder or ZIP, such as a whole card, or the bytes of a ZIP.

    Raises
    ------
    UnitFileError
        It can't be read, or it has nothing that goes on a card.
    """
    tree = open_tree(source)
    found = [Finding(NOTE, "skipped", skipped.place, skipped.text) for skipped in tree.skipped]
    projects, paths = find_projects(tree), sorted(tree.sizes())
    has_sx = PAD_INFO.rpartition("/")[2]
    sx_folders = [str(PurePosixPath(path).parent) for path in paths if PurePosixPath(path).name == has_sx]
    found += [*_check_paths(tree), *_check_sounds(tree, sx_folders)]
    for folder in projects:
        found += _check_project(tree, folder)
    for folder in sx_folders:
        found += check_sx_folder(tree, "" if folder == "." else f"{folder}/")
    for path in paths:
        if path.casefold().endswith(PROGRAMS):
            found += check_program(tree, path)
        elif PurePosixPath(path).name.casefold() == KIT_FILE:
            found += check_kit_file(tree, path)
    if not (projects or sx_folders or any(_is_content(path) for path in paths)):
        raise UnitFileError("There is nothing for a sampler in it: no project, no sound and no kit.json.")
    return found


def _is_content(path: str) -> bool:
    name = PurePosixPath(path).name.casefold()
    return name.endswith((*SOUNDS, *PROGRAMS, ".mid")) or name == KIT_FILE


def _check_paths(tree: FileTree) -> Iterator[Finding]:
    """Yield what is wrong with names and sizes of files."""
    seen: dict[str, str] = {}
    for path, size in sorted(tree.sizes().items()):
        first = seen.setdefault(path.casefold(), path)
        if first != path:
            text = f"On a card it has the same name as “{PurePosixPath(first).name}”."
            yield Finding(ERROR, "same_name", path, text)
        if size > MAX_FILE_BYTES:
            yield Finding(
                ERROR, "file_too_large", path, "It has more than the 4 GB that a file on a card can have."
            )
        if path.casefold().endswith(SOUNDS):
            yield from _check_name(path)


def _check_name(path: str) -> Iterator[Finding]:
    place = PurePosixPath(path)
    for part in (*place.parts[:-1], place.stem):
        if UNLOADABLE_CHARACTER.search(part) or part.startswith(".") or part.endswith((" ", ".")):
            text = f"“{part}” has characters that the unit lists but does not load."
            yield Finding(ERROR, "name_characters", path, text)
    if len(place.stem) > MAX_PAD_NAME:
        text = f"Its name is longer than the {MAX_PAD_NAME} characters of a pad's name, so the rest is lost."
        yield Finding(NOTE, "name_length", path, text)


def _check_sounds(tree: FileTree, sx_folders: list[str]) -> Iterator[Finding]:
    """Yield what is wrong with WAVs that are not those of an SP-404SX."""
    for path, size in sorted(tree.sizes().items()):
        if not path.casefold().endswith(".wav") or str(PurePosixPath(path).parent) in sx_folders:
            continue
        try:
            with read_errors_named("It can't be read."), tree.open(path) as file:
                head = read_head(file)
        except UnitFileError as error:
            yield Finding(ERROR, "unreadable", path, str(error))
            continue
        yield from findings_of(path, check_wav_head(head, size))


def _check_project(tree: FileTree, folder: str) -> Iterator[Finding]:
    """Yield what our own reader says of a project."""
    place = folder or "Project"
    try:
        project = read_project_of(tree, folder)
    except UnitFileError as error:
        yield Finding(ERROR, "project_unreadable", place, str(error))
        return
    for problem in project.problems:
        yield Finding(ERROR, "project_fault", problem.place, problem.text)
    if not project.pads:
        yield Finding(
            ERROR, "empty_project", place, "No pad has a sound; the unit does not take empty projects."
        )
    if project.base.version < OLDEST_COMPLETE:
        text = "It is of an older firmware, without chops and a name; the unit still reads it."
        yield Finding(NOTE, "old_project", place, text)
