"""Functions that the sandbox tests run in a child, some well-behaved and some hostile."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.audio.errors import UnreadableAudio
from app.engine.child_process import analyse_file

Progress = Callable[[str, dict[str, Any]], None]


def act(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    return dict(globals()[request["act"]](request, progress) or {})


def echo(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    progress("half", {"way": 1})
    return {"said": request["say"], "environ": dict(os.environ), "cwd": str(Path.cwd()), "pid": os.getpid()}


def refuse(request: dict[str, Any], progress: Progress) -> None:
    raise UnreadableAudio("This is no audio. Upload a WAV.")


def segfault(request: dict[str, Any], progress: Progress) -> None:
    ctypes.string_at(0)


def raise_error(request: dict[str, Any], progress: Progress) -> None:
    raise ValueError("an honest bug")


def hoard(request: dict[str, Any], progress: Progress) -> None:
    bytearray(6 * 2**30)


def hang_with_grandchild(request: dict[str, Any], progress: Progress) -> None:
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)
    grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    progress("started", {"child": os.getpid(), "grandchild": grandchild.pid})
    # One long C call: no Python signal handler would run before it ends.
    ctypes.PyDLL(None).sleep(600)


def fill_disk(request: dict[str, Any], progress: Progress) -> None:
    with open("big", "wb") as file:
        for _ in range(3000):
            file.write(bytes(2**20))


def babble(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    return {"much": "x" * 20_000_000}


def not_a_number(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    return {"bpm": float("nan")}


def wait(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    time.sleep(request["seconds"])
    return {"pid": os.getpid()}


def process_and_weigh(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Do the child's whole work, and add its duration and peak memory."""
    started = time.monotonic()
    result = analyse_file(request, progress)
    return {"result": result, "seconds": time.monotonic() - started, "peak_mb": peak_mb()}


def peak_mb() -> float:
    """Return the peak resident memory of this process in MiB; `getrusage` would include its parent's."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0
