"""Walk a folder: which files are sounds, and what stays at home."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import normalize

AUDIO = {".wav", ".wave", ".aif", ".aiff", ".aifc", ".flac", ".mp3", ".m4a", ".ogg", ".oga"}
SIDE_FOLDERS = {"__MACOSX"}
SIDE_FILES = {"thumbs.db", "desktop.ini"}
SIDE_ENDINGS = {".asd", ".reapeaks"}
SIDE, NO_AUDIO, EMPTY, UNREADABLE = "hidden or made by another program", "no audio", "empty", "unreadable"


@dataclass(frozen=True)
class Sound:
    """An audio file and the folder that it lies in, relative to the one that was walked: `Drums/Kicks`."""

    path: Path
    folder: str
    size_bytes: int


@dataclass
class Walk:
    """The sounds of a folder, sorted by path, and how many other files were left out."""

    sounds: list[Sound] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)  # how many files, by the reason


def walk(top: Path) -> Walk:
    """Return the sounds of a folder and of those in it. Links to folders are not followed."""
    found = Walk()
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(each for each in folders if not _is_side_folder(each))
        inside = Path(folder).relative_to(top)
        for name in sorted(files):
            path = Path(folder, name)
            reason, size_bytes = _look_at(path)
            if reason is None:
                place = normalize("NFC", inside.as_posix()) if inside.parts else ""
                found.sounds.append(Sound(path, place, size_bytes))
            else:
                found.left_out[reason] += 1
    return found


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_side_folder(name: str) -> bool:
    return name.startswith(".") or name in SIDE_FOLDERS


def _look_at(path: Path) -> tuple[str | None, int]:
    """Return why a file is left out, None for a sound, and its size."""
    name, ending = path.name.lower(), path.suffix.lower()
    if name.startswith(".") or name in SIDE_FILES or ending in SIDE_ENDINGS:
        return SIDE, 0
    if ending not in AUDIO:
        return NO_AUDIO, 0
    try:
        size_bytes = path.stat().st_size
    except OSError:
        return UNREADABLE, 0
    return (None, size_bytes) if size_bytes else (EMPTY, 0)
