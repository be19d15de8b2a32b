"""A service, such as Redis, that a test can stop, kill and start again."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.services.conftest import wait_until


class Server:
    """A service that runs as a child process."""

    def __init__(self, command: list[str], ready: Callable[[], object], folder: Path) -> None:
        self._command, self._ready, self._folder = command, ready, folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(self._command, cwd=self._folder, stdout=quiet, stderr=quiet)
        wait_until(self._ready, self._command[-1])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None

    def restart(self, how: signal.Signals) -> None:
        self.stop(how)
        self.start()
