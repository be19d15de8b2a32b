"""Write a project of the SP-404MKII as the folder that the unit imports."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from tempfile import mkdtemp

from app.sp404.errors import UnitFileError
from app.sp404.pad_places import pad_index, pattern_file, sound_file
from app.sp404.project.file_trees import PADCONF, read_errors_named, shown_path
from app.sp404.project.unit_project import UnitProject, check_pictures, padconf_bytes

COPY_BYTES = 1 << 18


def write_project(project: UnitProject, folder: Path) -> None:
    """Write a project.

    Parameters
    ----------
    project : UnitProject
        What was not changed since it was read is written byte by byte as it was.
    folder : Path
        Does not exist yet, or is empty. Its name is free for importing; as ``PROJECT_01`` to ``PROJECT_16``
        in ``EXPORT/PROJECT`` the unit also plays it from the card.

    Raises
    ------
    UnitFileError
        A setting can't be written, a sound can't be read any more, or the folder can't be made. Then nothing
        is left behind.
    """
    padconf = padconf_bytes(project)
    check_pictures(project)
    name = shown_path(folder.name)
    try:
        if folder.is_symlink() or (folder.exists() and not _is_empty(folder)):
            raise UnitFileError(f"“{name}” exists already. Choose a new folder.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(mkdtemp(prefix=".unfinished-", dir=folder.parent))
    except OSError as error:
        raise UnitFileError(f"The folder “{name}” can't be made: {error.strerror}.") from error
    try:
        (scratch / PADCONF).write_bytes(padconf)
        _write_files(project, scratch)
        scratch.chmod(0o777 & ~_umask())
        os.rename(scratch, folder)
    except OSError as error:
        raise UnitFileError(f"The project can't be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write_files(project: UnitProject, folder: Path) -> None:
    claimed = set(_claimed_paths(project))
    for path, other in project.others.items():
        if path.casefold() not in claimed:
            target = _place_for(folder, path)
            sentence = f"“{shown_path(path)}” can't be read."
            with read_errors_named(sentence), other.open_file() as source, target.open("xb") as made:
                shutil.copyfileobj(source, made, COPY_BYTES)
    for path in project.empty_folders:
        _place_for(folder, path).mkdir(exist_ok=True)
    for place, pad in project.pads.items():
        if pad.sound is not None:
            with _place_for(folder, sound_file(pad_index(place))).open("xb") as smp:
                pad.sound.write_smp(smp)
    for place, pattern in project.patterns.items():
        _place_for(folder, pattern_file(pad_index(place))).write_bytes(pattern.to_bytes())
    for path, picture in project.pictures.items():
        _place_for(folder, path).write_bytes(picture.to_bytes())


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _claimed_paths(project: UnitProject) -> Iterable[str]:
    """Yield the paths, their case folded, that the project's own parts are written to."""
    yield PADCONF.casefold()
    for place, pad in project.pads.items():
        if pad.sound is not None:
            yield sound_file(pad_index(place)).casefold()
    for place in project.patterns:
        yield pattern_file(pad_index(place)).casefold()
    for path in project.pictures:
        yield path.casefold()


def _place_for(folder: Path, path: str) -> Path:
    """Return where a file goes, with the folders above it made."""
    target = folder / path
    if not target.resolve().is_relative_to(folder.resolve()):
        raise UnitFileError(f"“{shown_path(path)}” leads outside of the project.")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _umask() -> int:
    """Return the permissions that new files of this process don't get."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
