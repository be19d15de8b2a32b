"""Web processes and workers are exchanged under steady use: no request fails, and no job loses a try."""

from __future__ import annotations

import copy
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Attempt, Job
from tests.live import free_port
from tests.queue.lab import EMBEDDED, lab, member, states, upload, wait_for
from tests.services.nginx_front import Front
from tests.support import kick
from tests.web_process import Web

pytestmark = pytest.mark.services
CLIENTS = 4
DRAIN_S = 2


class Visitors:
    """Clients that read a page and send a small file in turn, and note every answer that is no success."""

    def __init__(self, front: Front, web: Web) -> None:
        self._front, self._web = front, web
        self._over = threading.Event()
        self.failures: list[str] = []
        self.answers = 0

    @contextmanager
    def busy(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._visit, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _visit(self, number: int) -> None:
        with self._front.client(f"127.0.0.{number + 2}") as http:
            turn = 0
            while not self._over.is_set():
                turn += 1
                self._note(http, "GET", "/sign-in", {})
                files = {"audio": (f"{number} {turn}.wav", kick())}
                self._note(http, "POST", "/api/upload", {"files": files, "headers": self._web.headers})

    def _note(self, http: httpx.Client, method: str, path: str, options: dict[str, Any]) -> None:
        try:
            answer = http.request(method, path, **options)
        except httpx.HTTPError as error:
            self.failures.append(f"{method} {path}: {error!r}")
            return
        self.answers += 1
        if not answer.is_success:
            self.failures.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")


def another(web: Web) -> Web:
    """Return a second web process of the same product, at a port of its own."""
    made, port = copy.copy(web), free_port()
    made.url, made._env = f"http://127.0.0.1:{port}", web._env | {"PORT": str(port)}
    made._log = web._log.with_name("second.log")
    return made


@pytest.mark.timeout(240)
def test_web_processes_are_exchanged_without_a_failed_request(tmp_path: Path) -> None:
    """Told to stop, each says that it is not ready while it still answers, then ends; also by SIGHUP."""
    settings = {"DRAIN_S": str(DRAIN_S), "TRUSTED_PROXIES": "1", "API_REQUESTS_PER_MINUTE": "100000"}
    first = Web(tmp_path, plan="enterprise", **settings)
    webs = [first, another(first)]
    front = Front(tmp_path, *(web.url for web in webs))
    try:
        for web in webs:
            web.start()
        front.start()
        visitors = Visitors(front, first)
        with visitors.busy():
            first.process.send_signal(signal.SIGTERM)
            time.sleep(DRAIN_S / 2)
            leaving, alive = (httpx.get(f"{first.url}/{path}") for path in ("readyz", "healthz"))
            assert (leaving.status_code, leaving.text) == (503, "stopping\n")
            assert (alive.status_code, alive.headers["Connection"]) == (200, "close")
            assert first.process.wait(40) == 0
            first.start()
            second, old = webs[1], webs[1].pid
            second.process.send_signal(signal.SIGHUP)
            wait_for(lambda: second.pid != old, 60, "new workers alone")
        assert visitors.failures == []
        assert visitors.answers > 20
    finally:
        front.stop()
        for web in webs:
            web.stop()


@pytest.mark.timeout(240)
def test_a_stopped_worker_gives_back_what_it_cannot_finish(tmp_path: Path) -> None:
    """Another worker takes the job at once, and the interrupted attempt is not counted as a try."""
    with lab(tmp_path, EMBEDDED, "busy", USER_RUNNING_MAX="4") as (here, _):
        worker = here.add_consumer(stop_after_s=0)
        jobs = upload(member("a@example.com"), 2)
        wait_for(lambda: states().get("processing") == 2, 60, "both run")
        assert worker.process is not None
        worker.process.terminate()
        worker.process.wait(40)
        db.session.rollback()
        rows = db.session.execute(select(Job.state, Job.attempt, Job.worker)).all()
        assert [tuple(row) for row in rows] == [("pending", 0, None)] * 2
        ended = db.session.scalars(select(Attempt).order_by(Attempt.id)).all()
        assert {(each.outcome, each.detail) for each in ended} == {("waiting", "the worker was told to stop")}
        here.add_consumer()
        wait_for(lambda: states().get("completed") == len(jobs), 90, "the next worker completes them")
        assert set(db.session.scalars(select(Job.attempt))) == {1}
