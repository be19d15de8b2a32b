"""Producers who browse, search and upload all the time, and note each answer that is no success."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle

import httpx

from tests.services.nginx_front import Front
from tests.support import kick

# What a browser reads in turn: the library, a search, a sound, its jobs.
READ = ("/samples", "/samples?q=kick&bpm_min=80", "/samples/{sample}", "/jobs", "/upload")
PAUSE_S = 0.2


class Traffic:
    """Readers with a session and scripts with a token; counts are kept for each step of the upgrade."""

    def __init__(self, front: Front, session: str, token: str, sample: str) -> None:
        self._front, self._session, self._token, self._sample = front, session, token, sample
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.step = "before"
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self.uploaded: dict[str, str] = {}  # the step in which each job was accepted

    @contextmanager
    def running(self, readers: int, scripts: int) -> Iterator[None]:
        """Let them work until the block ends."""
        works = [self._read] * readers + [self._upload] * scripts
        threads = [threading.Thread(target=work, args=(number,)) for number, work in enumerate(works)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _read(self, number: int) -> None:
        with self._front.client(f"127.0.0.{number + 2}") as http:
            http.headers["Cookie"] = self._session
            for address in cycle(READ):
                if self._over.wait(PAUSE_S):
                    return
                self._send(http, "GET", address.format(sample=self._sample))

    def _upload(self, number: int) -> None:
        """Send a file, then ask for its job, as a script does."""
        content = kick()
        with self._front.client(f"127.0.0.{number + 2}") as http:
            http.headers["Authorization"] = f"Bearer {self._token}"
            turn = 0
            while not self._over.wait(PAUSE_S * 5):
                turn += 1
                files = {"audio": (f"{number} {turn}.wav", content)}
                sent = self._send(http, "POST", "/api/upload", files)
                if sent is None:
                    continue
                job_id = sent.json()["job_id"]
                with self._lock:
                    self.uploaded[job_id] = self.step
                self._send(http, "GET", f"/api/jobs/{job_id}")

    def _send(
        self, http: httpx.Client, method: str, path: str, files: dict[str, tuple[str, bytes]] | None = None
    ) -> httpx.Response | None:
        step, words = self.step, ""
        try:
            answer = http.request(method, path, files=files)
            if answer.is_success:
                with self._lock:
                    self.answers[step] += 1
                return answer
            words = f"{answer.status_code} {answer.text[:300]}"
        except httpx.HTTPError as error:
            words = repr(error)
        with self._lock:
            self.failures.append(f"{step}: {method} {path}: {words}")
        return None
