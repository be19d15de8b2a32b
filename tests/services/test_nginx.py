"""The shipped nginx site in front of real gunicorn: slow clients, uploads, addresses, sizes and errors."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from app.api.problems import Problem
from app.extensions import db
from app.models import Job, Usage, User
from app.models.base import transaction
from tests.services.nginx_front import HOST, Front, trusting
from tests.services.slow_client import SlowClient
from tests.support import PASSWORD, kick
from tests.web_process import Web

pytestmark = pytest.mark.services
SLOW_CLIENTS = 200
THREADS = 32  # of the web process
ALLOWED = 100


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    settings = {
        "BASE_URL": f"https://{HOST}",
        "TRUSTED_PROXIES": "1",
        "API_REQUESTS_PER_MINUTE": str(ALLOWED),
    }
    made = Web(folder, **settings)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, web: Web) -> Iterator[Front]:
    made = Front(tmp_path_factory.mktemp("nginx"), web.url)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def member(front: Front) -> Iterator[httpx.Client]:
    with front.client() as client:
        form = {"csrf_token": form_token(client), "email": "p@example.com", "password": PASSWORD}
        answer = client.post("/sign-in", data=form, headers=same_site())
        assert answer.status_code == 303, answer.text
        client.headers["Cookie"] = "; ".join(
            cookie.partition(";")[0] for cookie in answer.headers.get_list("Set-Cookie")
        )
        yield client


def same_site() -> dict[str, str]:
    return {"Referer": f"https://{HOST}/"}


def form_token(client: httpx.Client) -> str:
    page = client.get("/sign-in")
    found = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


HALF_HEADERS = f"POST /sign-in HTTP/1.1\r\nHost: {HOST}\r\nX-Slow: ".encode()
HALF_BODY = (
    f"POST /sign-in HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    "Content-Length: 1000\r\n\r\nemail="
).encode()


def test_ordinary_requests_are_answered_while_200_slow_clients_are_held(
    front: Front, web: Web, member: httpx.Client
) -> None:
    clients = [SlowClient(front, (HALF_HEADERS, HALF_BODY)[number % 2]) for number in range(SLOW_CLIENTS)]
    try:
        for round_number in range(2):
            for client in clients:
                client.drip()
            assert member.get("/healthz").status_code == 200
            assert member.get("/upload").status_code == 200
            form, name = {"csrf_token": page_token(member)}, f"kick {round_number}.wav"
            sent = member.post("/upload", data=form, files={"audio": (name, kick())}, headers=same_site())
            assert (sent.status_code, sent.headers["Location"]) == (303, "/jobs")
        assert [client.is_waiting() for client in clients] == [True] * SLOW_CLIENTS
    finally:
        for client in clients:
            client.connection.close()
    with web.database():
        names = db.session.scalars(select(Job.filename)).all()
    assert {"kick 0.wav", "kick 1.wav"} <= set(names)


def page_token(member: httpx.Client) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', member.get("/upload").text)
    assert found is not None
    return found[1]


def test_the_app_sees_the_real_addresses_of_clients(front: Front) -> None:
    """Guessed tokens are counted by address. A made-up address is no way around the limit."""
    with front.client("127.0.0.2") as guesser, front.client("127.0.0.3") as other:
        headers = [
            {"Authorization": "Bearer guess", "X-Forwarded-For": f"8.8.8.{n}"} for n in range(ALLOWED + 1)
        ]
        codes = [guesser.get("/api/usage", headers=each).status_code for each in headers]
        assert codes == [401] * ALLOWED + [429]
        assert other.get("/api/usage", headers=headers[0]).status_code == 401


def test_plain_http_leads_to_https(front: Front) -> None:
    answer = httpx.get(f"http://127.0.0.1:{front.plain_port}/samples?q=kick", headers={"Host": HOST})
    assert (answer.status_code, answer.headers["Location"]) == (301, f"https://{HOST}/samples?q=kick")


@pytest.mark.parametrize(
    "path",
    [
        "/api/samples/0",
        "/sign-in",
        "/api/upload",
        "/upload",
        "/upload/zip",
        "/api/kits/import",
        "/kits/import",
    ],
)
def test_too_large_a_body_is_refused_in_the_form_of_its_address(front: Front, path: str) -> None:
    method = "PATCH" if path.endswith("0") else "POST"
    head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 2000000000\r\n\r\n"
    status, headers, body = raw_request(front, head.encode())
    assert status == 413
    if path.startswith("/api"):
        assert headers["content-type"].startswith("application/problem+json")
        problem = Problem.model_validate_json(body)
        assert (problem.status, problem.request_id) == (413, headers["x-request-id"])
        assert len(problem.request_id) == 32
    else:
        assert headers["content-type"].startswith("text/html")
        assert b"too much to send in one go" in body


def raw_request(front: Front, request: bytes) -> tuple[int, httpx.Headers, bytes]:
    plain = socket.create_connection(("127.0.0.1", front.port), timeout=60)
    with trusting().wrap_socket(plain, server_hostname=HOST) as connection:
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer or len(answer.partition(b"\r\n\r\n")[2]) < _length(answer):
            block = connection.recv(65536)
            if not block:
                break
            answer += block
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    pairs = [line.partition(b": ") for line in lines]
    headers = httpx.Headers([(name, value) for name, _, value in pairs])
    return int(first.split()[1]), headers, body


def _length(answer: bytes) -> int:
    found = re.search(rb"(?i)content-length: (\d+)", answer)
    return int(found[1]) if found else 0


@pytest.mark.parametrize(
    ("request_head", "status", "is_problem"),
    [
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, False),
        (b"GET /api/usage HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431, True),
        (b"GET /samples HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431, False),
        (b"GET /api/usage HTTP/1.1\r\n\r\n", 400, True),
    ],
)
def test_what_nginx_cannot_read_is_refused_in_the_form_of_its_address(
    front: Front, request_head: bytes, status: int, is_problem: bool
) -> None:
    answered, headers, body = raw_request(front, request_head)
    assert answered == status
    assert headers["content-type"].startswith("application/problem+json" if is_problem else "text/html")
    assert f'"status": {status}'.encode() in body or b"<h1>" in body


def test_an_upload_that_the_app_refuses_is_not_received(front: Front, web: Web) -> None:
    """The answer comes while only a piece of the body has been sent, with the app's own reason."""
    with web.database(), transaction() as session:
        user_id = session.scalars(select(User.id)).one()
        session.add(Usage(user_id=user_id, kind="upload", entry_key="spent", quantity=2000))
    head = (
        f"POST /api/upload HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 90000000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nAuthorization: Bearer "
    )
    try:
        cases = ((web.token, 422, b"used all 1,000 uploads"), ("guess", 401, b"valid token"))
        for token, status, words in cases:
            answered, headers, body = raw_request(front, f"{head}{token}\r\n\r\n--b\r\n".encode())
            assert (answered, headers["content-type"]) == (status, "application/problem+json")
            assert words in body
            assert not any(path.is_file() for path in (front.folder / "body").rglob("*"))
    finally:
        with web.database(), transaction() as session:
            session.query(Usage).filter_by(entry_key="spent").delete()


@pytest.mark.parametrize(
    ("path", "length"),
    [
        ("/%61pi/upload", 900_000),
        ("//api/upload", 900_000),
        ("/upload", 900_000),
        ("/%75pload", 20_000_000),
        ("/api/upload", 20_000_000),
        ("/kits/import", 20_000_000),
        ("/upload/zip", 20_000_000),
    ],
)
def test_a_slow_body_holds_no_thread_however_its_address_is_spelt(
    front: Front, web: Web, path: str, length: int
) -> None:
    """Either nginx is still receiving, and gunicorn has not seen the request; or the app answers at once."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\nAccept: application/json\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nAuthorization: Bearer {web.token}\r\n\r\n--b\r\n"
    )
    clients = [SlowClient(front, head.encode()) for _ in range(THREADS + 4)]
    try:
        for _ in range(5):  # past nginx: whether gunicorn has a thread left
            assert httpx.get(f"{web.url}/healthz", timeout=20).status_code == 200
    finally:
        for client in clients:
            client.connection.close()


def test_a_large_upload_by_the_api_passes(front: Front, web: Web) -> None:
    """Also with headers that only nginx may say."""
    content = kick() + bytes(20_000_000)
    headers = web.headers | {
        "X-Unreceived": "yes",
        "X-Upload-Path": "/upload",
        "X-Upload-Length": "9000000000",
    }
    with front.client("127.0.0.4") as client:
        sent = client.post("/api/upload", files={"audio": ("large.wav", content)}, headers=headers)
    assert sent.status_code == 202, sent.text
    with web.database():
        assert len(content) in db.session.scalars(select(Job.size_bytes)).all()


def test_static_files_are_kept_by_the_front(front: Front) -> None:
    with front.client() as client:
        found = re.search(r'href="(/s/[^"]+\.css)"', client.get("/sign-in").text)
        assert found is not None
        answers = [client.get(found[1], headers={"Accept-Encoding": "identity"}) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {200}
    assert "immutable" in answers[1].headers["Cache-Control"]
    assert any(path.is_file() for path in (front.folder / "cache").rglob("*"))


def test_without_a_web_process_the_answer_says_so_in_the_right_form(tmp_path: Path) -> None:
    alone = Front(tmp_path, "http://127.0.0.1:9")
    alone.start(status=502)
    try:
        with alone.client() as client:
            api, page = client.get("/api/usage"), client.get("/samples")
            assert (api.status_code, page.status_code) == (502, 502)
            problem = Problem.model_validate_json(api.content)
            assert problem.detail.startswith("The service is being restarted")
            assert problem.request_id == api.headers["X-Request-ID"] != ""
            assert api.headers["Retry-After"] == page.headers["Retry-After"] == "30"
            assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    finally:
        alone.stop()
