"""Receive uploaded files on the disk of DATA_DIR, and count the room that uploads in progress still need.

A request reserves room before its body is read. The reservation is a small locked file beside the received
ones, so every process on this machine counts it, and it no longer counts when its process is killed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO, RawIOBase
from pathlib import Path
from secrets import token_hex
from tempfile import NamedTemporaryFile
from typing import IO, Any, cast

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge, ServiceUnavailable
from werkzeug.utils import cached_property
from werkzeug.wsgi import LimitedStream

from app.extensions import settings

MIN_FREE_DISK_SHARE = 0.05
MAX_IN_MEMORY_BYTES = 500_000
RECORD_EVERY_BYTES = 1 << 20
# EFBIG: the process may not write a file of this size.
DISK_FULL_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
RESERVATION_PREFIX, DIGITS = "room-", 20
UNRECEIVED_RETRY_S = 5
NEARLY_FULL = "The server's disk is nearly full, so uploads are paused. Nothing was stored. Try again later."


class DiskFullError(Exception):
    """The disk has no room for a file; the message is a sentence for the user."""


class DiskRoom:
    """Room on the disk of DATA_DIR that is reserved for one request until it is released."""

    def __init__(self, size_bytes: int) -> None:
        self._left = self._recorded = size_bytes
        name = f"{RESERVATION_PREFIX}{token_hex(8)}"
        draft, self._path = (spool_folder() / f".{name}", spool_folder() / name)
        self._descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            # It gets the name that others look for only after it is locked, so nobody takes it for abandoned.
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            draft.rename(self._path)
            self._record()
        except BaseException:
            draft.unlink(missing_ok=True)
            self.release()
            raise

    def use(self, size_bytes: int) -> None:
        """Stop reserving bytes that have been written: the disk's own figures now include them."""
        self._left = max(self._left - size_bytes, 0)
        if self._recorded - self._left >= RECORD_EVERY_BYTES:
            self._record()

    def release(self) -> None:
        """Give the room back; safe to call twice."""
        if self._descriptor >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1

    def _record(self) -> None:
        os.pwrite(self._descriptor, b"%0*d" % (DIGITS, self._left), 0)
        self._recorded = self._left


class SpooledFile:
    """A received file on the disk of DATA_DIR; closing it deletes it."""

    def __init__(self, room: DiskRoom) -> None:
        self._file = NamedTemporaryFile(dir=spool_folder(), prefix="upload-")  # noqa: SIM115  # closed by the request
        self._room = room
        self.path = Path(self._file.name)

    def write(self, data: bytes) -> int:
        self._room.use(len(data))
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class ExactStream(LimitedStream):
    """A body without a length; if it exceeds the limit, it is refused, where Werkzeug would cut it off."""

    def readall(self) -> bytes:
        found = super().readall()
        if self.is_exhausted and self._stream.read(1):
            raise RequestEntityTooLarge
        return found


class UnreceivedBody(RawIOBase):
    """A body that the proxy in front has not received: reading it would wait for a slow client."""

    def readable(self) -> bool:
        return True

    def readinto(self, _: object) -> int:
        raise ServiceUnavailable(retry_after=UNRECEIVED_RETRY_S)


class SpoolingRequest(Request):
    """A request whose files are received below DATA_DIR, and deleted when it has been answered."""

    room: DiskRoom | None = None

    def __init__(self, environ: dict[str, Any], *args: Any, **options: Any) -> None:
        super().__init__(environ, *args, **options)
        if self.is_unreceived:
            environ["wsgi.input"] = UnreceivedBody()

    @property
    def is_unreceived(self) -> bool:
        """Return whether the proxy in front has refused to receive the body, which is then never read."""
        return "X-Unreceived" in self.headers

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body, up to the limit."""
        found, limit = super().stream, self.max_content_length
        if limit is None or self.content_length is not None or not isinstance(found, LimitedStream):
            return found
        return cast(IO[bytes], ExactStream(self.environ["wsgi.input"], limit, is_max=True))

    def reserve_room(self, size_bytes: int) -> None:
        """Reserve the disk space that a body of this size needs, or raise DiskFullError."""
        self.room = reserve_room(size_bytes)

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        is_small = total_content_length is not None and total_content_length <= MAX_IN_MEMORY_BYTES
        if self.room is None or is_small:
            return BytesIO()  # only uploads reserve room, and every other body is small
        received = SpooledFile(self.room)
        self._received.append(received)
        return cast(IO[bytes], received)

    @property
    def _received(self) -> list[SpooledFile]:
        """Every file, including those of a body that was cut off and so never reached `files`."""
        found: list[SpooledFile] = self.__dict__.setdefault("received", [])
        return found

    def close(self) -> None:
        super().close()
        for received in self._received:
            with suppress(OSError):
                received.close()
        if self.room is not None:
            self.room.release()


def spool_folder() -> Path:
    """Return the folder of received files and reservations, after creating it if needed."""
    folder = settings().data_dir / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def on_disk(stream: IO[bytes]) -> Iterator[Path]:
    """Yield the path of a received file; one that is small enough to be in memory is copied to the disk."""
    stream.seek(0)
    if isinstance(stream, SpooledFile):
        stream.flush()
        yield stream.path
        return
    with NamedTemporaryFile(dir=spool_folder(), prefix="received-") as file:
        with disk_errors_told():
            shutil.copyfileobj(stream, file)
            file.flush()
        yield Path(file.name)


def reserve_room(size_bytes: int) -> DiskRoom:
    """Reserve room for receiving a body and storing it, or raise DiskFullError.

    Without an object store the stored copy is on the same disk as the received file.
    """
    with disk_errors_told():
        room = DiskRoom(size_bytes * (1 if settings().s3_bucket else 2))
    try:
        require_free_disk()
    except BaseException:
        room.release()
        raise
    return room


def require_free_disk() -> None:
    """Raise DiskFullError when the disk is nearly full; reserved room counts as used."""
    disk = shutil.disk_usage(settings().data_dir)
    if disk.free - _reserved_bytes() < disk.total * MIN_FREE_DISK_SHARE:
        raise DiskFullError(NEARLY_FULL)


@contextmanager
def disk_errors_told() -> Iterator[None]:
    """Raise DiskFullError in place of the system's error for a full disk."""
    try:
        yield
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise DiskFullError(NEARLY_FULL) from error


def is_disk_full(error: BaseException | None) -> bool:
    """Return whether an error says that the disk, or the process's share of it, is full."""
    return isinstance(error, OSError) and error.errno in DISK_FULL_ERRORS


def _reserved_bytes() -> int:
    return sum(_reservation(path) for path in spool_folder().glob(f"{RESERVATION_PREFIX}*"))


def _reservation(path: Path) -> int:
    """Return the bytes of one reservation; delete it if its process is gone."""
    with suppress(OSError, ValueError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(file.read(DIGITS) or 0)
        path.unlink(missing_ok=True)
    return 0
