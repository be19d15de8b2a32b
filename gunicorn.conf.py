"""Make gunicorn handle requests that the app refuses or never sees, and leave service without failing any.

gunicorn finds this file by its name.
"""

from __future__ import annotations

import json
import mmap
import os
import select
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
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
        "loggers": {
            "gunicorn.error": {"level": "INFO", "handlers": ["error_console"], "propagate": False},
            # Addresses of mailed and signed links do not belong into a log.
            "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
        },
    }
# After SIGTERM the service says for so long that it is leaving, and goes on answering all the same.
DRAIN_S = int(os.environ.get("DRAIN_S") or 0)
graceful_timeout = 30 + DRAIN_S
# Bodies larger than any form's are received by threads beyond those of the pages. Few at once work on what
# has come: a page needs the interpreter several times, and each time waits for all who are at work.
LARGE_BODY_BYTES, RECEIVED_MAX, READ_MAX, TAKEN_MAX = 2 * 10**6, 128, 1, 8
READINESS_PATHS = frozenset({"/readyz", "/api/health"})  # of the web process, and of the engine

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


class Turns:
    """Let so many threads at once serve requests, read large bodies, or do the rest of what these need.

    So large bodies keep no page waiting, however slow their clients or the store are.
    """

    def __init__(self, serving: int, reading: int, taking: int) -> None:
        self._serving, self._reading, self._taking = map(threading.Semaphore, (serving, reading, taking))
        self._thread = threading.local()

    def serve(self) -> None:
        """Wait for a turn to serve a request, unless this thread has one."""
        if getattr(self._thread, "held", None) is not self._serving:
            self._wait_for(self._serving)

    def read(self) -> None:
        """Wait for a turn to read a part of a large body."""
        self._wait_for(self._reading)

    def take(self) -> None:
        """Wait for a turn to check a request with a large body, or to do what it asks for."""
        self._wait_for(self._taking)

    def give_back(self) -> None:
        """Let another thread have the turn of this one, if it has any."""
        held, self._thread.held = getattr(self._thread, "held", None), None
        if held is not None:
            held.release()

    def _wait_for(self, turns: threading.Semaphore) -> None:
        self.give_back()
        turns.acquire()
        self._thread.held = turns


class LateBody(Body):
    """A body that the client is asked to continue with only when the app starts to read it.

    Clients may be slow: a thread that waits for the next part of a large body has no turn meanwhile.
    """

    def __init__(self, request: Any, turns: Turns) -> None:
        super().__init__(request.body.reader)
        self._turns, self.is_large = turns, has_large_body(request)
        self._socket = request.unreader.sock
        self._is_awaited = request._expected_100_continue
        request._expected_100_continue = False  # otherwise gunicorn asks before the app sees the request

    def _read_reader(self, size: int) -> bytes:
        if self._is_awaited:
            self._is_awaited = False
            self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not (self.is_large and self.is_unread):
            return self._receive(size)
        self._turns.give_back()
        try:
            return self._receive(size)
        finally:
            self._turns.read() if self.is_unread else self._turns.take()

    def _receive(self, size: int) -> bytes:
        received: bytes = super()._read_reader(size)
        return received

    @property
    def is_unread(self) -> bool:
        """Whether the client may still be sending."""
        if isinstance(self.reader, ChunkedReader):
            return self.reader.parser is not None
        return self.reader.length > 0


class Gate:
    """Answer 503 to those who ask whether the service is ready, from the moment that it is told to stop.

    From all others it takes the turns of large bodies as soon as the app has an answer.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], worker: WebWorker) -> None:
        self._app, self._worker = app, worker

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not (self._worker.drained_at and environ["PATH_INFO"] in READINESS_PATHS):
            answer = self._app(environ, start_response)
            self._worker.turns.serve()
            return answer
        headers = [("Content-Type", "text/plain"), ("Cache-Control", "no-store"), ("Retry-After", "30")]
        start_response("503 Service Unavailable", headers)
        return [b"stopping\n"]


class WebWorker(ThreadWorker):
    """A threaded worker that closes each connection in the thread of its request.

    When the whole service stops, it goes on taking connections for DRAIN_S, so that a load balancer sees by
    the readiness that it is leaving. When only its workers are exchanged, the new ones take connections.
    """

    service: mmap.mmap  # one byte that the workers share with their parent: whether the whole service stops
    drained_at = 0.0  # on the monotonic clock; 0 while the service goes on
    turns: Turns

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Return threads for all requests; no more of them than gunicorn is told to have serve at once."""
        self.turns = Turns(self.cfg.threads, READ_MAX, TAKEN_MAX)
        return ThreadPoolExecutor(self.cfg.threads + RECEIVED_MAX)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Begin to leave: after the time to drain when the whole service stops, otherwise at once."""
        if not self.service[0]:
            super().handle_exit(sig, frame)
        elif not self.drained_at:
            self.drained_at = time.monotonic() + DRAIN_S
            self.method_queue.defer(lambda: None)  # wakes the loop, which calls notify

    def notify(self) -> None:
        """Tell the parent that this process lives; it is called every second."""
        super().notify()
        if self.alive and self.drained_at and time.monotonic() >= self.drained_at:
            self._stop_listening()

    def _stop_listening(self) -> None:
        """Take what has connected already, and have everybody else refused: they ask another process.

        gunicorn listens until its last request is answered, and then resets what has connected meanwhile.
        """
        self.alive = False
        self.set_accept_enabled(False)
        for listener in self.sockets:
            while select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()

    def set_accept_enabled(self, enabled: bool) -> None:
        """Take connections or not; never again once this process ends."""
        super().set_accept_enabled(enabled and self.alive)

    def handle(self, conn: TConn) -> Any:
        """Serve one request. A connection that ends is closed here, so it holds up no other."""
        self.turns.serve()
        try:
            goes_on = super().handle(conn)
        finally:
            self.turns.give_back()
        if goes_on is False:
            with suppress(OSError):
                conn.close(graceful=True)
            conn.close = lambda graceful=False: None
        return goes_on


def has_large_body(request: Any) -> bool:
    """Return whether a body says that it is larger than that of any form: only uploads may be."""
    return getattr(request.body.reader, "length", 0) > LARGE_BODY_BYTES


def on_starting(server: Any) -> None:
    """Give the processes a folder for what they count, and have the parent say that the service stops.

    It says so before it tells its workers to.
    """
    os.environ[COUNTS_FOLDER] = tempfile.mkdtemp(prefix="sp404-counts-")
    server.leaving, stop_workers = mmap.mmap(-1, 1), server.stop

    def stop(graceful: bool = True) -> None:
        server.leaving[0] = 1
        stop_workers(graceful)

    server.stop = stop


def on_exit(_server: Any) -> None:
    """Remove what they counted."""
    shutil.rmtree(os.environ[COUNTS_FOLDER], ignore_errors=True)


def pre_fork(server: Any, worker: WebWorker) -> None:
    """Share the parent's byte with a new worker."""
    worker.service = server.leaving


def post_worker_init(worker: WebWorker) -> None:
    """Ask the gate before the app."""
    worker.wsgi = Gate(worker.wsgi, worker)


def pre_request(worker: Any, request: Any) -> None:
    """Close the connection when the body was not read to its end, or when this process leaves."""
    body, closes_anyway = LateBody(request, worker.turns), request.should_close
    is_leaving = bool(worker.drained_at)  # asked once: an answer that promised to go on has to
    if body.is_large:
        worker.turns.take()
    request.body = body
    request.should_close = lambda: closes_anyway() or body.is_unread or is_leaving


def write_problem(client: socket.socket, status: int, _reason: str, _message: str) -> None:
    """Answer requests that gunicorn itself refuses with problem details: they may have been for the API."""
    title, detail = REFUSALS.get(status, UNEXPECTED)
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    content = json.dumps(problem | {"instance": "", "request_id": "", "errors": []}).encode()
    head = f"HTTP/1.1 {status} {title}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
    util.write_nonblock(client, f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)


util.write_error = write_problem
worker_class = WebWorker
