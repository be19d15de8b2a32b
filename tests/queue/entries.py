"""Functions that the sandbox runs in place of the engine, each in its job's own folder."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from tests.measurements import loop_measurement

Progress = Callable[[str, dict[str, Any]], None]
TICK_S = 0.01
MEASURED = loop_measurement(duration_s=1.0, bpm=93.0, key=None, key_source=None).to_dict()


def nothing(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Answer at once, like an empty engine, with a sound that is like no other."""
    return MEASURED | {"fingerprint": [*os.urandom(len(MEASURED["fingerprint"]))]}


def busy(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Run for half a second on average, and write to a journal which process ran when."""
    journal = _journal()
    until = time.monotonic() + Random().uniform(0.2, 0.8)
    while time.monotonic() < until:
        _write(journal)
        time.sleep(TICK_S)
    Path(request["rendered"]).write_bytes(b"RIFF")
    progress("decoded", {})
    _write(journal)
    return MEASURED


def stubborn(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Ignore every signal that can be ignored, with a child that does the same."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    script = "trap '' TERM INT HUP; while :; do sleep 1; done"
    grandchild = subprocess.Popen(["/bin/sh", "-c", script])
    _write(_journal(), os.getpid(), grandchild.pid)
    while True:
        _write(_journal(), os.getpid(), grandchild.pid)
        time.sleep(TICK_S)


def long_c_call(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Call a C function that holds the interpreter for a minute."""
    _write(_journal())
    ctypes.PyDLL(None).sleep(60)
    return MEASURED


def _journal() -> Path:
    """Return the file for this job and process, beside the folders of all jobs."""
    folder = Path.cwd().parent.parent / "journal"
    folder.mkdir(exist_ok=True)
    job_id = Path.cwd().name.split("-")[1]
    return folder / f"{job_id}-{os.getpid()}"


def _write(journal: Path, *pids: int) -> None:
    with journal.open("a") as file:
        file.write(f"{time.time():.3f} {' '.join(map(str, pids))}\n")
