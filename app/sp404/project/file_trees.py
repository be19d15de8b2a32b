"""Files of a folder or a ZIP, read alike: relative paths, sizes, and streams that are opened when needed."""

from __future__ import annotations

import errno
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

from app.sp404.errors import ProjectProblem, UnitFileError
from app.sp404.project.padconf_files import MAGIC as PADCONF_MAGIC
from app.sp404.project.zip_checks import MAX_DEPTH, MAX_FILES, checked_entries

ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
PADCONF = "PADCONF.BIN"
JUNK_NAMES = {".ds_store", "thumbs.db", "desktop.ini", "__macosx", "system volume information"}
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
UNSHOWN_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# What `zipfile` raises on damaged archives, as fuzzing has shown; NotImplementedError is a RuntimeError.
READ_ERRORS = (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OverflowError)


class FileTree(Protocol):
    """Files below one folder. Paths are relative and have slashes."""

    name: str
    skipped: list[ProjectProblem]
    empty_folders: list[str]

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of each file."""

    def open(self, path: str) -> BinaryIO:
        """Return a file at its first byte."""


class FolderTree:
    """The files below a folder on disk, without links and special files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = shown_path(root.resolve().name)
        self.skipped: list[ProjectProblem] = []
        self.empty_folders: list[str] = []
        self._sizes: dict[str, int] = {}
        for path, size in self._walk(root, ""):
            self._sizes[path] = size
            if len(self._sizes) > MAX_FILES:
                raise UnitFileError(
                    f"The folder has more than {MAX_FILES:,} files. Choose that of one project."
                )

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of each file."""
        return self._sizes

    def open(self, path: str) -> BinaryIO:
        """Return a file at its first byte."""
        handle = os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        return os.fdopen(handle, "rb")

    def _walk(self, folder: Path, prefix: str, depth: int = 0) -> Iterator[tuple[str, int]]:
        with read_errors_named(f"The folder “{shown_path(folder.name)}” can't be read."):
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            details = [entry.stat(follow_symlinks=False) for entry in entries]
        if not entries and prefix:
            self.empty_folders.append(prefix.removesuffix("/"))
        for entry, detail in zip(entries, details, strict=True):
            path = prefix + entry.name
            if is_junk(entry.name):
                continue
            if stat.S_ISREG(detail.st_mode):
                yield path, detail.st_size
            elif not stat.S_ISDIR(detail.st_mode):
                self._skip(path, "It is a link or no ordinary file; it was left out.")
            elif depth == MAX_DEPTH:
                self._skip(path, "It lies too deep; it was left out.")
            else:
                yield from self._walk(Path(entry.path), f"{path}/", depth + 1)

    def _skip(self, path: str, text: str) -> None:
        self.skipped.append(ProjectProblem(shown_path(path), text))


class ZipTree:
    """The files of a ZIP that is safe to unpack."""

    def __init__(self, file: BinaryIO, name: str = "") -> None:
        self.name = name
        self.skipped: list[ProjectProblem] = []
        entries, folders = checked_entries(file)
        self._zip = zipfile.ZipFile(file)
        self._entries = {path: entry for path, entry in entries.items() if not is_junk(*path.split("/"))}
        self._sizes = {path: entry.file_size for path, entry in self._entries.items()}
        filled = {folder for path in (*entries, *folders) for folder in _folders_above(path)}
        self.empty_folders = sorted(set(folders) - filled)

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of each file."""
        return self._sizes

    def open(self, path: str) -> BinaryIO:
        """Return a file at its first byte."""
        return self._zip.open(self._entries[path])  # type: ignore[return-value] # it reads as one


class SingleFile:
    """One PADCONF.BIN without the rest of its project."""

    def __init__(self, data: bytes) -> None:
        self.name = ""
        self.skipped: list[ProjectProblem] = []
        self.empty_folders: list[str] = []
        self._data = data

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of the file."""
        return {PADCONF: len(self._data)}

    def open(self, path: str) -> BinaryIO:
        """Return the file at its first byte."""
        return BytesIO(self._data)


def open_tree(source: Path | bytes) -> FileTree:
    """Return the files of a project folder, of a ZIP or its bytes, or a PADCONF.BIN alone.

    Raises
    ------
    UnitFileError
        It is none of these, can't be read, or is a ZIP that is not safe to unpack.
    """
    if isinstance(source, bytes):
        return _tree_of(BytesIO(source), "")
    name = shown_path(source.name)
    with read_errors_named(f"There is no folder or file “{name}” that can be read."):
        mode = source.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise UnitFileError(f"“{name}” is no ordinary file.")
        file = source.open("rb") if stat.S_ISREG(mode) else None
    return FolderTree(source) if file is None else _tree_of(file, shown_path(source.stem))


def read_whole(tree: FileTree, path: str, max_bytes: int, name: str = "It") -> bytes:
    """Return the bytes of a small file, which errors call by the name.

    Raises
    ------
    UnitFileError
        It is larger than so many bytes, or can't be read.
    """
    if tree.sizes()[path] > max_bytes:
        raise UnitFileError(f"{name} has {tree.sizes()[path]:,} bytes; at most {max_bytes:,} are read.")
    with read_errors_named(f"{name} can't be read."), tree.open(path) as file:
        return file.read(max_bytes + 1)[:max_bytes]


@contextmanager
def read_errors_named(sentence: str) -> Iterator[None]:
    """Turn what reading a file or ZIP can raise, but not a full disk, into an error with this sentence."""
    try:
        yield
    except READ_ERRORS as error:
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            raise
        raise UnitFileError(sentence) from error


def shown_path(path: str) -> str:
    """Return the end of a path as it can be shown, whatever bytes its name has."""
    return UNSHOWN_CHARACTER.sub("?", path)[-60:]


def is_junk(*names: str) -> bool:
    """Return whether a file or one of its folders is what computers leave on a card."""
    return any(name.casefold() in JUNK_NAMES or name.startswith("._") for name in names)


def _folders_above(path: str) -> Iterator[str]:
    """Yield the folders that a path lies in."""
    while path := path.rpartition("/")[0]:
        yield path


def _tree_of(file: BinaryIO, name: str) -> FileTree:
    start = file.read(len(PADCONF_MAGIC))
    if start == PADCONF_MAGIC:
        with file:
            return SingleFile(start + file.read(1 << 16))
    if start in ZIP_MAGICS:
        return ZipTree(file, name)
    file.close()
    raise UnitFileError("This is neither a project folder, nor a ZIP, nor a PADCONF.BIN of the SP-404MKII.")
