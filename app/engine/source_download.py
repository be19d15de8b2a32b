"""Download a file by its signed link, from the configured store and from nowhere else."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from app.engine.http_stream import HttpStream, TransferError, open_stream
from app.integrations.storage import StorageError
from app.sandbox.errors import EngineCancelled

MAX_SOURCE_BYTES = 2**30
READ_TIMEOUT_S, MAX_FETCH_S = 10.0, 300.0
BLOCK_BYTES = 1 << 18


def is_from_store(url: str, prefix: str) -> bool:
    """Return whether a link leads into the store; all of its links begin with `prefix`, host and path."""
    plain = url.isascii() and url.isprintable() and not set(url) & set(" \\#")
    return plain and url.startswith(prefix) and ".." not in unquote(unquote(urlsplit(url).path))


def download_source(url: str, target: Path, still_wanted: Callable[[], bool]) -> None:
    """Write the object behind a link to a file, block by block.

    Raises StorageError unless every byte of it came, for instance because of a redirect, and EngineCancelled
    when the caller no longer wants it.
    """
    try:
        with open_stream("GET", url, timeout_s=READ_TIMEOUT_S) as response:
            _write_body(response, target, still_wanted)
    except (OSError, TransferError) as error:
        raise StorageError(str(error)) from error


def _write_body(response: HttpStream, target: Path, still_wanted: Callable[[], bool]) -> None:
    if response.status != 200:
        raise StorageError(f"the store answered {response.status}")
    length = response.content_length
    if length is None or length > MAX_SOURCE_BYTES:
        raise StorageError(f"the store would send {length} bytes")
    until, received = time.monotonic() + MAX_FETCH_S, 0
    with target.open("wb") as file:
        while block := response.read_block(BLOCK_BYTES):
            received += len(block)
            if received > length:
                break
            file.write(block)
            if not still_wanted():
                raise EngineCancelled("given up by the caller")
            if time.monotonic() > until:
                raise StorageError("the store was too slow")
    if received != length:
        raise StorageError(f"the store announced {length} bytes and sent {received}")
