"""Run web processes and ask them for pages over kept connections, with little cost on the client's side."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.live import ROOT, clean_environment, free_port, procfile

START_S = 90
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@contextmanager
def web_process(folder: Path, app: str = "wsgi:app", **settings: str) -> Iterator[str]:
    """Start the web process of the Procfile, with our app or another one, and yield its address."""
    port = free_port()
    url, own = f"http://127.0.0.1:{port}", settings | {"PORT": str(port)}
    command = procfile("web").replace("wsgi:app", app)
    with (folder / f"web-{port}.log").open("ab") as log:
        process = subprocess.Popen(
            command, shell=True, cwd=ROOT, env=clean_environment() | own, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    try:
        _wait_until_up(url)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def requests_per_s(url: str, path: str, headers: dict[str, str], seconds: float, at_once: int = 4) -> float:
    """Return how many requests a second are answered while a few connections ask one after another."""
    done = [0] * at_once
    until = time.monotonic() + seconds

    def ask(number: int) -> None:
        with KeptConnection(url) as connection:
            while time.monotonic() < until:
                connection.get(path, headers)
                done[number] += 1

    threads = [threading.Thread(target=ask, args=[number]) for number in range(at_once)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.monotonic() - started)


class KeptConnection:
    """One connection that sends GET requests and reads no more of each answer than it has to."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        host, _, port = self._host.partition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=60)

    def __enter__(self) -> KeptConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def get(self, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        """Return the status and the body of one answer."""
        lines = [f"GET {path} HTTP/1.1", f"Host: {self._host}", *(f"{k}: {v}" for k, v in headers.items())]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        found = b""
        while b"\r\n\r\n" not in found:
            found += self._receive()
        head, _, body = found.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        wanted = int(length[1]) if length is not None else 0
        while len(body) < wanted:
            body += self._receive()
        return int(head[9:12]), body

    def _receive(self) -> bytes:
        block = self._socket.recv(1 << 16)
        if not block:
            raise ConnectionError("the web process closed the connection")
        return block


def _wait_until_up(url: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with suppress(OSError), KeptConnection(url) as connection:
            connection.get("/healthz", {})
            return
        time.sleep(0.2)
    raise AssertionError(f"the web process did not start within {START_S} s")
