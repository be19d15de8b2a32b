"""Send one webhook by POST, only to public machines and only to the address that was checked."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from app.integrations import public_addresses
from app.integrations.public_addresses import RefusedUrlError

CONNECT_S, TOTAL_S = 5.0, 15.0
MAX_ANSWER_BYTES = 64 * 1024
HTTPS_ONLY = "The address must start with https://."


class NotDeliveredError(Exception):
    """No answer came; trying again later may help."""


@dataclass(frozen=True)
class WebhookTarget:
    """A parsed URL: where to connect to, and which host to ask for there."""

    scheme: str
    host: str  # for the Host header and SNI
    port: int
    path: str


def parse_url(url: str, loopback: bool = False) -> WebhookTarget:
    """Parse a URL, or raise RefusedUrlError. With `loopback`, http to this machine is allowed."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except (ValueError, UnicodeError) as error:
        raise RefusedUrlError("That is not a valid address.") from error
    if parts.scheme not in (("https", "http") if loopback else ("https",)) or not url.isprintable():
        raise RefusedUrlError(HTTPS_ONLY)
    if not host or parts.username is not None or parts.password is not None or port == 0:
        raise RefusedUrlError("The address needs a host name, and no user name or password.")
    path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    return WebhookTarget(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)


def resolve_public(target: WebhookTarget, loopback: bool = False) -> str:
    """Resolve the host and return one of its addresses; all of them must be public.

    Looked up for every request, as the answer may change.
    Raises RefusedUrlError and NotDeliveredError.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotDeliveredError(f"{target.host} could not be found") from error
    addresses = [str(entry[4][0]) for entry in found]
    if loopback and all(public_addresses.is_loopback(address) for address in addresses):
        return addresses[0]
    if target.scheme != "https":
        raise RefusedUrlError(HTTPS_ONLY)
    public_addresses.check_public(target.host, addresses)
    return addresses[0]


def post_webhook(url: str, body: bytes, headers: dict[str, str], loopback: bool = False) -> int:
    """Send the body and return the status. Follows no redirect and uses no proxy of the environment."""
    target = parse_url(url, loopback)
    address = resolve_public(target, loopback)
    shown = f"[{address}]" if ":" in address else address
    default = 443 if target.scheme == "https" else 80
    host = target.host if target.port == default else f"{target.host}:{target.port}"
    timeout = httpx.Timeout(CONNECT_S, read=TOTAL_S)
    try:
        with (
            _Deadline(TOTAL_S) as deadline,
            httpx.Client(trust_env=False, follow_redirects=False, timeout=timeout) as client,
        ):
            request = client.build_request(
                "POST",
                f"{target.scheme}://{shown}:{target.port}{target.path}",
                content=body,
                headers=headers | {"Host": host},
                extensions={"sni_hostname": target.host, "trace": deadline.watch},
            )
            return _read_status(client, request)
    except httpx.HTTPError as error:
        raise NotDeliveredError(f"{type(error).__name__}: {error}"[:200]) from error


def _read_status(client: httpx.Client, request: httpx.Request) -> int:
    """Return the status. The rest of the answer does not matter: it is read up to MAX_ANSWER_BYTES."""
    response, size = client.send(request, stream=True), 0
    try:
        with suppress(httpx.HTTPError):
            for chunk in response.iter_raw():
                size += len(chunk)
                if size > MAX_ANSWER_BYTES:
                    break
    finally:
        response.close()
    return response.status_code


class _Deadline:
    """Closes a connection when its time is up, as a read timeout only limits the pause between two bytes."""

    CONNECTED = ("connection.connect_tcp.complete", "connection.start_tls.complete")

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end)
        self._socket: socket.socket | None = None
        self._is_over = False

    def __enter__(self) -> _Deadline:
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def watch(self, event: str, info: dict[str, Any]) -> None:
        """Receive httpx's trace events, and keep the newest socket: TLS replaces the one of TCP."""
        if event in self.CONNECTED:
            self._socket = info["return_value"].get_extra_info("socket")
            if self._is_over:
                self._end()

    def _end(self) -> None:
        self._is_over = True
        if self._socket is not None:
            with suppress(OSError):
                # SSLSocket.shutdown would remove the TLS layer while another thread still reads from it.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
