"""Run a worker's long chores in separate threads, beside the slots that run jobs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from flask import has_app_context

from app.jobs.task_context import run_chores

# Chores that every job asks for are done for several jobs together while jobs are quick.
AGAIN_PAUSE_S = 0.3

log = logging.getLogger(__name__)

_lock = threading.Condition()
# The name of each chore that runs, and whether it was asked for again in the meantime.
_running: dict[str, bool] = {}


def run_aside(name: str, *chores: Callable[[], object]) -> None:
    """Start chores in a thread; if those of this name are running already, run them again afterwards.

    A caller with an app context, such as a test or a command but not a worker, waits for them.
    """
    if has_app_context():
        run_chores(*chores)
        return
    with _lock:
        if name in _running:
            _running[name] = True
            return
        _running[name] = False
    try:
        threading.Thread(target=_run_until_done, args=(name, chores), name=name, daemon=True).start()
    except RuntimeError:
        log.exception("%s got no thread; it is done when it is asked for again", name)
        _forget(name)


def wait_for_chores(within_s: float) -> bool:
    """Wait for the running chores, and return whether they were done in time.

    One that is cut off is done again later, by this worker or another.
    """
    with _lock:
        return _lock.wait_for(lambda: not _running, within_s)


def _run_until_done(name: str, chores: tuple[Callable[[], object], ...]) -> None:
    try:
        while True:
            run_chores(*chores)
            with _lock:
                if not _running[name]:
                    return
                _running[name] = False
            time.sleep(AGAIN_PAUSE_S)
    finally:
        _forget(name)


def _forget(name: str) -> None:
    with _lock:
        del _running[name]
        _lock.notify_all()
