"""Running one function on an untrusted file in a child process with limits that hold.

A zygote (`app.sandbox.fork_server`) is started once, with an empty environment, and warmed; each run is a
fork of it, so a run costs milliseconds and shares the loaded libraries.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.sandbox.errors import EngineUnavailable
from app.sandbox.supervisor import ProgressCallback, SupervisedRun

PROJECT_ROOT = Path(__file__).resolve().parents[2]
# Nothing of the worker's environment reaches the child: it holds the keys to everything.
PASSED_ENVIRONMENT = ("NUMBA_CACHE_DIR", "LANG", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
MAX_START_S = 180.0
MAX_CLOSE_S = 5.0


@dataclass(frozen=True)
class ChildLimits:
    """What one child may use."""

    memory_bytes: int = 2 * 2**30
    cpu_s: int = 600
    file_bytes: int = 2 * 2**30
    open_files: int = 64


class Sandbox:
    """One zygote and the runs forked from it. Threads may run at the same time."""

    def __init__(self, entry: str, warm: str | None = None, limits: ChildLimits | None = None) -> None:
        """`entry` and `warm` are `module:function`; `entry` takes (request, progress) and returns a dict."""
        self._entry, self._warm, self._limits = entry, warm or "", limits or ChildLimits()
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._zygote: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and warm the zygote now rather than with the first run."""
        with self._lock:
            self._started()

    @property
    def is_ready(self) -> bool:
        """Whether a run would start at once."""
        zygote = self._zygote
        return self._control is not None and zygote is not None and zygote.poll() is None

    def run(
        self,
        request: dict[str, Any],
        *,
        folder: Path,
        timeout_s: float,
        on_progress: ProgressCallback | None = None,
        tick: Callable[[], bool] | None = None,
        tick_s: float = 1.0,
    ) -> dict[str, Any]:
        """Call the entry in a fresh child that works in `folder`, and return its answer.

        `tick` is called about every `tick_s` seconds; when it returns False the child is killed.
        Raises UnreadableAudio as the child did, and the EngineErrors.
        """
        data, child_data = socket.socketpair()
        status, zygote_status = socket.socketpair()
        with data, status:
            try:
                self._send(request, folder, child_data, zygote_status)
            finally:
                child_data.close()
                zygote_status.close()
            watched = SupervisedRun(data, status, folder, on_progress, tick, tick_s)
            return watched.wait(time.monotonic() + timeout_s)

    def close(self) -> None:
        """End the zygote and every child that still runs."""
        with self._lock:
            if self._control is not None:
                self._control.close()
                self._control = None
            if self._zygote is not None:
                with suppress(subprocess.TimeoutExpired):
                    self._zygote.wait(MAX_CLOSE_S)
                self._zygote.kill()
                self._zygote.wait()
                self._zygote = None

    def _send(self, request: dict[str, Any], folder: Path, *ends: socket.socket) -> None:
        message = json.dumps({"request": request, "folder": str(folder)}).encode()
        with self._lock:
            for _ in range(2):
                control = self._started()
                try:
                    socket.send_fds(
                        control, [len(message).to_bytes(4, "big")], [end.fileno() for end in ends]
                    )
                    control.sendall(message)
                    return
                except OSError:
                    self._forget()  # the zygote died since the last run: one more is started
        raise EngineUnavailable("the engine could not be started")

    def _started(self) -> socket.socket:
        if self._control is not None and self._zygote is not None and self._zygote.poll() is None:
            return self._control
        self._forget()
        ours, theirs = socket.socketpair()
        with theirs:
            arguments = [str(theirs.fileno()), self._entry, self._warm, json.dumps(asdict(self._limits))]
            self._zygote = subprocess.Popen(
                [sys.executable, "-m", "app.sandbox.fork_server", *arguments],
                cwd=PROJECT_ROOT,
                env=_clean_environment(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C in the terminal is for the worker to answer
            )
        ours.settimeout(MAX_START_S)
        if ours.recv(1) != b"r":
            ours.close()
            raise EngineUnavailable("the engine did not start; its output is in the worker's log")
        ours.settimeout(None)
        self._control = ours
        return ours

    def _forget(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._zygote is not None:
            self._zygote.kill()
            self._zygote.wait()
        self._control = self._zygote = None


def _clean_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in PASSED_ENVIRONMENT if name in os.environ}
    scripts = str(Path(sys.executable).parent)
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    path = os.pathsep.join([scripts, "/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin"])
    return kept | single | {"PATH": path, "PYTHONPATH": str(PROJECT_ROOT)}
