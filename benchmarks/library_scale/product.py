"""A database made by the product's migrations, its commands, and its web process as in the Procfile."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

from tests.live import ROOT, clean_environment, free_port

SECRET = "a secret for measuring, long enough to be taken"
START_S = 60
COMMAND_S = 3 * 3600


class Product:
    """A version of the product on a database of its own; `checkout` is where its code is."""

    def __init__(self, folder: Path, database_url: str | None, checkout: Path = ROOT) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.database_url, self._checkout = folder, database_url, checkout
        self.port = free_port()
        self.settings = {"DATA_DIR": str(folder), "PORT": str(self.port), "SECRET_KEY": SECRET}
        self.settings |= {"DATABASE_URL": database_url} if database_url else {}
        self.environ = clean_environment() | self.settings | {"WEB_CONCURRENCY": "1"}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def file(self) -> Path:
        """The SQLite file; there is none with a PostgreSQL database."""
        return self.folder / "library.db"

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `flask --app wsgi …` with the product's settings."""
        flask = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        return subprocess.run(
            flask, cwd=self._checkout, env=self.environ, capture_output=True, text=True, timeout=COMMAND_S
        )

    def migrate(self) -> None:
        """Bring the database to the newest revision."""
        done = self.command("db", "upgrade")
        if done.returncode:
            sys.exit(f"The database can't be migrated:\n{done.stderr[-3000:]}")

    def revision(self) -> str:
        """Return the revision of the database."""
        return self.command("db", "current").stdout.split()[0]

    @property
    def has_search_index(self) -> bool:
        """Whether this version has a search index to build."""
        return self.command("search", "rebuild", "--help").returncode == 0

    def rebuild_index(self) -> None:
        """Build the search index from the rows."""
        done = self.command("search", "rebuild")
        if done.returncode:
            sys.exit(f"`flask --app wsgi search rebuild` failed:\n{done.stderr[-3000:]}")

    def __enter__(self) -> Product:
        line = re.search(r"^web: (.*)$", (self._checkout / "Procfile").read_text(), re.MULTILINE)
        assert line is not None
        with (self.folder / "web.log").open("ab") as log:
            self._process = subprocess.Popen(
                f"exec {line[1]}", shell=True, cwd=self._checkout, env=self.environ, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until and process.poll() is None:
            with suppress(OSError):
                connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return
            time.sleep(0.1)
        sys.exit(f"The web process did not start:\n{(self.folder / 'web.log').read_text()[-3000:]}")

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(30)
            self._process = None

    @property
    def worker_pid(self) -> int:
        """The process id of gunicorn's one worker."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return int(children.split()[0])

    def processor_s(self) -> float:
        """Return the processor time of the worker so far, summed over its threads."""
        tasks = Path(f"/proc/{self.worker_pid}/task").glob("*/schedstat")
        return sum(int(each.read_text().split()[0]) for each in tasks) / 1e9

    def memory_mb(self) -> float:
        """Return the resident memory of the worker."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.worker_pid}/status").read_text())
        assert found is not None
        return int(found[1]) / 1024
