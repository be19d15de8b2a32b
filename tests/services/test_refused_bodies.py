"""Real gunicorn refuses a request before reading its body, whenever the headers are reason enough."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.api.problems import Problem
from app.auth import accounts, api_tokens
from app.extensions import db
from app.models import Job, Usage
from app.models.api_token import ABILITIES, JOBS_READ
from app.models.base import transaction
from tests.services.raw_http import (
    BOUNDARY,
    MULTIPART,
    connect,
    cookies,
    form_token,
    head,
    multipart,
    sign_in,
    whole_answer,
)
from tests.support import PASSWORD, kick
from tests.web_process import Web

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(sys.platform != "linux", reason="stops gunicorn by its process group"),
]
LARGE = 900_000_000
STRIPE = {"STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_WEBHOOK_SECRET": "whsec_x"}
BUFFERED_BYTES = 20_000_000  # at most, by the sockets


@pytest.fixture(scope="module")
def tokens() -> dict[str, str]:
    return {}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, tokens: dict[str, str]) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    (folder / "tmpdir").mkdir()
    made = Web(folder, TMPDIR=str(folder / "tmpdir"), API_REQUESTS_PER_MINUTE="100000", **STRIPE)
    with made.database():
        free = accounts.register_user("free@example.com", PASSWORD, "UTC")
        spent = accounts.register_user("spent@example.com", PASSWORD, "UTC")
        with transaction() as session:
            session.add(Usage(user_id=spent.id, kind="upload", entry_key="spent", quantity=10))
        for name, user, abilities in (
            ("free", free, ABILITIES),
            ("spent", spent, ABILITIES),
            ("reader", free, [JOBS_READ]),
        ):
            tokens[name] = api_tokens.create_token(user, name, list(abilities), None)[1]
    tokens["pro"] = made.token
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("token", "size", "status", "words"),
    [
        (None, LARGE, 401, "valid token"),
        ("reader", LARGE, 403, "samples:write"),
        ("pro", LARGE, 413, "too much"),
        ("free", 12_000_000, 413, "too much"),
        ("spent", 9_000_000, 422, "used all 10 uploads"),
    ],
)
@pytest.mark.parametrize("expect", [{}, {"Expect": "100-continue"}], ids=["plain", "expect"])
def test_the_api_answers_without_a_byte_of_the_body(
    web: Web,
    tokens: dict[str, str],
    token: str | None,
    size: int,
    status: int,
    words: str,
    expect: dict[str, str],
) -> None:
    authorization = {"Authorization": f"Bearer {tokens[token]}"} if token else {}
    with closing(connect(web)) as connection:
        connection.sendall(
            head("POST", "/api/upload", MULTIPART | authorization | expect | {"Content-Length": str(size)})
        )
        answer = whole_answer(connection).decode()
    assert answer.startswith(f"HTTP/1.1 {status} "), "the final answer, not a request to continue"
    assert "\r\nConnection: close\r\n" in answer
    assert "\r\nContent-Type: application/problem+json\r\n" in answer
    assert words in answer


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("PATCH", "/api/samples/0", {"Content-Type": "application/json"}, 413),
        ("POST", "/api/uploads", {"Content-Type": "application/json"}, 413),
        ("POST", "/api/uploads", {"Content-Type": "text/plain"}, 415),
        ("DELETE", "/api/samples/0", {}, 404),
        ("POST", "/api/nothing", MULTIPART, 404),
        ("POST", "/billing/events", {"Content-Type": "application/json"}, 413),
        ("POST", "/sign-in", MULTIPART, 413),
        ("POST", "/upload", MULTIPART, 413),
    ],
)
def test_every_other_large_body_is_refused_by_its_length(
    web: Web, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    with closing(connect(web)) as connection:
        connection.sendall(head(method, path, headers | web.headers | {"Content-Length": str(LARGE)}))
        assert whole_answer(connection).startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize("path", ["/api/upload", "/api/uploads", "/billing/events", "/sign-in"])
def test_a_body_without_a_length_is_read_up_to_the_limit(web: Web, tokens: dict[str, str], path: str) -> None:
    kind = {"/api/uploads": "application/json", "/billing/events": "application/json"}
    headers = {"Content-Type": kind.get(path, MULTIPART["Content-Type"]), "Transfer-Encoding": "chunked"}
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'.encode()
    with closing(connect(web)) as connection:
        connection.sendall(head("POST", path, headers | {"Authorization": f"Bearer {tokens['free']}"}))
        taken = _send_chunks(connection, part if "form" in headers["Content-Type"] else b"{")
        assert whole_answer(connection).startswith(b"HTTP/1.1 413 ")
    assert taken < 11_000_000 + BUFFERED_BYTES
    assert list((web.data_dir / "tmp").iterdir()) == []


def _send_chunks(connection: socket.socket, start: bytes) -> int:
    """Send chunks until the server has had enough; return how many bytes it took."""
    connection.sendall(b"%x\r\n%b\r\n" % (len(start), start))
    chunk, taken = b"%x\r\n%b\r\n" % (65536, b"x" * 65536), 0
    connection.settimeout(30)
    try:
        while taken < LARGE:
            connection.sendall(chunk)
            taken += 65536
    except (BrokenPipeError, ConnectionResetError):
        pass
    return taken


def test_a_client_that_waits_is_asked_to_continue_when_the_body_is_wanted(web: Web) -> None:
    body = multipart(kick())
    headers = (
        MULTIPART
        | web.headers
        | {"Expect": "100-continue", "Content-Length": str(len(body)), "Connection": "close"}
    )
    with closing(connect(web)) as connection:
        connection.sendall(head("POST", "/api/upload", headers))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert whole_answer(connection).startswith(b"HTTP/1.1 202 ")


class Sent:
    """A body that counts what was taken of it."""

    def __init__(self, size: int, start: bytes = b"") -> None:
        self.size, self.start, self.taken = size, start, 0

    def __iter__(self) -> Iterator[bytes]:
        yield self.start
        self.taken = len(self.start)
        while self.taken < self.size:
            yield b"x" * 65536
            self.taken += 65536


@pytest.mark.parametrize(("name", "status"), [("spent", 422), ("reader", 403), ("none", 401)])
def test_a_client_that_sends_at_once_reads_the_answer(
    web: Web, tokens: dict[str, str], name: str, status: int
) -> None:
    """httpx goes on sending until the connection closes, and then reads the answer that is there."""
    body = Sent(9_900_000)
    headers = MULTIPART | {"Authorization": f"Bearer {tokens.get(name)}", "Content-Length": str(body.size)}
    assert (
        httpx.post(f"{web.url}/api/upload", content=body, headers=headers, timeout=60).status_code == status
    )


@pytest.fixture
def member(web: Web) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=web.url, timeout=60) as client:
        sign_in(client, "free@example.com")
        yield client


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_large_form_without_a_valid_token_is_refused_at_its_beginning(
    web: Web, member: httpx.Client, token: str
) -> None:
    start = multipart(b"x" * 70_000, ("csrf_token", token))
    with closing(connect(web)) as connection:
        connection.sendall(
            head("POST", "/upload", MULTIPART | cookies(member) | {"Content-Length": str(90_000_000)})
        )
        connection.sendall(start)
        answer = whole_answer(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"open for too long" in answer


def test_a_large_form_with_its_token_is_read_and_stored(web: Web, member: httpx.Client) -> None:
    content = kick() + bytes(5_000_000)
    form = {"csrf_token": form_token(member)}
    answer = member.post("/upload", data=form, files={"audio": ("a.wav", content)})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/jobs")
    with web.database():
        assert len(content) in db.session.scalars(select(Job.size_bytes)).all()


def test_a_form_of_a_member_without_uploads_left_is_refused_by_its_headers(web: Web) -> None:
    with httpx.Client(base_url=web.url) as client, closing(connect(web)) as connection:
        sign_in(client, "spent@example.com")
        connection.sendall(
            head("POST", "/upload", MULTIPART | cookies(client) | {"Content-Length": "9000000"})
        )
        assert b"\r\nLocation: /upload\r\n" in whole_answer(connection)
        script = {"Accept": "application/json", "Content-Length": "9000000"}
        with closing(connect(web)) as second:
            second.sendall(head("POST", "/upload", MULTIPART | cookies(client) | script))
            assert b"used all 10 uploads" in whole_answer(second)


def test_a_file_is_received_where_the_data_is_and_deleted_when_the_sender_is_cut_off(
    web: Web, tmp_path: Path
) -> None:
    folder, elsewhere = web.data_dir / "tmp", web.data_dir.parent / "tmpdir"
    before = {path.name for path in elsewhere.iterdir()}
    with closing(connect(web)) as connection:
        connection.sendall(
            head("POST", "/api/upload", MULTIPART | web.headers | {"Content-Length": "50000000"})
        )
        connection.sendall(multipart(kick() + bytes(4_000_000))[:-20])
        _wait_for(lambda: any(path.stat().st_size > 3_000_000 for path in folder.glob("upload-*")))
        reserved = [int(path.read_bytes()) for path in folder.glob("room-*")]
        assert len(reserved) == 1
        assert 90_000_000 < reserved[0] < 98_000_000, "both copies, less what has arrived"
        assert {path.name for path in elsewhere.iterdir()} == before
    _wait_for(lambda: list(folder.iterdir()) == [])


def _wait_for(happened: Any) -> None:
    until = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET /api/usage HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431),
        (b"GET /api/usage HTTP/1.1\r\n" + b"X: x\r\n" * 200 + b"\r\n", 431),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /api/usage HTTP/1.1\r\nExpect: coffee\r\n\r\n", 417),
        (b"POST /api/upload HTTP/1.1\r\nTransfer-Encoding: rot13\r\n\r\n", 501),
        (b"POST /api/upload HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
    ],
)
def test_what_gunicorn_refuses_itself_is_a_problem_document(
    web: Web, request_head: bytes, status: int
) -> None:
    with closing(connect(web)) as connection:
        connection.sendall(request_head)
        answer = whole_answer(connection)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    headers, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Type: application/problem+json" in headers
    assert Problem.model_validate_json(body).status == status
