"""Run only the web process, as in the Procfile, with a user and a token."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from flask_migrate import upgrade

from app import create_app
from app.auth import accounts, api_tokens
from app.config import Settings
from app.extensions import db
from app.models import Subscription
from app.models.api_token import ABILITIES
from app.models.base import transaction
from tests.live import ROOT, clean_environment, free_port, procfile
from tests.support import PASSWORD

SECRET = "a secret for tests, long enough to be taken"


class Web:
    """The web process with a user on a plan; `before` is shell that runs ahead of gunicorn."""

    def __init__(self, folder: Path, plan: str = "pro", before: str = "", **settings: str) -> None:
        self._before = before
        self.data_dir = folder / "data"
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        own = {"DATA_DIR": str(folder / "data"), "PORT": str(port), "SECRET_KEY": SECRET}
        self._env = clean_environment() | own | {"WEB_CONCURRENCY": "1"} | settings
        self._log = folder / "web.log"
        self._settings = Settings.from_env(own | settings)
        with self.database():
            upgrade()
            user = accounts.register_user("p@example.com", PASSWORD, "UTC")
            with transaction():
                user.subscription = Subscription(plan=plan, status="active")
            _, self.token = api_tokens.create_token(user, "script", list(ABILITIES), None)

    @contextmanager
    def database(self) -> Iterator[None]:
        """Reach the same database from the test."""
        with create_app(self._settings).app_context():
            yield
            db.session.remove()
            db.engine.dispose()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._before + procfile("web"), shell=True, cwd=ROOT, env=self._env, stdout=log, stderr=log,
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
