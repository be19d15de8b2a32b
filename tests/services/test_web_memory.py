"""The memory an upload of 100 MB takes in the web process, which writes it to disk block by block."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.support import PASSWORD, kick
from tests.web_process import Web

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
SIZE_BYTES = 100 * 10**6
MOST_MB = 20.0


@pytest.fixture(params=["disk", "s3"])
def web(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Web]:
    made = Web(tmp_path, **(request.getfixturevalue("s3_settings") if request.param == "s3" else {}))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Make a WAV of exactly the size the plan allows."""
    path = tmp_path / "large.wav"
    header = bytearray(kick()[:44])
    header[4:8], header[40:44] = ((SIZE_BYTES - less).to_bytes(4, "little") for less in (8, 44))
    with path.open("wb") as file:
        file.write(header)
        while (left := SIZE_BYTES - file.tell()) > 0:
            file.write(os.urandom(min(left, 10**6)))
    return path


def upload_by_api(web: Web, http: httpx.Client, path: Path) -> int:
    headers = {"Authorization": f"Bearer {web.token}", "Idempotency-Key": path.name}
    with path.open("rb") as file:
        return http.post("/api/upload", files={"audio": file}, headers=headers).status_code


def upload_by_page(web: Web, http: httpx.Client, path: Path) -> int:
    form = {"csrf_token": csrf_token(http)}
    with path.open("rb") as file:
        answer = http.post(
            "/upload", data=form, files={"audio": file}, headers={"Accept": "application/json"}
        )
    return answer.status_code


def sign_in(http: httpx.Client) -> None:
    """Sign in once, before measuring, because hashing a password takes 64 MB on purpose."""
    member = {"email": "p@example.com", "password": PASSWORD}
    assert http.post("/sign-in", data={"csrf_token": csrf_token(http)} | member).status_code == 303


def csrf_token(http: httpx.Client) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', http.get("/docs/api").text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(("upload", "status"), [(upload_by_api, 202), (upload_by_page, 201)])
def test_an_upload_of_100_mb_takes_less_than_20_mb_of_memory(
    web: Web, large: Path, tmp_path: Path, upload: Callable[..., int], status: int
) -> None:
    """Measured after a small file, so that no module is loaded during the large one."""
    small = tmp_path / "kick.wav"
    small.write_bytes(kick())
    with httpx.Client(base_url=web.url, timeout=120) as http:
        sign_in(http)
        assert upload(web, http, small) == status
        web.forget_peak()
        before = web.memory_mb("VmRSS")
        assert upload(web, http, large) == status
    raised_mb = web.memory_mb("VmHWM") - before
    assert 0 <= raised_mb < MOST_MB, f"{before:.1f} MB before"
