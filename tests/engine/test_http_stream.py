"""The engine's HTTP client: it goes where the URL says, sends it unchanged, and reads no more than it may."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.engine.http_stream import NoResponseError, TransferError, open_stream
from tests.engine.fake_store import running_store
from tests.live import free_port

TIMEOUT_S = 5.0


@contextmanager
def raw_server(*answers: bytes) -> Iterator[str]:
    """Send these bytes to the first client after its request, then hang up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                for answer in answers:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/x"
        thread.join(TIMEOUT_S)


@pytest.mark.parametrize(
    "target", ["/media/a%7Eb/c'd(1)!*.wav?X=a%2Fb+c~d&Y=%7e", "/media/a%20b?q=%5B1%5D", "/media//double"]
)
def test_a_signed_link_is_requested_exactly_as_it_was_signed(target: str) -> None:
    with running_store(free_port()) as store:
        with open_stream("GET", store.url + target, timeout_s=TIMEOUT_S):
            pass
        assert store.asked == [target]


def test_neither_a_proxy_of_the_environment_nor_a_redirect_leads_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running_store(free_port()) as store, running_store(free_port()) as trap:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, trap.url)
        url = store.answer("x", 302, {"Location": trap.url, "Content-Length": "0"})
        with open_stream("GET", url, timeout_s=TIMEOUT_S) as response:
            assert (response.status, response.content_length) == (302, 0)
        assert (len(store.asked), trap.asked) == (1, [])


def test_lines_and_blocks_alternate_and_a_long_line_is_cut() -> None:
    body = b"first\n1234rest\n" + b"x" * 100
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    with (
        raw_server(head, body[:9], body[9:]) as url,
        open_stream("GET", url, timeout_s=TIMEOUT_S) as response,
    ):
        assert response.read_line(1000) == b"first\n"
        block = response.read_block(4)
        while len(block) < 4:
            block += response.read_block(4 - len(block))
        assert block == b"1234"
        assert response.read_line(1000) == b"rest\n"
        assert response.read_line(60) == b"x" * 60
        assert response.read_line(60) == b"x" * 40
        assert response.read_line(60) == response.read_block(60) == b""


def test_a_body_that_ends_early_is_a_failed_transfer() -> None:
    with (
        raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour") as url,
        open_stream("GET", url, timeout_s=TIMEOUT_S) as response,
    ):
        assert response.read_block(100) == b"four"
        with pytest.raises(TransferError, match="RemoteProtocolError"):
            response.read_block(100)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "http://127.0.0.1:99999999/x", "http://[::1/x", "x"])
def test_an_address_where_nothing_answers_gives_no_response(url: str) -> None:
    with pytest.raises(NoResponseError), open_stream("GET", url, timeout_s=TIMEOUT_S):
        pass
