"""The interface of a store, and the exceptions it raises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

URL_LIFETIME_S = 900
BINARY_MIME = "application/octet-stream"


class StorageError(Exception):
    """The store could not be reached or failed; trying again later may help."""


class ObjectMissingError(StorageError):
    """There is no such object."""


@dataclass(frozen=True)
class StoredObject:
    """An object as a listing shows it; its `version` changes with its bytes."""

    key: str
    size_bytes: int
    version: str


class Store(Protocol):
    """The methods of every file store. All methods may raise StorageError."""

    def put(self, key: str, source: Path, content_type: str) -> None:
        """Store a file under a key, replacing what was there. A reader sees the whole file or the old one."""

    def fetch(self, key: str, target: Path) -> None:
        """Copy an object to a local file, or raise MissingError."""

    def read(self, key: str, first: int, count: int) -> bytes:
        """Return bytes from the middle of an object, fewer where it ends; MissingError as for `fetch`."""

    def copy(self, key: str, target_key: str) -> None:
        """Store an object under a second key; a bucket copies it without sending it through the app."""

    def delete(self, key: str) -> None:
        """Delete an object; a missing one is not an error."""

    def older_than(self, prefix: str, time: datetime) -> Iterator[str]:
        """Yield the keys with a prefix that were stored before a time."""

    def check_reachable(self) -> None:
        """Raise StorageError within seconds when the store does not answer or does not let us in."""

    def list_objects(self) -> Iterator[StoredObject]:
        """Yield every object of the store."""

    def url(self, key: str, *, content_type: str, download_name: str | None = None) -> str:
        """Return a link to this one object that is valid for URL_LIFETIME_S seconds."""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise StorageError in place of an error of the disk or of boto3."""
    try:
        yield
    except OSError as error:
        raise StorageError(str(error)) from error
    except Exception as error:
        # A run on disk does not import boto3, so its exceptions are told by their package.
        if type(error).__module__.partition(".")[0] not in {"botocore", "boto3", "s3transfer"}:
            raise
        raise StorageError(str(error)) from error
