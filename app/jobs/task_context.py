"""The app that tasks of this process run in, and chores that must not stop one another."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask, has_app_context

log = logging.getLogger(__name__)

_app: Flask | None = None


def set_app(app: Flask) -> None:
    """Set the app whose context every task of this process runs in."""
    global _app
    _app = app


def has_app() -> bool:
    """Return whether tasks have an app to run in, which `app.worker` builds."""
    return _app is not None or has_app_context()


@contextmanager
def app_context() -> Iterator[None]:
    """Enter the app of this process. A context that is already open keeps its database session."""
    if has_app_context():
        yield
        return
    if _app is None:
        raise RuntimeError("tasks run in a worker: start huey_consumer app.worker.huey")
    with _app.app_context():
        yield


def run_chores(*chores: Callable[[], object]) -> None:
    """Run each chore in the app's context; one that fails is logged and does not stop the others."""
    with app_context():
        for chore in chores:
            try:
                chore()
            except Exception:
                log.exception("%s failed; it is tried again next time", getattr(chore, "__name__", chore))
