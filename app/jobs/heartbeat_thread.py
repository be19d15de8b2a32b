"""The thread of a worker process that beats every few seconds."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable

from app.jobs import workers
from app.jobs.task_context import run_chores

THREAD_NAME = "heartbeat"

_start_lock = threading.Lock()


def start_heartbeat(beat: Callable[[], None]) -> None:
    """Beat now and then every few seconds; one thread a process, whichever of its workers starts first."""
    with _start_lock:
        if any(thread.name == THREAD_NAME for thread in threading.enumerate()):
            return
        beat()  # the worker is registered before it claims anything
        threading.Thread(target=_beat_forever, args=(beat,), name=THREAD_NAME, daemon=True).start()
        atexit.register(run_chores, workers.unregister)


def _beat_forever(beat: Callable[[], None]) -> None:
    while True:
        time.sleep(workers.HEARTBEAT_S)
        beat()
