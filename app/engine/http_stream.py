"""One HTTP request whose response is read piece by piece, for the traffic to and from the engine.

No redirect is followed and no proxy or credential of the environment is used, so a request goes to the host
in its URL and nowhere else. Certificates are checked against the system's store, which may hold a private
authority's.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from urllib.parse import urlsplit

import httpx

_FAILURES = (OSError, httpx.HTTPError, httpx.InvalidURL)


class TransferError(Exception):
    """The connection failed, or was silent for longer than the timeout."""


class NoResponseError(TransferError):
    """It failed before any response came."""


class HttpStream:
    """A response: its status, and its body as lines and blocks."""

    def __init__(self, response: httpx.Response) -> None:
        length = response.headers.get("Content-Length")
        self.status: int = response.status_code
        self.content_length = int(length) if length is not None else None
        # Raw, because what is compressed in the store has to stay as it is.
        self._chunks, self._buffer = response.iter_raw(), bytearray()

    def read_line(self, max_bytes: int) -> bytes:
        """Return the next line with its line feed; without one where the body ends or the line is too long.

        Raises TransferError.
        """
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched >= max_bytes or not self._receive():
                return self._take(max_bytes)
        return self._take(min(end + 1, max_bytes))

    def read_block(self, max_bytes: int) -> bytes:
        """Return the bytes that are next, at most so many; none at the end of the body.

        Raises TransferError, also when the body ends before the length that was announced.
        """
        if not self._buffer:
            self._receive()
        return self._take(max_bytes)

    def _take(self, max_bytes: int) -> bytes:
        block = bytes(self._buffer[:max_bytes])
        del self._buffer[:max_bytes]
        return block

    def _receive(self) -> bool:
        """Add what comes next to the buffer; False at the end of the body."""
        try:
            chunk = next(self._chunks, b"")
        except _FAILURES as error:
            raise TransferError(f"{type(error).__name__}: {error}") from error
        self._buffer += chunk
        return bool(chunk)


@contextmanager
def open_stream(
    method: str, url: str, *, timeout_s: float, headers: Mapping[str, str] | None = None, body: str = ""
) -> Iterator[HttpStream]:
    """Send a request and yield its response; leaving the block closes the connection.

    `timeout_s` bounds the connecting and each silence, not the whole. Raises NoResponseError.
    """
    sent = {"Accept-Encoding": "identity", **(headers or {})}
    with httpx.Client(
        trust_env=False, follow_redirects=False, timeout=timeout_s, verify=_tls_context()
    ) as client:
        try:
            # A signed link is sent as it was signed; a client that normalises it would break the signature.
            extensions = {"target": _request_target(url).encode("ascii")}
            request = client.build_request(
                method, url, headers=sent, content=body or None, extensions=extensions
            )
            response = client.send(request, stream=True)
        except (*_FAILURES, ValueError) as error:
            raise NoResponseError(f"{type(error).__name__}: {error}") from error
        with closing(response):
            yield HttpStream(response)


def _request_target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


@cache
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()
