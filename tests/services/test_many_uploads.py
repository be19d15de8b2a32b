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
LARGE = 2_100_000


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    made = Web(tmp_path, API_REQUESTS_PER_MINUTE="100000")
    made.start()
    yield made
    made.stop()


def test_pages_answer_beside_more_unfinished_uploads_than_there_are_threads(web: Web) -> None:
    body = multipart(kick() + bytes(LARGE))
    sent = MULTIPART | web.headers | {"Content-Length": str(len(body)), "Connection": "close"}
    with ExitStack() as stack:
        uploads = [stack.enter_context(connect(web)) for _ in range(THREADS + 2)]
        for upload in uploads:
            upload.sendall(head("POST", "/api/upload", sent) + body[:1000])
        assert httpx.get(f"{web.url}/healthz", timeout=60).status_code == 200
        assert httpx.get(f"{web.url}/sign-in", timeout=60).status_code == 200
        for upload in uploads:
            upload.settimeout(120)
            upload.sendall(body[1000:])
            assert whole_answer(upload).startswith(b"HTTP/1.1 202")
