"""Make gunicorn handle requests that the app refuses or never sees. gunicorn finds this file by its name."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
from contextlib import suppress
from typing import Any

from gunicorn import util
from gunicorn.http.body import Body, ChunkedReader
from gunicorn.workers.gthread import TConn, ThreadWorker

limit_request_line = 8190
# Where the processes of this gunicorn count requests; `app.admin.request_metrics` adds them up.
COUNTS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
if os.environ.get("LOG_FORMAT", "").strip() == "json":
    logconfig_dict = {
        "root": {"level": "INFO", "handlers": []},
        "formatters": {"generic": {"()": "app.logs.JsonFormatter"}},
    }

REFUSALS = {
    400: ("Bad Request", "We could not read that request. Check it and try again."),
    414: ("URI Too Long", f"The address is longer than {limit_request_line:,} characters. Shorten it."),
    417: ("Expectation Failed", "This server understands no other expectation than `100-continue`."),
    431: (
        "Request Header Fields Too Large",
        "The headers are too many or too long. Send fewer or shorter ones.",
    ),
    501: ("Not Implemented", "This server reads no such transfer coding. Send the body plain or chunked."),
}
UNEXPECTED = (
    "Internal Server Error",
    "Something went wrong on our side. Nothing of yours is lost. Try again.",
)


class LateBody(Body):
    """A body that the client is asked to continue with only when the app starts to read it."""

    def __init__(self, request: Any) -> None:
        super().__init__(request.body.reader)
        self._socket = request.unreader.sock
        self._is_awaited = request._expected_100_continue
        request._expected_100_continue = False  # otherwise gunicorn asks before the app sees the request

    def _read_reader(self, size: int) -> bytes:
        if self._is_awaited:
            self._is_awaited = False
            self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        found: bytes = super()._read_reader(size)
        return found

    @property
    def is_unread(self) -> bool:
        """Whether the client may still be sending."""
        if isinstance(self.reader, ChunkedReader):
            return self.reader.parser is not None
        return self.reader.length > 0


class WebWorker(ThreadWorker):
    """A threaded worker that closes each connection in the thread of its request."""

    def handle(self, conn: TConn) -> Any:
        """Serve one request. A connection that ends is closed here, so it holds up no other."""
        goes_on = super().handle(conn)
        if goes_on is False:
            with suppress(OSError):
                conn.close(graceful=True)
            conn.close = lambda graceful=False: None
        return goes_on


def on_starting(_server: Any) -> None:
    """Give the processes of this gunicorn a folder for what they count."""
    os.environ[COUNTS_FOLDER] = tempfile.mkdtemp(prefix="sp404-counts-")


def on_exit(_server: Any) -> None:
    """Remove what they counted."""
    shutil.rmtree(os.environ[COUNTS_FOLDER], ignore_errors=True)


def pre_request(worker: Any, request: Any) -> None:
    """Close the connection after an answer to a request whose body was not read to its end."""
    body, closes_anyway = LateBody(request), request.should_close
    request.body = body
    request.should_close = lambda: closes_anyway() or body.is_unread


def write_problem(client: socket.socket, status: int, _reason: str, _message: str) -> None:
    """Answer requests that gunicorn itself refuses with problem details: they may have been for the API."""
    title, detail = REFUSALS.get(status, UNEXPECTED)
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    content = json.dumps(problem | {"instance": "", "request_id": "", "errors": []}).encode()
    head = f"HTTP/1.1 {status} {title}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
    util.write_nonblock(client, f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)


util.write_error = write_problem
worker_class = WebWorker
