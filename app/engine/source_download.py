"""Fetching a file by its signed link, from the configured store and from nowhere else."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import unquote, urlsplit

from app.integrations.storage import StorageError
from app.sandbox.errors import EngineCancelled

MAX_SOURCE_BYTES = 2**30
READ_TIMEOUT_S, MAX_FETCH_S = 10.0, 300.0
BLOCK_BYTES = 1 << 18


def is_from_store(url: str, prefix: str) -> bool:
    """Whether a link leads into the store: `prefix` is what all of its links start with, host and path."""
    plain = url.isascii() and url.isprintable() and not set(url) & set(" \\#")
    return plain and url.startswith(prefix) and ".." not in unquote(unquote(urlsplit(url).path))


def download_source(url: str, target: Path, still_wanted: Callable[[], bool]) -> None:
    """Write the object to a file, block by block. A redirect is an error, and proxies are not asked.

    Raises StorageError unless every byte came, and EngineCancelled when nobody waits any more.
    """
    try:
        with closing(open_connection(url, READ_TIMEOUT_S)) as connection:
            connection.request("GET", request_target(url), headers={"Accept-Encoding": "identity"})
            response = connection.getresponse()
            if response.status != 200:
                raise StorageError(f"the store answered {response.status}")
            if response.length is None or response.length > MAX_SOURCE_BYTES:
                raise StorageError(f"the store would send {response.length} bytes")
            until = time.monotonic() + MAX_FETCH_S
            with target.open("wb") as file:
                while block := response.read(BLOCK_BYTES):
                    file.write(block)
                    if not still_wanted():
                        raise EngineCancelled("given up by the caller")
                    if time.monotonic() > until:
                        raise StorageError("the store was too slow")
            if response.length:
                raise StorageError(f"the store kept {response.length} bytes back")
    except (OSError, HTTPException) as error:
        raise StorageError(f"{type(error).__name__}: {error}") from error


def open_connection(url: str, timeout_s: float) -> HTTPConnection:
    parts = urlsplit(url)
    made = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return made(parts.hostname or "", parts.port, timeout=timeout_s)


def request_target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
