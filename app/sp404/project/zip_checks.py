"""Refuse ZIPs that are not safe to unpack, before any of their files is opened."""

from __future__ import annotations

import os
import re
import stat
import struct
import zipfile
from typing import BinaryIO

from app.sp404.errors import UnitFileError

MAX_FILES = 20_000
"""A card with 16 full projects has about 5,500."""
MAX_DEPTH = 12
MAX_NAME = 255
MAX_UNPACKED_BYTES = 16 << 30
MAX_RATIO, RATIO_FREE_BYTES = 200, 64 << 20
"""How many times as large as the ZIP its files may be, once they are larger than the second number."""
MAX_DIRECTORY_BYTES = MAX_FILES * 200
READABLE_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
BAD_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
DRIVE = re.compile(r"[A-Za-z]:")
ENCRYPTED = 0x1
END_RECORD = struct.Struct("<4s4H2LH")
END_MAGIC, LONG_END_MAGIC, LOCATOR_MAGIC = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
LONGEST_END = 65_535 + END_RECORD.size
LOCATOR_BYTES, LONG_END_BYTES, LONG_SIZE_AT = 20, 56, 40
TOO_MANY = f"The ZIP has too many files: {MAX_FILES:,} are read. Make several smaller ZIPs."
UNREADABLE = "The ZIP is damaged. Make it again."


def bounded_entries(file: BinaryIO) -> list[zipfile.ZipInfo]:
    """Return everything that a ZIP lists, in its order, whatever the names and kinds are.

    Parameters
    ----------
    file : binary file
        Seekable.

    Raises
    ------
    UnitFileError
        The ZIP is damaged, or has too many files, or they are too large or packed too tightly.
    """
    size = file.seek(0, os.SEEK_END)
    _check_directory_size(file, size)
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise UnitFileError(UNREADABLE) from error
    if len(infos) > MAX_FILES:
        raise UnitFileError(TOO_MANY)
    _check_sizes(infos, size)
    return infos


def checked_entries(file: BinaryIO) -> tuple[dict[str, zipfile.ZipInfo], list[str]]:
    """Return the files of a ZIP by their paths, and its folders.

    Parameters
    ----------
    file : binary file
        Seekable.

    Returns
    -------
    tuple of dict of str to ZipInfo and list of str
        Relative paths with slashes, none of which leads outside.

    Raises
    ------
    UnitFileError
        The ZIP is damaged or locked by a password; has too many files, or they are too large or packed too
        tightly; or a path leads outside of its folder, is a link or stands there twice.
    """
    entries: dict[str, zipfile.ZipInfo] = {}
    folders: list[str] = []
    seen: set[str] = set()
    for info in bounded_entries(file):
        path = _checked_path(info)
        if path.endswith("/"):
            folders.append(path.removesuffix("/"))
            continue
        if path.casefold() in seen:
            raise UnitFileError(f"The ZIP has two files named “{path[-60:]}”.")
        seen.add(path.casefold())
        entries[path] = info
    return entries, folders


def leads_outside(path: str) -> bool:
    """Return whether a path with slashes does not stay in the folder that it is unpacked into."""
    return path.startswith("/") or DRIVE.match(path) is not None or ".." in path.split("/")


def is_special(info: zipfile.ZipInfo) -> bool:
    """Return whether an entry is a link, a device or the like."""
    return stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR)


def is_locked(info: zipfile.ZipInfo) -> bool:
    """Return whether an entry needs a password."""
    return bool(info.flag_bits & ENCRYPTED)


def is_readable(info: zipfile.ZipInfo) -> bool:
    """Return whether an entry is packed in one of the two ways that every program knows."""
    return info.compress_type in READABLE_METHODS


def _check_directory_size(file: BinaryIO, size: int) -> None:
    """Refuse a ZIP whose list of files would take much memory, which `zipfile` reads as a whole."""
    start = max(size - LONGEST_END - LOCATOR_BYTES - LONG_END_BYTES, 0)
    file.seek(start)
    tail = file.read()
    end = tail.rfind(END_MAGIC)
    if end < 0 or len(tail) - end < END_RECORD.size:
        raise UnitFileError("The ZIP is cut off. Make it again.")
    listed = END_RECORD.unpack_from(tail, end)[5]
    long_end = end - LOCATOR_BYTES - LONG_END_BYTES
    if long_end >= 0 and tail[end - LOCATOR_BYTES :].startswith(LOCATOR_MAGIC):
        listed = int.from_bytes(tail[long_end + LONG_SIZE_AT : long_end + LONG_SIZE_AT + 8], "little")
    if listed > MAX_DIRECTORY_BYTES:
        raise UnitFileError(TOO_MANY)


def _check_sizes(infos: list[zipfile.ZipInfo], zip_size: int) -> None:
    unpacked = sum(info.file_size for info in infos)
    if sum(info.compress_size for info in infos) > zip_size:
        raise UnitFileError("The files of the ZIP overlap. Make it again.")
    if unpacked > MAX_UNPACKED_BYTES:
        raise UnitFileError(
            f"The ZIP holds more than {MAX_UNPACKED_BYTES >> 30} GB. Make several smaller ZIPs."
        )
    if unpacked > max(RATIO_FREE_BYTES, MAX_RATIO * zip_size):
        raise UnitFileError(f"The files of the ZIP are more than {MAX_RATIO} times as large as the ZIP.")


def _checked_path(info: zipfile.ZipInfo) -> str:
    """Return the path of an entry."""
    path = info.orig_filename.replace("\\", "/")
    shown = BAD_CHARACTER.sub("?", path)[-60:]
    parts = path.removesuffix("/").split("/")
    if BAD_CHARACTER.search(path):
        raise UnitFileError(f"The ZIP has a name with a control character: “{shown}”.")
    if leads_outside(path) or any(part in ("", ".") for part in parts):
        raise UnitFileError(f"The ZIP has a path that leads outside of its folder: “{shown}”.")
    if len(parts) > MAX_DEPTH + 1 or any(len(part.encode("utf-8", "replace")) > MAX_NAME for part in parts):
        raise UnitFileError(f"The ZIP has a path that is too long: “{shown}”.")
    if is_special(info):
        raise UnitFileError(f"The ZIP has a link or a special file: “{shown}”.")
    if is_locked(info):
        raise UnitFileError("The ZIP is locked by a password. Make one without a password.")
    if not is_readable(info):
        raise UnitFileError(
            "The ZIP is packed in a way that is not read here. Make it again as an ordinary ZIP."
        )
    return path
