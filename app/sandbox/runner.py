"""Run one function on an untrusted file in a child process, within limits that it cannot lift.

A fork server (`app.sandbox.fork_server`) is started once with an empty environment and warmed. Each run is
a fork of it, so it starts within milliseconds and shares the loaded libraries.
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
# Nothing else of the worker's environment reaches the child, because that holds every secret.
PASSED_ENVIRONMENT = ("NUMBA_CACHE_DIR", "LANG", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
MAX_START_S = 180.0
MAX_CLOSE_S = 5.0


@dataclass(frozen=True)
class ChildLimits:
    """The most that one child may use."""

    memory_bytes: int = 2 * 2**30
    cpu_s: int = 600
    file_bytes: int = 2 * 2**30
    open_files: int = 64


class Sandbox:
    """One fork server and the runs forked from it. Several threads may run at the same time."""

    def __init__(self, entry: str, warm: str | None = None, limits: ChildLimits | None = None) -> None:
        """`entry` and `warm` are `module:function`; `entry` takes (request, progress) and returns a dict."""
        self._entry, self._warm, self._limits = entry, warm or "", limits or ChildLimits()
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and warm the fork server now rather than with the first run. Raises EngineUnavailable."""
        with self._lock:
            self._ensure_started()

    @property
    def is_ready(self) -> bool:
        """Return whether a run would start at once."""
        server = self._server
        return self._control is not None and server is not None and server.poll() is None

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

        `tick` is called about every `tick_s` seconds, and when it returns False the child is killed. Raises
        UnreadableAudio when the child did, and otherwise the EngineErrors.
        """
        data, child_data = socket.socketpair()
        status, server_status = socket.socketpair()
        with data, status:
            try:
                self._send(request, folder, child_data, server_status)
            finally:
                child_data.close()
                server_status.close()
            watched = SupervisedRun(data, status, folder, on_progress, tick, tick_s)
            return watched.wait(time.monotonic() + timeout_s)

    def close(self) -> None:
        """End the fork server and every child that still runs."""
        with self._lock:
            if self._control is not None:
                self._control.close()
                self._control = None
            if self._server is not None:
                with suppress(subprocess.TimeoutExpired):
                    self._server.wait(MAX_CLOSE_S)
                self._server.kill()
                self._server.wait()
                self._server = None

    def _send(self, request: dict[str, Any], folder: Path, *ends: socket.socket) -> None:
        message = json.dumps({"request": request, "folder": str(folder)}).encode()
        with self._lock:
            for _ in range(2):
                control = self._ensure_started()
                try:
                    socket.send_fds(
                        control, [len(message).to_bytes(4, "big")], [end.fileno() for end in ends]
                    )
                    control.sendall(message)
                    return
                except OSError:
                    self._forget()  # the fork server died since the last run: start another
        raise EngineUnavailable("the engine could not be started")

    def _ensure_started(self) -> socket.socket:
        if self._control is not None and self._server is not None and self._server.poll() is None:
            return self._control
        self._forget()
        ours, theirs = socket.socketpair()
        with theirs:
            arguments = [str(theirs.fileno()), self._entry, self._warm, json.dumps(asdict(self._limits))]
            self._server = subprocess.Popen(
                [sys.executable, "-m", "app.sandbox.fork_server", *arguments],
                cwd=PROJECT_ROOT,
                env=_clean_environment(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # so that Ctrl-C in the terminal reaches the worker only
            )
        ours.settimeout(MAX_START_S)
        if ours.recv(1) != b"r":
            ours.close()
            raise EngineUnavailable("the engine did not start; see its output in the worker's log")
        ours.settimeout(None)
        self._control = ours
        return ours

    def _forget(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._server is not None:
            self._server.kill()
            self._server.wait()
        self._control = self._server = None


def _clean_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in PASSED_ENVIRONMENT if name in os.environ}
    scripts = str(Path(sys.executable).parent)
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    path = os.pathsep.join([scripts, "/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin"])
    return kept | single | {"PATH": path, "PYTHONPATH": str(PROJECT_ROOT)}
