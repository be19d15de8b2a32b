"""Running one function on an untrusted file in a child process with limits that hold.

A zygote (`app.audio.zygote`) is started once, with an empty environment, and warmed; each run is a fork of
it, so a run costs milliseconds and shares the loaded libraries. The only limit that stops C code is SIGKILL
from outside, so the clock is kept here, and the whole process group is killed.
"""

from __future__ import annotations

import json
import os
import select
import signal
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

from app.audio.errors import (
    EngineCancelled,
    EngineCrashed,
    EngineOutOfMemory,
    EngineTimeout,
    EngineUnavailable,
    UnreadableAudio,
)

ROOT = Path(__file__).resolve().parents[2]
# Nothing of the worker's environment reaches the child: it holds the keys to everything.
PASSED_ON = ("NUMBA_CACHE_DIR", "LANG", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
START_S = 180.0
LAST_WORDS_S = 5.0
STDERR = "stderr.txt"
STDERR_TAIL = 4000
MOST_BYTES = 8_000_000
KILLED = -int(signal.SIGKILL)

Progress = Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True)
class Limits:
    """What one child may use."""

    memory_bytes: int = 2 * 2**30
    cpu_s: int = 600
    file_bytes: int = 2 * 2**30
    open_files: int = 64


class Sandbox:
    """One zygote and the runs forked from it. Threads may run at the same time."""

    def __init__(self, entry: str, warm: str | None = None, limits: Limits | None = None) -> None:
        """`entry` and `warm` are `module:function`; `entry` takes (request, progress) and returns a dict."""
        self._entry, self._warm, self._limits = entry, warm or "", limits or Limits()
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
        on_progress: Progress | None = None,
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
            watched = _Run(data, status, folder, on_progress, tick, tick_s)
            return watched.wait(time.monotonic() + timeout_s)

    def close(self) -> None:
        """End the zygote and every child that still runs."""
        with self._lock:
            if self._control is not None:
                self._control.close()
                self._control = None
            if self._zygote is not None:
                with suppress(subprocess.TimeoutExpired):
                    self._zygote.wait(LAST_WORDS_S)
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
                [sys.executable, "-m", "app.audio.zygote", *arguments],
                cwd=ROOT,
                env=_clean_environment(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C in the terminal is for the worker to answer
            )
        ours.settimeout(START_S)
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


class _Run:
    """One child, watched from the parent."""

    def __init__(
        self,
        data: socket.socket,
        status: socket.socket,
        folder: Path,
        on_progress: Progress | None,
        tick: Callable[[], bool] | None,
        tick_s: float,
    ) -> None:
        self._data, self._status, self._folder = data, status, folder
        self._on_progress, self._tick, self._tick_s = on_progress, tick, tick_s
        self._pid: int | None = None
        self._exit: int | None = None
        self._received = b""
        self._bytes = 0
        self._answer: dict[str, Any] | None = None

    def wait(self, deadline: float) -> dict[str, Any]:
        try:
            self._watch(deadline)
        finally:
            self._kill()
        return self._result()

    def _watch(self, deadline: float) -> None:
        next_tick = time.monotonic() + self._tick_s
        open_ends = [self._data, self._status]
        while self._exit is None and open_ends:
            now = time.monotonic()
            if now >= deadline:
                raise EngineTimeout("the time limit passed and the process group was killed", KILLED)
            if now >= next_tick:
                next_tick = now + self._tick_s
                if self._tick is not None and not self._tick():
                    raise EngineCancelled("given up by the caller", KILLED)
            ready, _, _ = select.select(open_ends, [], [], max(min(deadline, next_tick) - now, 0))
            for end in ready:
                if not self._read(end):
                    open_ends.remove(end)
        while self._data in open_ends and self._read(self._data):
            pass  # what the child said just before it ended

    def _read(self, end: socket.socket) -> bool:
        block = end.recv(1 << 16)
        if end is self._status:
            for line in block.splitlines():
                name, value = line.split()
                self._pid, self._exit = (int(value), None) if name == b"pid" else (None, int(value))
            return bool(block)
        self._bytes += len(block)
        if self._bytes > MOST_BYTES:
            raise EngineCrashed("the child answered more than it may")
        *lines, self._received = (self._received + block).split(b"\n")
        for line in lines:
            self._take(line)
        return bool(block)

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line, parse_constant=_refuse_constant)
        except ValueError as error:
            raise EngineCrashed(f"the child answered no JSON: {error}") from error
        if not isinstance(message, dict):
            raise EngineCrashed("the child answered no object")
        if "progress" in message:
            if self._on_progress is not None:
                self._on_progress(str(message["progress"]), dict(message.get("facts") or {}))
        else:
            self._answer = message

    def _result(self) -> dict[str, Any]:
        answer = self._answer or {}
        if isinstance(answer.get("result"), dict):
            return dict(answer["result"])
        if "unreadable" in answer:
            raise UnreadableAudio(str(answer["unreadable"])[:500])
        detail = f"{_exit_words(self._exit)}\n{answer.get('error', '')}\n{self._stderr_tail()}".strip()
        if answer.get("memory"):
            raise EngineOutOfMemory(detail, self._exit)
        raise EngineCrashed(detail, self._exit)

    def _kill(self) -> None:
        """Nothing the child has started may outlive the run."""
        if self._pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)

    def _stderr_tail(self) -> str:
        with suppress(OSError):
            return (self._folder / STDERR).read_bytes()[-STDERR_TAIL:].decode(errors="replace")
        return ""


def _exit_words(status: int | None) -> str:
    if status is None:
        return "the zygote ended before the child"
    return f"signal {-status}" if status < 0 else f"exit code {status}"


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _clean_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    scripts = str(Path(sys.executable).parent)
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    path = os.pathsep.join([scripts, "/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin"])
    return kept | single | {"PATH": path, "PYTHONPATH": str(ROOT)}
