"""Files of a card, each written when it is needed, so that memory stays flat."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import BinaryIO

from app.sp404.errors import UnitFileError
from app.sp404.project.file_trees import read_errors_named, shown_path
from app.sp404.project.pad_sounds import PadSound
from app.sp404.project.pcm_files import WAV_HEADER_BYTES
from app.sp404.project.smp_files import HEADER_BYTES
from app.sp404.project.unit_project import OtherFile

COPY_BYTES = 1 << 18


@dataclass(frozen=True)
class CardFile:
    """A file of a card.

    Attributes
    ----------
    path : str
        Relative, with slashes. One that ends in a slash is an empty folder.
    size_bytes : int
    write : callable
        Writes the file to a binary stream, which need not be seekable.
    """

    path: str
    size_bytes: int
    write: Callable[[BinaryIO], object] = field(compare=False)


def bytes_file(path: str, data: bytes) -> CardFile:
    """Return a file with this content."""
    return CardFile(path, len(data), lambda out: out.write(data))


def text_file(path: str, text: str) -> CardFile:
    """Return a text of UTF-8, with the line ends that every editor shows."""
    return bytes_file(path, text.replace("\n", "\r\n").encode())


def blocks_file(path: str, size_bytes: int, blocks: Callable[[], Iterator[bytes]]) -> CardFile:
    """Return a file that is made of blocks."""

    def write(out: BinaryIO) -> None:
        for block in blocks():
            out.write(block)

    return CardFile(path, size_bytes, write)


def copied_file(path: str, other: OtherFile) -> CardFile:
    """Return a file of a project that is copied as it is."""

    def write(out: BinaryIO) -> None:
        with read_errors_named(f"“{shown_path(path)}” can't be read."), other.open_file() as source:
            shutil.copyfileobj(source, out, COPY_BYTES)

    return CardFile(path, other.size_bytes, write)


def smp_file(path: str, audio: PadSound) -> CardFile:
    """Return a sound as the unit's SMP."""
    return CardFile(path, audio.header.size_bytes, audio.write_smp)


def wav_file(path: str, audio: PadSound) -> CardFile:
    """Return a sound as a WAV of 48 kHz and 16 bits with a header of 44 bytes."""
    return CardFile(path, audio.header.size_bytes - HEADER_BYTES + WAV_HEADER_BYTES, audio.write_wav)


def write_files(files: Iterable[CardFile], folder: Path) -> int:
    """Write files below a new folder, one at a time.

    Parameters
    ----------
    files : iterable of CardFile
    folder : Path
        Does not exist yet, or is empty.

    Returns
    -------
    int
        How many bytes the files have.

    Raises
    ------
    UnitFileError
        The folder can't be made, or a file can't be written. Then nothing is left behind.
    """
    name = shown_path(folder.name)
    try:
        if folder.is_symlink() or (folder.exists() and any(folder.iterdir())):
            raise UnitFileError(f"“{name}” exists already. Choose a new folder.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(mkdtemp(prefix=".unfinished-", dir=folder.parent))
    except OSError as error:
        raise UnitFileError(f"The folder “{name}” can't be made: {error.strerror}.") from error
    try:
        written = sum(_write_one(one, scratch) for one in files)
        scratch.chmod(0o755)
        os.replace(scratch, folder)
    except OSError as error:
        raise UnitFileError(f"The card can't be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return written


def _write_one(file: CardFile, folder: Path) -> int:
    target = folder / file.path
    if not target.resolve().is_relative_to(folder.resolve()):
        raise UnitFileError(f"“{shown_path(file.path)}” leads outside of the card.")
    if file.path.endswith("/"):
        target.mkdir(parents=True, exist_ok=True)
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as out:
        file.write(out)
        if out.tell() != file.size_bytes:
            raise UnitFileError(f"“{shown_path(file.path)}” changed while it was written. Export again.")
    return file.size_bytes
