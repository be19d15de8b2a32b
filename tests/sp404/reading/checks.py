"""What every part of the second reader needs: the error, and the files of a folder or ZIP."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path, PurePosixPath

BANKS = "ABCDEFGHIJ"
NAME_CHARACTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 _!&()+-,.=@[]{}")


class BrokenFile(ValueError):
    """A file breaks a rule of its format; the message says which file and which rule."""


def require(holds: bool, sentence: str) -> None:
    """Raise `BrokenFile` with the sentence unless the rule holds."""
    if not holds:
        raise BrokenFile(sentence)


def require_between(value: float, lowest: float, highest: float, what: str) -> None:
    """Raise `BrokenFile` unless the value lies in the range, both ends included."""
    require(lowest <= value <= highest, f"{what} is {value}, not {lowest} to {highest}.")


def read_name(raw: bytes, what: str) -> str:
    """Return a name as text, or raise `BrokenFile` when the unit can't load one of its characters."""
    unknown = bytes(sorted(set(raw) - NAME_CHARACTERS))
    require(not unknown, f"The name of {what} has characters that the unit can't load: {unknown!r}.")
    return raw.decode("ascii")


def read_tree(path: Path) -> dict[str, bytes]:
    """Return every file of a folder or ZIP by its relative name with forward slashes."""
    files = _read_zip(path) if path.is_file() else _read_folder(path)
    for name in files:
        parts = PurePosixPath(name).parts
        safe = not name.startswith("/") and ".." not in parts and "\\" not in name
        require(safe, f"{name} points out of the folder.")
        clutter = any(part == "__MACOSX" or part == ".DS_Store" or part.startswith("._") for part in parts)
        require(not clutter, f"{name} would clutter the unit's list.")
    return files


def find_root(files: dict[str, bytes], marker: str) -> str:
    """Return what stands before the marker in the one name that ends with it: "" or "folder/"."""
    found = [name for name in files if name == marker or name.endswith(f"/{marker}")]
    require(len(found) == 1, f"There must be one {marker}, found {len(found)}.")
    return found[0].removesuffix(marker)


def _read_folder(path: Path) -> dict[str, bytes]:
    require(path.is_dir(), f"{path} is neither a folder nor a ZIP.")
    found = sorted(each for each in path.rglob("*") if each.is_file())
    return {each.relative_to(path).as_posix(): each.read_bytes() for each in found}


def _read_zip(path: Path) -> dict[str, bytes]:
    require(zipfile.is_zipfile(path), f"{path.name} is no ZIP.")
    with zipfile.ZipFile(path) as archive:
        entries = [each for each in archive.infolist() if not each.is_dir()]
        names = [each.filename for each in entries]
        require(len(set(names)) == len(names), f"{path.name} holds a name twice.")
        try:
            return {each.filename: archive.read(each) for each in entries}
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
            raise BrokenFile(f"{path.name} can't be unpacked: {error}.") from error
