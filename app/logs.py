"""Log lines that say which request or job they belong to."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

FORMAT = "%(asctime)s %(levelname)s %(name)s [%(about)s] %(message)s"

_about: ContextVar[str] = ContextVar("about", default="-")


def init() -> None:
    """Once a process; a second call, or handlers somebody else has set up, change nothing."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.addFilter(_say_about)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


@contextmanager
def about(what: str) -> Iterator[None]:
    """Every line logged inside belongs to this."""
    token = _about.set(what)
    try:
        yield
    finally:
        _about.reset(token)


def begin(what: str) -> None:
    """From here on, in this context, lines belong to this."""
    _about.set(what)


def _say_about(record: logging.LogRecord) -> bool:
    record.about = _about.get()
    return True
