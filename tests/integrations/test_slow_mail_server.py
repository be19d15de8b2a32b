"""A mail server that is slow in any way is given up after a total time; a good one gets the mail over TLS."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from app.config import Settings
from app.integrations import mailer
from app.integrations.mailer import Mail, MailError, send_mail
from tests.integrations.certificates import server_context
from tests.live import free_port
from tests.services.conftest import Inbox

MAIL = Mail("a@example.com", "Hello", "text", "<p>text</p>", "http://127.0.0.1/settings", "key:1")
GREETING, EHLO = b"220 hello\r\n", b"250-hello\r\n250 STARTTLS\r\n"
TLS_RECORD = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"
PATIENCE_S = 20.0


class DrippingServer:
    """Says some lines, one for each that it gets, and then one byte at a time until it is left."""

    def __init__(self, answers: list[bytes], drip: bytes) -> None:
        self.answers, self.drip = answers, drip
        self.was_left = threading.Event()
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._closed.set()
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            peer, _ = self._listener.accept()
            with peer:
                for answer in self.answers:
                    peer.sendall(answer)
                    peer.recv(65536)
                self._drip(peer)

    def _drip(self, peer: socket.socket) -> None:
        try:
            for _ in range(int(PATIENCE_S / 0.05)):
                peer.sendall(self.drip)
                if self._closed.wait(0.05):
                    return
        except OSError:
            self.was_left.set()


@pytest.fixture
def dripping(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[list[bytes], bytes], DrippingServer]]:
    monkeypatch.setattr(mailer, "TOTAL_S", 0.5)
    started: list[DrippingServer] = []

    def start(answers: list[bytes], drip: bytes) -> DrippingServer:
        started.append(DrippingServer(answers, drip))
        return started[-1]

    yield start
    for server in started:
        server.close()


def send(folder: Path, url: str) -> None:
    secret = "a secret for tests, long enough to be taken"
    send_mail(MAIL, Settings.from_env({"DATA_DIR": str(folder), "SMTP_URL": url, "SECRET_KEY": secret}))


@pytest.mark.parametrize(
    ("answers", "drip"),
    [
        ([], b"2"),
        ([], b"220-wait\r\n"),
        ([GREETING], b"250-wait\r\n"),
        ([GREETING, b"250 hello\r\n"], b"2"),
        ([GREETING, b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n"], b"3"),
        ([GREETING, b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"], b"250-wait\r\n"),
        ([GREETING, EHLO], b"2"),
        ([GREETING, EHLO, b"220 go\r\n" + TLS_RECORD], b"\x00"),
    ],
    ids=["greeting", "greeting lines", "ehlo", "from", "data", "end of data", "starttls", "handshake"],
)
def test_a_mail_server_that_drips_is_left(
    tmp_path: Path,
    dripping: Callable[[list[bytes], bytes], DrippingServer],
    answers: list[bytes],
    drip: bytes,
) -> None:
    server = dripping(answers, drip)
    with pytest.raises(MailError):
        send(tmp_path, f"smtp://127.0.0.1:{server.port}")
    assert server.was_left.wait(10)


def test_a_mail_server_that_drips_its_tls_handshake_is_left(
    tmp_path: Path, dripping: Callable[[list[bytes], bytes], DrippingServer]
) -> None:
    server = dripping([TLS_RECORD], b"\x00")
    with pytest.raises(MailError):
        send(tmp_path, f"smtps://127.0.0.1:{server.port}")
    assert server.was_left.wait(10)


def test_a_mail_server_whose_name_cannot_be_looked_up_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MailError):
        send(tmp_path, "smtp://mail.invalid:25")


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_mail_goes_out_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    context, pem = server_context(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    inbox, port = Inbox(), free_port()
    tls = (
        {"ssl_context": context} if scheme == "smtps" else {"tls_context": context, "require_starttls": True}
    )
    controller = Controller(inbox, hostname="127.0.0.1", port=port, server_hostname="localhost", **tls)

    def trigger() -> None:
        """Only connect: the controller's own trigger would speak TLS with a server's context."""
        socket.create_connection(("127.0.0.1", port)).close()

    monkeypatch.setattr(controller, "_trigger_server", trigger)
    controller.start()
    try:
        send(tmp_path, f"{scheme}://localhost:{port}")
    finally:
        controller.stop()
    assert [message["Subject"] for message in inbox.messages] == ["Hello"]
