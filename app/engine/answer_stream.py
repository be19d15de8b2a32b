"""Work on one file from its link to the answer, and stream the progress line by line."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any

from app import logs, tracing
from app.config import Settings
from app.engine import source_download, wire_format
from app.engine.contract import ProgressListener
from app.sandbox.errors import EngineCancelled

Work = Callable[[Path, ProgressListener], dict[str, Any]]
"""Works on a downloaded file, and returns the answer as plain JSON."""

BLOCK_BYTES = 1 << 18
# No work takes this long: an older folder was left behind by a process that was killed.
ABANDONED_AFTER_S = 2 * 3600

log = logging.getLogger(__name__)


class AnswerStream:
    """One file's work, in a thread of its own so that heartbeats continue while it waits for something.

    When a line cannot be sent, the caller is gone: the work is given up and its child is killed.
    """

    def __init__(
        self,
        settings: Settings,
        url: str,
        about: str,
        work: Work,
        request_id: str = "",
        traceparent: str | None = None,
    ) -> None:
        self._traceparent = traceparent  # the caller's span, which this work is a part of
        self._url, self._about, self._do = url, about, work
        self._log_name = f"job {about} request {request_id}" if request_id else f"job {about}"
        self._parent = settings.data_dir.resolve() / "tmp"
        self._messages: SimpleQueue[Path | dict[str, Any]] = SimpleQueue()
        self._gone = threading.Event()

    def lines(self) -> Iterator[bytes]:
        """Start the work and yield the response in the wire format; closing the iterator ends the work."""
        self._parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_abandoned(self._parent)
        with TemporaryDirectory(prefix=f"job-{self._about}-", dir=self._parent) as folder:
            thread = threading.Thread(target=self._work, args=(Path(folder),), daemon=True)
            thread.start()
            try:
                yield wire_format.HEARTBEAT_LINE  # at once, because the work has begun
                yield from self._encoded_messages()
            finally:
                self._gone.set()
                thread.join()

    def _encoded_messages(self) -> Iterator[bytes]:
        while True:
            try:
                message = self._messages.get(timeout=wire_format.HEARTBEAT_S)
            except Empty:
                yield wire_format.HEARTBEAT_LINE
                continue
            if isinstance(message, Path):
                yield from _wav_chunks(message)
                continue
            yield wire_format.encode_line(message)
            if "success" in message:
                return

    def _work(self, folder: Path) -> None:
        started = time.monotonic()
        logs.bind_context(self._log_name)
        try:
            answer = self._traced_answer(folder / "source")
            ending = wire_format.success_message(answer, time.monotonic() - started)
        except EngineCancelled:
            log.info("given up: the caller is gone")
            return
        except Exception as error:
            ending = wire_format.failure_message(error, time.monotonic() - started)
        self._messages.put(ending)
        log.info("ended: %s", "success" if ending["success"] else ending["error"])

    def _traced_answer(self, path: Path) -> dict[str, Any]:
        with tracing.continue_trace(self._traceparent), tracing.span("engine work", "server"):
            with tracing.span("engine download", "client"):
                source_download.download_source(self._url, path, lambda: not self._gone.is_set())
            return self._do(path, self._listener())

    def _listener(self) -> ProgressListener:
        return ProgressListener(
            on_decoded=self._messages.put,
            on_measured=lambda measurement: self._messages.put(wire_format.measured_message(measurement)),
            still_wanted=lambda: not self._gone.is_set(),
        )


def _wav_chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield wire_format.encode_line({"step": "decoded", "bytes": path.stat().st_size})
        while block := file.read(BLOCK_BYTES):
            yield block


def _remove_abandoned(parent: Path) -> None:
    for path in parent.iterdir():
        with suppress(OSError):
            if path.stat().st_mtime < time.time() - ABANDONED_AFTER_S:
                shutil.rmtree(path, ignore_errors=True)
