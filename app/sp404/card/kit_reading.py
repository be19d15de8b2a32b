"""Read a kit.json from disk with the sounds beside it."""

from __future__ import annotations

from pathlib import Path

from app.sp404.errors import UnitFileError
from app.sp404.kit_document import KitDocument, KitDocumentError, read_kit
from app.sp404.project.file_trees import read_errors_named, shown_path

MAX_KIT_BYTES = 2 << 20


def read_kit_file(path: Path) -> tuple[KitDocument, dict[str, Path]]:
    """Return the kit of a kit.json, and the files of its sounds by pads.

    Parameters
    ----------
    path : Path
        Of the kit.json. The paths in it are relative to its folder.

    Raises
    ------
    UnitFileError
        It can't be read or is no kit, or a path leads outside of its folder or to no file. The message names
        the pad.
    """
    name = shown_path(path.name)
    with read_errors_named(f"“{name}” can't be read."):
        if path.stat().st_size > MAX_KIT_BYTES:
            raise UnitFileError(f"“{name}” is larger than any kit.json.")
        data = path.read_bytes()
    try:
        kit = read_kit(data)
    except KitDocumentError as error:
        raise UnitFileError(f"“{name}”: {error}") from error
    return kit, {pad: _sound_of(path.parent, pad, relative) for pad, relative in _paths_of(kit).items()}


def _paths_of(kit: KitDocument) -> dict[str, str]:
    samples = {pad: document.sample for pad, document in kit.pads.items()}
    return {pad: sample.path for pad, sample in samples.items() if sample and sample.path}


def _sound_of(folder: Path, pad: str, relative: str) -> Path:
    with read_errors_named(f"{pad}: “{shown_path(relative)}” can't be read."):
        found = (folder / relative).resolve()
        if not found.is_relative_to(folder.resolve()):
            raise UnitFileError(f"{pad}: “{shown_path(relative)}” leads outside of the folder of the kit.")
        if not found.is_file():
            raise UnitFileError(f"{pad}: There is no sound “{shown_path(relative)}” beside the kit.json.")
        return found
