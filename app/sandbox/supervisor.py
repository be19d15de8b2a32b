"""Supervise one run in the sandbox from the parent: read its messages, time it, and see how it ends.

C code only stops for SIGKILL from outside, so the time limit is kept here, and the child's whole process
group is killed.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.audio.errors import UnreadableAudio
from app.sandbox.errors import EngineCancelled, EngineCrashed, EngineOutOfMemory, EngineTimeout

STDERR_NAME = "stderr.txt"
STDERR_TAIL_BYTES = 4000
MAX_ANSWER_BYTES = 8_000_000
KILLED_STATUS = -int(signal.SIGKILL)

ProgressCallback = Callable[[str, dict[str, Any]], None]


class SupervisedRun:
    """One child, supervised from the parent."""

    def __init__(
        self,
        data: socket.socket,
        status: socket.socket,
        folder: Path,
        on_progress: ProgressCallback | None,
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
        """Return the child's answer, or raise what ended it; `deadline` is a time of the monotonic clock."""
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
                raise EngineTimeout("the time limit passed and the process group was killed", KILLED_STATUS)
            if now >= next_tick:
                next_tick = now + self._tick_s
                if self._tick is not None and not self._tick():
                    raise EngineCancelled("given up by the caller", KILLED_STATUS)
            ready, _, _ = select.select(open_ends, [], [], max(min(deadline, next_tick) - now, 0))
            for end in ready:
                if not self._read(end):
                    open_ends.remove(end)
        while self._data in open_ends and self._read(self._data):
            pass  # the child's last messages before it ended

    def _read(self, end: socket.socket) -> bool:
        block = end.recv(1 << 16)
        if end is self._status:
            for line in block.splitlines():
                name, value = line.split()
                self._pid, self._exit = (int(value), None) if name == b"pid" else (None, int(value))
            return bool(block)
        self._bytes += len(block)
        if self._bytes > MAX_ANSWER_BYTES:
            raise EngineCrashed("the child answered more than it may")
        *lines, self._received = (self._received + block).split(b"\n")
        for line in lines:
            self._handle_message(line)
        return bool(block)

    def _handle_message(self, line: bytes) -> None:
        try:
            message = json.loads(line, parse_constant=_refuse_constant)
        except ValueError as error:
            raise EngineCrashed(f"the child's answer is not JSON: {error}") from error
        if not isinstance(message, dict):
            raise EngineCrashed("the child's answer is not a JSON object")
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
        detail = f"{_exit_reason(self._exit)}\n{answer.get('error', '')}\n{self._stderr_tail()}".strip()
        if answer.get("memory"):
            raise EngineOutOfMemory(detail, self._exit)
        raise EngineCrashed(detail, self._exit)

    def _kill(self) -> None:
        """Kill the child and everything it has started."""
        if self._pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)

    def _stderr_tail(self) -> str:
        with suppress(OSError):
            return (self._folder / STDERR_NAME).read_bytes()[-STDERR_TAIL_BYTES:].decode(errors="replace")
        return ""


def _exit_reason(status: int | None) -> str:
    if status is None:
        return "the fork server ended before the child"
    return f"signal {-status}" if status < 0 else f"exit code {status}"


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
