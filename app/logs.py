"""Log lines that say which request or job they belong to."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

FORMAT = "%(asctime)s %(levelname)s %(name)s [%(about)s] %(message)s"

_context: ContextVar[str] = ContextVar("about", default="-")


def configure_logging() -> None:
    """Once a process; a second call, or handlers somebody else has set up, change nothing."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.addFilter(_add_context)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


@contextmanager
def log_context(what: str) -> Iterator[None]:
    """Every line logged inside belongs to this."""
    token = _context.set(what)
    try:
        yield
    finally:
        _context.reset(token)


def bind_context(what: str) -> None:
    """From here on, in this context, lines belong to this."""
    _context.set(what)


def _add_context(record: logging.LogRecord) -> bool:
    record.about = _context.get()
    return True
