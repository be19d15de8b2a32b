"""Uploads that come slowly, more than the web process has threads, do not keep anybody from a page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.services.raw_http import MULTIPART, connect, head, multipart, whole_answer
from tests.support import kick
from tests.web_process import Web

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(sys.platform != "linux", reason="stops gunicorn by its process group"),
]
THREADS = 32  # see Procfile
TAKEN_MAX = 8  # see gunicorn.conf.py
LARGE = 2_100_000


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    made = Web(tmp_path, API_REQUESTS_PER_MINUTE="100000")
    made.start()
    yield made
    made.stop()


def upload_of(web: Web, number: int, connection: str) -> bytes:
    """Return the request of a large upload, different for each number."""
    body = multipart(kick() + bytes(LARGE + 2 * number))
    sent = MULTIPART | web.headers | {"Content-Length": str(len(body)), "Connection": connection}
    return head("POST", "/api/upload", sent) + body


def test_pages_answer_beside_more_unfinished_uploads_than_there_are_threads(web: Web) -> None:
    with ExitStack() as stack:
        uploads = [stack.enter_context(connect(web)) for _ in range(THREADS + 2)]
        for number, upload in enumerate(uploads):
            upload.sendall(upload_of(web, number, "close")[:2000])
        assert httpx.get(f"{web.url}/healthz", timeout=60).status_code == 200
        assert httpx.get(f"{web.url}/sign-in", timeout=60).status_code == 200
        for number, upload in enumerate(uploads):
            upload.settimeout(120)
            upload.sendall(upload_of(web, number, "close")[2000:])
            assert whole_answer(upload).startswith(b"HTTP/1.1 202")


def test_who_stays_after_an_upload_keeps_nobody_from_uploading(web: Web) -> None:
    with ExitStack() as stack:
        for number in range(TAKEN_MAX + 1):
            client = stack.enter_context(connect(web))
            client.settimeout(120)
            client.sendall(upload_of(web, number, "keep-alive"))
            assert client.recv(12) == b"HTTP/1.1 202"
            client.sendall(b"GET /healthz HT")  # and no more of it
        last = stack.enter_context(connect(web))
        last.settimeout(120)
        last.sendall(upload_of(web, TAKEN_MAX + 1, "close"))
        assert whole_answer(last).startswith(b"HTTP/1.1 202")
