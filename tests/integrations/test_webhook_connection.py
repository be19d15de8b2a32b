"""Webhooks to misbehaving receivers: slow in every way, or with a wrong certificate."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from app.integrations import deadlines, webhook_client
from app.integrations.deadlines import Deadline, DeadlineError
from tests.integrations.certificates import server_context

NAME, BODY = "receiver.example", b"{}"
Talk = Callable[[socket.socket], None]


class Receiver:
    """A server on this machine that handles every connection as a test tells it to."""

    def __init__(self, talk: Talk, tls: ssl.SSLContext | None = None) -> None:
        self.talk, self.tls = talk, tls
        self.names: list[str | None] = []
        self.requests: list[bytes] = []
        if tls is not None:
            tls.sni_callback = lambda _, name, __: self.names.append(name)
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=[peer], daemon=True).start()

    def _answer(self, peer: socket.socket) -> None:
        with suppress(OSError):
            if self.tls is not None:
                peer = self.tls.wrap_socket(peer, server_side=True)
            request = b""
            while not request.endswith(BODY) and (more := peer.recv(65536)):
                request += more
            self.requests.append(request)
            self.talk(peer)
            peer.close()


def drip(before: bytes, byte: bytes) -> Talk:
    """Send one byte at a time for ever, so that no read ever times out."""

    def talk(peer: socket.socket) -> None:
        peer.sendall(before)
        while True:
            peer.sendall(byte)
            time.sleep(0.05)

    return talk


def ok(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")


def post(port: int, scheme: str = "https") -> int:
    return webhook_client.post_webhook(f"{scheme}://{NAME}:{port}/hook", BODY, {}, loopback=True)


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve the receiver's name to this machine, and shorten the total timeout."""
    look_up = socket.getaddrinfo

    def lead_here(host: str, *arguments: Any, **options: Any) -> Any:
        return look_up("127.0.0.1" if host == NAME else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lead_here)
    monkeypatch.setattr(webhook_client, "TOTAL_S", 1.0)


@pytest.fixture
def serve() -> Iterator[Callable[..., Receiver]]:
    started: list[Receiver] = []

    def start(talk: Talk, tls: ssl.SSLContext | None = None) -> Receiver:
        started.append(Receiver(talk, tls))
        return started[-1]

    yield start
    for receiver in started:
        receiver.listener.close()


@pytest.fixture
def silent() -> Iterator[Callable[[Talk], int]]:
    """Start a server that neither reads nor speaks TLS, only what a test has it say; return its port."""
    listeners: list[socket.socket] = []

    def start(talk: Talk) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve_once() -> None:
            with suppress(OSError):
                peer, _ = listener.accept()
                with peer:
                    talk(peer)

        threading.Thread(target=serve_once, daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    yield start
    for listener in listeners:
        listener.close()


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ssl.SSLContext]:
    """Return a function that makes a certificate for a name, which the product then trusts."""

    def make(name: str) -> ssl.SSLContext:
        context, pem = server_context(tmp_path, name)
        monkeypatch.setattr("certifi.where", lambda: str(pem))
        return context

    return make


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX: "])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_receiver_that_drips_its_headers_is_disconnected(
    serve: Callable[..., Receiver],
    certificate: Callable[[str], ssl.SSLContext],
    scheme: str,
    before: bytes,
) -> None:
    receiver = serve(drip(before, b"H"), certificate(NAME) if scheme == "https" else None)
    began = time.monotonic()
    with pytest.raises(webhook_client.NotDeliveredError):
        post(receiver.port, scheme)
    assert 0.9 < time.monotonic() - began < 20  # it would drip for hours


def test_a_receiver_that_drips_its_tls_handshake_is_disconnected(silent: Callable[[Talk], int]) -> None:
    """It begins a TLS record of 16 KB and sends it byte by byte."""
    port = silent(drip(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", b"\x00"))
    with pytest.raises(webhook_client.NotDeliveredError, match="did not answer within 1 s"):
        post(port)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_receiver_that_never_reads_or_writes_is_disconnected(
    silent: Callable[[Talk], int], scheme: str
) -> None:
    ended = threading.Event()

    def wait(_: socket.socket) -> None:
        ended.wait(20)

    port = silent(wait)
    with pytest.raises(webhook_client.NotDeliveredError, match="did not answer within 1 s"):
        webhook_client.post_webhook(f"{scheme}://{NAME}:{port}/", bytes(32 * 10**6), {}, loopback=True)
    ended.set()


def test_a_name_server_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def look_up(*_: Any, **__: Any) -> list[Any]:
        ended.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(webhook_client.NotDeliveredError, match=f"{NAME} could not be found"):
        post(443)
    assert not ended.is_set()
    ended.set()


def test_slow_lookups_are_bounded_and_free_their_place_when_they_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deadlines, "_lookups", threading.BoundedSemaphore(2))
    ended, asked = threading.Event(), []

    def look_up(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        ended.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    for number in range(3):
        with Deadline(0.1) as deadline, pytest.raises(DeadlineError):
            deadlines.look_up(f"{number}.example", 443, deadline)
    assert asked == ["0.example", "1.example"]
    ended.set()
    with Deadline(20) as deadline:
        assert deadlines.look_up("3.example", 443, deadline) == ["192.0.2.1"]


def test_the_status_counts_even_if_the_body_never_ends(serve: Callable[..., Receiver]) -> None:
    receiver = serve(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"x"))
    began = time.monotonic()
    assert post(receiver.port, "http") == 200
    assert 0.9 < time.monotonic() - began < 20  # it would drip for hours


def test_no_thread_is_left_behind(serve: Callable[..., Receiver]) -> None:
    receiver, before = serve(ok), threading.active_count()
    for _ in range(5):
        assert post(receiver.port, "http") == 204
    until = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.02)
    assert threading.active_count() <= before


def test_the_host_name_is_sent_and_its_certificate_checked(
    serve: Callable[..., Receiver], certificate: Callable[[str], ssl.SSLContext]
) -> None:
    """The connection goes to an IP address, but SNI, Host and certificate use the name."""
    receiver = serve(ok, certificate(NAME))
    assert post(receiver.port) == 204
    assert receiver.names == [NAME]
    assert f"Host: {NAME}:{receiver.port}\r\n".encode() in receiver.requests[0]


@pytest.mark.parametrize("name", ["other.example", "127.0.0.1"])
def test_a_certificate_for_another_name_is_refused(
    serve: Callable[..., Receiver], certificate: Callable[[str], ssl.SSLContext], name: str
) -> None:
    receiver = serve(ok, certificate(name))
    with pytest.raises(webhook_client.NotDeliveredError, match="CERTIFICATE_VERIFY_FAILED"):
        post(receiver.port)
    assert receiver.requests in ([], [b""])


def test_a_self_signed_certificate_is_refused(
    serve: Callable[..., Receiver],
    certificate: Callable[[str], ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import certifi

    trusted = certifi.where()
    receiver = serve(ok, certificate(NAME))
    monkeypatch.setattr("certifi.where", lambda: trusted)
    with pytest.raises(webhook_client.NotDeliveredError, match="CERTIFICATE_VERIFY_FAILED"):
        post(receiver.port)
