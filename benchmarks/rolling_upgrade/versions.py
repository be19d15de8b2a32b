"""Two versions of the product on one database, one queue and one object store, behind one nginx."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tarfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import httpx

from tests.live import ROOT, clean_environment

START_S, STOP_S = 600, 120


@dataclass
class Version:
    """A checkout of the product, and the settings that its processes share with the other version."""

    name: str
    checkout: Path
    settings: dict[str, str]
    logs: Path

    def command(self, *arguments: str) -> None:
        """Run `flask --app wsgi …` and end the benchmark when it fails."""
        flask = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        done = subprocess.run(flask, cwd=self.checkout, env=self.env, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(arguments)} failed in {self.name}:\n{done.stderr[-3000:]}")

    @property
    def env(self) -> dict[str, str]:
        """The environment of its processes."""
        return clean_environment() | self.settings | {"WEB_CONCURRENCY": "1", "PYTHONUNBUFFERED": "1"}

    def start(self, process: str, **settings: str) -> Running:
        """Start a process of the Procfile."""
        line = re.search(rf"^{process}: (.*)$", (self.checkout / "Procfile").read_text(), re.MULTILINE)
        assert line is not None
        with (self.logs / f"{self.name} {process}.log").open("ab") as log:
            made = subprocess.Popen(
                f"exec {line[1]}", shell=True, cwd=self.checkout, env=self.env | settings, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip
        return Running(made, settings.get("PORT", ""))


@dataclass
class Running:
    """A process, and the port of a web process."""

    process: subprocess.Popen[bytes]
    port: str = ""
    stopped_in_s: float = field(default=0.0, compare=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_until_ready(self) -> None:
        """Wait until a web process says that it is ready."""
        until = time.monotonic() + START_S
        while time.monotonic() < until and self.process.poll() is None:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return
            time.sleep(0.2)
        sys.exit(f"the web process at port {self.port} did not start")

    def stop(self) -> None:
        """Send SIGTERM, as systemd and containers do, and wait for the end."""
        started = time.monotonic()
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self.stopped_in_s = time.monotonic() - started

    def kill(self) -> None:
        """Kill the process and its children."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def check_out(revision: str, target: Path) -> Path:
    """Unpack a revision of the product beside its front-end files; return its folder."""
    packed = subprocess.run(["git", "archive", revision], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(target, filter="data")
    vendor = target / "static" / "vendor"
    if not vendor.exists():
        vendor.symlink_to((ROOT / "static" / "vendor").resolve())
    return target


def newest_migration(checkout: Path) -> str:
    """Return the number of a version's newest migration."""
    return max(path.name[:4] for path in (checkout / "migrations" / "versions").glob("0*.py"))
