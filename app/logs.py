"""Format log lines: add the request or job that each belongs to, and remove every email address."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from app import tracing

FORMAT = "%(asctime)s %(levelname)s %(name)s [%(about)s] %(message)s"

# Anything that could be an address, even inside the texts of exceptions: too much is better than too little.
ADDRESS = re.compile(r"[^\s@<>()\[\]{},;:=\"'|/\\]+@(?:\[[^\]\s]*\]|[\w-]+(?:[.。．｡][\w-]+)*)")
NO_ADDRESS = "<address>"

# What a proxy in front may name a request: nothing that could break a log line.
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")

_context: ContextVar[str] = ContextVar("about", default="-")
_request_id: ContextVar[str] = ContextVar("request_id", default="")


class LogFormatter(logging.Formatter):
    """Format a record with its traceback, and replace every email address in it."""

    def format(self, record: logging.LogRecord) -> str:
        return redact_addresses(super().format(record))


class JsonFormatter(logging.Formatter):
    """Format a record as one line of JSON, with the ids of its request, job and trace as fields."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_context_fields(getattr(record, "about", _context.get())),
            **tracing.current_ids(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        redacted = {name: redact_addresses(text) for name, text in line.items()}
        return json.dumps(redacted, ensure_ascii=False)


def configure_logging(log_format: str = "text") -> None:
    """Set up logging once per process. Existing handlers, such as those of a test, are kept."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else LogFormatter(FORMAT))
    handler.addFilter(_add_context)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def redact_addresses(text: str) -> str:
    """Return the text with every email address replaced, for logs and stored errors."""
    return ADDRESS.sub(NO_ADDRESS, text)


@contextmanager
def log_context(what: str, request_id: str = "") -> Iterator[None]:
    """Mark every line logged inside the block, such as with `job 01H…`, and keep the id of its request."""
    tokens = _context.set(what), _request_id.set(request_id)
    try:
        yield
    finally:
        _context.reset(tokens[0])
        _request_id.reset(tokens[1])


def bind_context(what: str) -> None:
    """Mark every line logged from here on in this context."""
    _context.set(what)


def _context_fields(about: str) -> dict[str, str]:
    """Return the ids in a context such as `job 01H… attempt 1`, each under its word."""
    words = about.split()
    found = dict(zip(words[::2], words[1::2], strict=False))
    return {("request_id" if name == "request" else name): value for name, value in found.items()}


def bind_request(request_id: str) -> None:
    """Mark every line from here on with a request, and keep its id for the jobs that it queues."""
    bind_context(f"request {request_id}")
    _request_id.set(request_id)


def current_request_id() -> str:
    """Return the id of the request that this work was asked for by, or an empty string."""
    return _request_id.get()


def valid_request_id(given: str) -> str:
    """Return an id that came from outside if it is fit for a log line, otherwise an empty string."""
    return given if REQUEST_ID.fullmatch(given) else ""


def _add_context(record: logging.LogRecord) -> bool:
    record.about = _context.get()
    return True
