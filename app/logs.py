"""Format log lines: add the request or job that each belongs to, and remove every email address."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

FORMAT = "%(asctime)s %(levelname)s %(name)s [%(about)s] %(message)s"

# Anything that could be an address, even inside the texts of exceptions: too much is better than too little.
ADDRESS = re.compile(r"[^\s@<>()\[\]{},;:=\"'|/\\]+@(?:\[[^\]\s]*\]|[\w-]+(?:[.。．｡][\w-]+)*)")
NO_ADDRESS = "<address>"

_context: ContextVar[str] = ContextVar("about", default="-")


class LogFormatter(logging.Formatter):
    """Format a record with its traceback, and replace every email address in it."""

    def format(self, record: logging.LogRecord) -> str:
        return redact_addresses(super().format(record))


def configure_logging() -> None:
    """Set up logging once per process. Existing handlers, such as those of a test, are kept."""
    handler = logging.StreamHandler()
    handler.setFormatter(LogFormatter(FORMAT))
    handler.addFilter(_add_context)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def redact_addresses(text: str) -> str:
    """Return the text with every email address replaced, for logs and stored errors."""
    return ADDRESS.sub(NO_ADDRESS, text)


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
