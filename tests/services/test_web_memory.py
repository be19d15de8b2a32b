"""The memory an upload of 100 MB takes in the web process, which writes it to disk block by block."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from flask_migrate import upgrade

from app import create_app
from app.auth import accounts, api_tokens
from app.config import Settings
from app.extensions import db
from app.models import Subscription
from app.models.api_token import ABILITIES
from app.models.base import transaction
from tests.live import ROOT, clean_environment, free_port, procfile
from tests.support import PASSWORD, kick

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
SIZE_BYTES = 100 * 10**6
MOST_MB = 20.0
SECRET = "a secret for tests, long enough to be taken"


class Web:
    """Start only the web process, as in the Procfile, with a user on the Pro plan."""

    def __init__(self, folder: Path, **settings: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        own = {"DATA_DIR": str(folder / "data"), "PORT": str(port), "SECRET_KEY": SECRET}
        self._env = clean_environment() | own | {"WEB_CONCURRENCY": "1"} | settings
        self._log = folder / "web.log"
        app = create_app(Settings.from_env(own | settings))
        with app.app_context():
            upgrade()
            user = accounts.register_user("p@example.com", PASSWORD, "UTC")
            with transaction():
                user.subscription = Subscription(plan="pro", status="active")
            _, self.token = api_tokens.create_token(user, "script", list(ABILITIES), None)
            db.session.remove()
            db.engine.dispose()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                procfile("web"), shell=True, cwd=ROOT, env=self._env, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            time.sleep(0.1)
        raise AssertionError(self._log.read_text())

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def pid(self) -> int:
        """Return the process id of gunicorn's one worker."""
        (child,) = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(child)

    def memory_mb(self, field: str) -> float:
        found = re.search(rf"{field}:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())
        assert found is not None
        return int(found[1]) / 1024

    def forget_peak(self) -> None:
        """Start counting the peak from here."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")


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
