"""Extend the lease of long work regularly, so that no other worker takes it over."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from flask.globals import app_ctx

# After this long without a sign of its worker, another one takes the work over.
WORK_LEASE = timedelta(minutes=5)
BEAT_S = 60.0

log = logging.getLogger(__name__)


@contextmanager
def keep_alive(extend: Callable[[], object]) -> Iterator[None]:
    """Call `extend` every BEAT_S seconds from a separate thread while the block runs."""
    app, done = app_ctx.app, threading.Event()

    def beat() -> None:
        while not done.wait(BEAT_S):
            with app.app_context():
                try:
                    extend()
                except Exception:
                    log.warning("could not extend the lease of long work", exc_info=True)

    thread = threading.Thread(target=beat, name="keep-alive", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
