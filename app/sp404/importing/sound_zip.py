"""Find the sounds in a ZIP: what is taken, where it lies, and what is left out and why.

A ZIP that is not safe is refused as a whole. Otherwise one odd file never costs the others: nothing is ever
written under a name from the ZIP, so a bad name only means that its file is named and left out.
"""

from __future__ import annotations

import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from app.plurals import pluralize
from app.sp404.errors import UnitFileError
from app.sp404.project.file_trees import PADCONF, ZIP_MAGICS, is_junk
from app.sp404.project.zip_checks import (
    bounded_entries,
    is_locked,
    is_readable,
    is_special,
    leads_outside,
)

# fmt: off
SOUND_ENDINGS = frozenset({
    "wav", "wave", "bwf", "aif", "aiff", "aifc", "flac", "mp3", "ogg", "oga", "opus", "m4a", "m4b", "mp4",
    "3gp", "mov", "aac",
})
"""The same as in static/js/side_files.js."""
# fmt: on
SHOWN_PATH = 80
UTF8_NAME = 0x800
LOCKED = "It is locked by a password. Make a ZIP without a password."
NO_SOUND = "There is no sound in this ZIP."
ALL_LOCKED = "The ZIP is locked by a password. Make one without a password."
NO_ZIP = "This is not a ZIP, or it is damaged."


@dataclass(frozen=True)
class PackedSound:
    """A file in a ZIP that is a sound by its ending.

    Attributes
    ----------
    number : int
        Its place in the list of the ZIP, which tells apart even two files of the same path.
    path : str
        With slashes, below the folder that all sounds lie in.
    size_bytes : int
        As the ZIP says, which is the most that is unpacked.
    """

    number: int
    path: str
    size_bytes: int

    @property
    def folder(self) -> str:
        """Return the path of the folder it lies in; empty at the top."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        """Return the name without the folders."""
        return self.path.rpartition("/")[2]

    def left_out(self, reason: str) -> str:
        """Return the sentence that names it and says why it is not taken."""
        return left_out(self.path, reason)


@dataclass
class ZipContents:
    """What is in a ZIP.

    Attributes
    ----------
    sounds : list of PackedSound
        In the order of the ZIP.
    top_folder : str
        The one folder that all of them lie in; empty where there are several, or none.
    problems : list of str
        A sentence for each sound that can't be taken.
    no_audio, hidden : int
        How many files are left out because they are not audio, or because a computer put them there.
    projects : int
        How many projects of the unit are in it.
    locked : int
        How many sounds need a password.
    """

    sounds: list[PackedSound] = field(default_factory=list)
    top_folder: str = ""
    problems: list[str] = field(default_factory=list)
    no_audio: int = 0
    hidden: int = 0
    projects: int = 0
    locked: int = 0

    @property
    def side_files(self) -> str:
        """Return the sentence about the files that are no sounds; empty without any."""
        total = self.no_audio + self.hidden
        kinds = [(self.no_audio, "not audio"), (self.hidden, "hidden")]
        told = [f"{count:,} {'is' if count == 1 else 'are'} {kind}" for count, kind in kinds if count]
        return f"{pluralize(total, 'file')} left out: {', '.join(told)}." if total else ""

    @property
    def size_bytes(self) -> int:
        """Return how much the sounds hold together."""
        return sum(sound.size_bytes for sound in self.sounds)


def read_sound_zip(source: Path) -> ZipContents:
    """Return what is in a ZIP. No file in it is opened, so memory and time are bounded.

    Parameters
    ----------
    source : Path
        The ZIP.

    Raises
    ------
    UnitFileError
        It is not a ZIP, is damaged, has too many files, or would unpack to more than a ZIP may.
    """
    with source.open("rb") as file:
        if file.read(len(ZIP_MAGICS[0])) not in ZIP_MAGICS:
            raise UnitFileError(NO_ZIP)
        return sort_entries(file)


def sort_entries(file: BinaryIO) -> ZipContents:
    """Return what is in a ZIP, as `read_sound_zip` does."""
    found = ZipContents()
    for number, info in enumerate(bounded_entries(file)):
        path = _path_of(info)
        if not path.endswith("/"):
            _sort_entry(found, number, path, info)
    tops = {sound.path.split("/")[0] if "/" in sound.path else "" for sound in found.sounds}
    if len(tops) == 1 and "" not in tops:
        found.top_folder = tops.pop()
        cut = len(found.top_folder) + 1
        found.sounds = [PackedSound(one.number, one.path[cut:], one.size_bytes) for one in found.sounds]
    return found


def left_out(path: str, reason: str) -> str:
    """Return the sentence that names a file and says why it is not taken; the end of a long path is shown."""
    shown = path if len(path) <= SHOWN_PATH else f"…{path[-SHOWN_PATH:]}"
    return f"{shown}: {reason}"


def refusal_of(found: ZipContents) -> str:
    """Return why a ZIP without a sound that can be taken is of no use; empty where there is one."""
    if found.sounds:
        return ""
    if found.locked:
        return ALL_LOCKED
    return " ".join([NO_SOUND, *found.problems[:1]])


def _sort_entry(found: ZipContents, number: int, path: str, info: zipfile.ZipInfo) -> None:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    name = parts[-1] if parts else ""
    _stem, dot, ending = name.rpartition(".")
    if _is_hidden(parts):
        found.hidden += 1
    elif name.casefold() == PADCONF.casefold():
        found.projects += 1
        found.no_audio += 1
    elif ending.casefold() == "zip" and dot:
        found.problems.append(left_out(path, "It is a ZIP inside the ZIP. Unpack it and send it by itself."))
    elif not dot or ending.casefold() not in SOUND_ENDINGS:
        found.no_audio += 1
    elif reason := _reason_to_leave(path, info):
        found.locked += is_locked(info)
        found.problems.append(left_out(path, reason))
    else:
        found.sounds.append(PackedSound(number, "/".join(parts), info.file_size))


def _is_hidden(parts: list[str]) -> bool:
    return is_junk(*parts) or any(part.startswith(".") and part != ".." for part in parts)


def _reason_to_leave(path: str, info: zipfile.ZipInfo) -> str:
    if leads_outside(path):
        return "Its path leads outside of the ZIP."
    if is_special(info):
        return "It is a link or a special file."
    if is_locked(info):
        return LOCKED
    if not is_readable(info):
        return "It is packed in a way that is not read here. Make an ordinary ZIP."
    return ""


def _path_of(info: zipfile.ZipInfo) -> str:
    """Return the path of an entry with slashes.

    Without a mark, names are of the code page of DOS by the book; but macOS and Linux write UTF-8 there.
    """
    name = info.orig_filename
    if not info.flag_bits & UTF8_NAME:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")
