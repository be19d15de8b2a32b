"""Add the request or job that a log line belongs to."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

FORMAT = "%(asctime)s %(levelname)s %(name)s [%(about)s] %(message)s"

_context: ContextVar[str] = ContextVar("about", default="-")


def configure_logging() -> None:
    """Set up logging once per process. Existing handlers, such as those of a test, are kept."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.addFilter(_add_context)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


@contextmanager
def log_context(what: str) -> Iterator[None]:
    """Mark every line logged inside the block, such as with `job 01H…`."""
    token = _context.set(what)
    try:
        yield
    finally:
        _context.reset(token)


def bind_context(what: str) -> None:
    """Mark every line logged from here on in this context."""
    _context.set(what)


def _add_context(record: logging.LogRecord) -> bool:
    record.about = _context.get()
    return True
