"""Run the product as `make run` does: real processes on a free port, used over HTTP."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from flask import Flask
from werkzeug.serving import make_server

ROOT = Path(__file__).resolve().parent.parent
START_S, STOP_S, JOB_S = 120, 45, 120
ENGINE_SECRET = "an engine's secret for tests, long enough"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def procfile(name: str) -> str:
    """Return the Procfile's command of one process, for a shell that replaces itself with it."""
    line = re.search(rf"^{name}: (.*)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
    assert line is not None
    return f"exec {line[1]}"


def clean_environment() -> dict[str, str]:
    """Return the few variables of this environment that a program needs to start."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    keep = ("HOME", "LANG", "NUMBA_CACHE_DIR")
    return {name: os.environ[name] for name in keep if name in os.environ} | {"PATH": path}


class Product:
    """Web and worker together, with the given settings and nothing else from this environment."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir, self.checkout = data_dir, ROOT
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        keep = {
            name: os.environ[name]
            for name in ("PATH", "HOME", "LANG", "NUMBA_CACHE_DIR")
            if name in os.environ
        }
        self.env = keep | {"PORT": str(self.port), "DATA_DIR": str(data_dir)} | settings
        self.log_path = data_dir.parent / f"{data_dir.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scripts.serve"],
                cwd=self.checkout, env=self.env, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            self._wait_until_ready(self.process)
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            assert process.poll() is None, self.log
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(f"not ready within {START_S} s\n{self.log}")

    def stop(self) -> int:
        """Send Ctrl-C and return the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(STOP_S)
        self.process = None
        return code

    def __enter__(self) -> Product:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.stop()

    def command(self, *arguments: str) -> str:
        """Return what a `flask --app wsgi …` command prints, run with the product's settings."""
        flask = [str(Path(sys.executable).parent / "flask"), "--app", "wsgi", *arguments]
        return subprocess.run(
            flask, cwd=self.checkout, env=self.env, check=True, capture_output=True, text=True
        ).stdout

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")[-6000:]

    def processes(self) -> list[str]:
        """Return the command lines of all running processes that use this data folder."""
        return [command for _, command in self._running()]

    def pids(self, words: str) -> list[int]:
        """Return the ids of the running processes that use this data folder, by words of their command."""
        return [pid for pid, command in self._running() if words in command]

    @contextmanager
    def stopped_worker(self) -> Iterator[None]:
        """Let the worker's process stand still, so that jobs wait."""
        workers = self.pids("app.worker")
        assert workers
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in workers:
                os.kill(pid, signal.SIGCONT)

    def _running(self) -> list[tuple[int, str]]:
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                environ = (entry / "environ").read_bytes()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if f"DATA_DIR={self.data_dir}".encode() in environ or str(self.data_dir) in command:
                found.append((int(entry.name), command))
        return found


@contextmanager
def served(app: Flask) -> Iterator[None]:
    """Serve an app of this process over real HTTP, at its BASE_URL."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # it logs a line for every request
    port = urlsplit(app.config["SETTINGS"].base_url).port
    assert port is not None
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class EngineProcess:
    """The engine as the Procfile starts it, but with a test app that runs another child process."""

    def __init__(self, folder: Path, app: str = "tests.engine.service_app", **settings: str) -> None:
        self.port, self.store_port = free_port(), free_port()
        self.url, self.base_url = (f"http://127.0.0.1:{port}" for port in (self.port, self.store_port))
        self.data_dir, self._log = folder / "data", folder / "engine.log"
        self._command = procfile("engine").replace("app.engine.service", app)
        own = {"DATA_DIR": str(self.data_dir), "ENGINE_PORT": str(self.port), "BASE_URL": self.base_url}
        self.env = clean_environment() | own | {"ENGINE_SECRET": ENGINE_SECRET} | settings
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def for_workers(self) -> dict[str, str]:
        return {"ENGINE_URL": self.url, "ENGINE_SECRET": ENGINE_SECRET, "BASE_URL": self.env["BASE_URL"]}

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, shell=True, cwd=ROOT, env=self.env, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def wait_until_ready(self) -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/api/health", timeout=2).status_code == 200:
                    return
            time.sleep(0.1)
        raise AssertionError(f"not ready within {START_S} s\n{self.log}")

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")[-6000:]

    def kill(self) -> None:
        """Kill gunicorn and its worker with SIGKILL."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def __enter__(self) -> EngineProcess:
        self.start()
        self.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Producer:
    """A person with a browser without JavaScript, using a live product."""

    def __init__(self, product: Product) -> None:
        self.http = httpx.Client(base_url=product.url, follow_redirects=True, timeout=60)

    def token(self, path: str = "/sign-in") -> str:
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.http.get(path).text)
        assert found is not None
        return found.group(1)

    def post(self, path: str, **form: str | list[str]) -> httpx.Response:
        return self.http.post(path, data={"csrf_token": self.token("/"), **form})

    def upload(self, *files: tuple[str, bytes]) -> httpx.Response:
        data = {"csrf_token": self.token("/upload")}
        return self.http.post("/upload", data=data, files=[("audio", file) for file in files])

    def make_token(self, *abilities: str) -> str:
        """Return a token of the account for the API."""
        form = {"csrf_token": self.token("/"), "name": "test", "days": "30", "abilities": list(abilities)}
        page = self.http.post("/settings/tokens", data=form)
        found = re.search(r"sp404_\w{36}", page.text)
        assert found is not None, page.text
        return found.group()

    def wait_for_jobs(self, count: int) -> str:
        """Return the page of job cards once that many jobs have finished or failed."""
        until = time.monotonic() + JOB_S
        while time.monotonic() < until:
            page = self.http.get("/jobs").text
            if len(re.findall(r'class="card (?:completed|failed)"', page)) >= count:
                return page
            time.sleep(0.2)
        raise AssertionError(f"{count} jobs did not end within {JOB_S} s:\n{page}")
