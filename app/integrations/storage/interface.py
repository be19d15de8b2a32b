"""What every store of bytes can do, and what can go wrong with one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

URL_LIFETIME_S = 900
BINARY_MIME = "application/octet-stream"


class StorageError(Exception):
    """The store could not be reached or did not do what was asked; trying later may help."""


class ObjectMissingError(StorageError):
    """There is no such object."""


class Store(Protocol):
    def put(self, key: str, source: Path, content_type: str) -> None:
        """Store a file under a key, replacing what was there. A reader sees all of it or none."""

    def fetch(self, key: str, target: Path) -> None:
        """Copy an object to a local file, or raise MissingError."""

    def copy(self, key: str, target_key: str) -> None:
        """Store an object under a second key; a bucket does so by itself, without sending it to us."""

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is fine."""

    def older_than(self, prefix: str, time: datetime) -> Iterator[str]:
        """Keys below a prefix that were stored before a time."""

    def url(self, key: str, *, content_type: str, download_name: str | None = None) -> str:
        """A link that works for URL_LIFETIME_S seconds and shows this one object only."""


@contextmanager
def translate_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(str(error)) from error
    except Exception as error:
        # boto3 is not imported on disk, so its exceptions are known by their package.
        if type(error).__module__.partition(".")[0] not in {"botocore", "boto3", "s3transfer"}:
            raise
        raise StorageError(str(error)) from error
