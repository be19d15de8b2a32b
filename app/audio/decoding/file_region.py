"""A read-only file object over part of a file on disk, with an optional header of our own before it.

libsndfile reads through it, so tags, pictures and trailing data are left out without copying the file.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class FileRegion(io.RawIOBase):
    """`head` followed by `size` bytes of `file` from offset `start`."""

    def __init__(self, file: BinaryIO, start: int, size: int, head: bytes = b"") -> None:
        super().__init__()
        self._file, self._start, self._size, self._head = file, start, max(size, 0), head
        self._position = 0

    def __len__(self) -> int:
        return len(self._head) + self._size

    def readable(self) -> bool:
        """Return True: the region can be read."""
        return True

    def seekable(self) -> bool:
        """Return True: the region can be sought."""
        return True

    def tell(self) -> int:
        """Return the position in bytes from the start of `head`."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to an offset in bytes and return the new position; it may lie past the end."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: len(self)}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill `buffer`, only partly at the end, and return the number of bytes read."""
        target = memoryview(buffer).cast("B")
        wanted = min(len(target), max(len(self) - self._position, 0))
        data = self._head[self._position : self._position + wanted]
        if len(data) < wanted:
            self._file.seek(self._start + max(self._position - len(self._head), 0))
            data += self._file.read(wanted - len(data))
        target[: len(data)] = data
        self._position += len(data)
        return len(data)
