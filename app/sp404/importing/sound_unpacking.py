"""Unpack some sounds of a ZIP into a folder, each under its number.

It reads files that anybody may send, so it runs in a child process with limits.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from app.sp404.errors import UnitFileError
from app.sp404.project.file_trees import read_errors_named

COPY_BYTES = 1 << 18
DAMAGED = "It can't be read, because the ZIP is damaged there."


def unpack_in_child(
    request: dict[str, Any], progress: Callable[[str, dict[str, Any]], None]
) -> dict[str, Any]:
    """Unpack in the working folder, as `unpack_sounds` does; `request` has `source` and `numbers`."""
    folder = Path.cwd()
    return {"problems": unpack_sounds(folder / request["source"], request["numbers"], folder)}


def unpack_sounds(source: Path, numbers: Iterable[int], folder: Path) -> dict[str, str]:
    """Unpack entries of a ZIP by their places in its list; each is a file that is called by its number.

    Parameters
    ----------
    source : Path
        A ZIP that `read_sound_zip` has read.
    numbers : iterable of int
        As `PackedSound.number`.
    folder : Path
        Where the files go.

    Returns
    -------
    dict of str to str
        A sentence for each number whose file can't be read.
    """
    problems: dict[str, str] = {}
    with zipfile.ZipFile(source) as archive:
        infos = archive.infolist()
        for number in numbers:
            target = folder / str(number)
            try:
                with (
                    read_errors_named(DAMAGED),
                    archive.open(infos[number]) as packed,
                    target.open("wb") as made,
                ):
                    shutil.copyfileobj(packed, made, COPY_BYTES)
            except UnitFileError as error:
                target.unlink(missing_ok=True)
                problems[str(number)] = str(error)
    return problems
