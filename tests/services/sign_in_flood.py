"""Many sign-ins at once at a real web process on PostgreSQL, and what they do to it meanwhile."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psycopg
from flask_migrate import upgrade

from app import create_app
from app.auth import accounts
from app.config import Settings
from app.extensions import db
from tests.live import ROOT, START_S, clean_environment, free_port, procfile
from tests.support import PASSWORD

SECRET = "a secret for tests, long enough to be taken"
MEMBER = "p@example.com"
AT_ONCE = 80


@contextmanager
def web_on_postgres(folder: Path, postgres_url: str) -> Iterator[str]:
    """Start the web process as in the Procfile, with one member, and return its URL."""
    port = free_port()
    url, own = f"http://127.0.0.1:{port}", {"DATA_DIR": str(folder / "data"), "PORT": str(port)}
    own |= {"SECRET_KEY": SECRET, "DATABASE_URL": postgres_url}
    app = create_app(Settings.from_env(own))
    with app.app_context():
        upgrade()
        accounts.register_user(MEMBER, PASSWORD, "UTC")
        db.session.remove()
        db.engine.dispose()
    with (folder / "web.log").open("ab") as log:
        web = subprocess.Popen(
            procfile("web"), shell=True, cwd=ROOT, env=clean_environment() | own, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    try:
        _wait_until_ready(url, folder / "web.log")
        yield url
    finally:
        os.killpg(web.pid, signal.SIGKILL)
        web.wait()


def _wait_until_ready(url: str, log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(log.read_text())


class SignInForm:
    """A page's cookie and token, with which any number of forms can be sent."""

    def __init__(self, url: str) -> None:
        page = httpx.get(f"{url}/sign-in")
        found = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
        assert found is not None
        self._url, self._token, self._cookies = url, found[1], dict(page.cookies)

    def send(self, email: str, password: str) -> httpx.Response:
        form = {"csrf_token": self._token, "email": email, "password": password}
        return httpx.post(f"{self._url}/sign-in", data=form, cookies=self._cookies, timeout=120)


def flood(url: str, rounds: int = 1, password: str = PASSWORD) -> Counter[int]:
    """Send AT_ONCE sign-ins at the same moment, `rounds` times over, and count the statuses."""
    form, start = SignInForm(url), threading.Barrier(AT_ONCE)
    statuses: Counter[int] = Counter()
    lock = threading.Lock()

    def sign_in() -> None:
        start.wait()
        for _ in range(rounds):
            status = form.send(MEMBER, password).status_code
            with lock:
                statuses[status] += 1

    threads = [threading.Thread(target=sign_in) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


class ConnectionWatch:
    """Count the web process's database connections again and again until the block ends."""

    def __init__(self, postgres_url: str) -> None:
        self._url, self._stop = postgres_url, threading.Event()
        self.most = self.most_idle_in_transaction = self.looks = 0
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        states = (
            "SELECT count(*), count(*) FILTER (WHERE state LIKE 'idle in transaction%') FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._stop.wait(0.005):
                row = connection.execute(states).fetchone()
                assert row is not None
                self.most = max(self.most, row[0])
                self.most_idle_in_transaction = max(self.most_idle_in_transaction, row[1])
                self.looks += 1

    def __enter__(self) -> ConnectionWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
