"""Send messages in threads of a worker process, apart from the slots that run jobs.

A lane has a few slots of its own and looks for messages by itself, so nothing it waits for holds up a job,
and no job holds up a message.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from app.jobs.task_context import app_context

log = logging.getLogger(__name__)

POLL_S = 1.0
# How soon after a look that found nothing the next one may follow: every job that ends asks for one.
LOOK_PAUSE_S = 0.1


@dataclass(frozen=True)
class Sending:
    """One message to send, and its account, if any."""

    account: str | None
    send: Callable[[], object]


class SendingLane:
    """Takes one message after another and sends up to `slots` of them at a time, each in its own thread.

    `take` claims the next message; it gets the accounts that have one being sent in this lane.
    """

    def __init__(self, name: str, slots: int, take: Callable[[set[str]], Sending | None]) -> None:
        self.name = name
        self._take = take
        self._slots = threading.Semaphore(slots)
        self._look = threading.Event()
        self._stopping = threading.Event()
        self._change = threading.Condition()
        self._is_taking = False
        self._on_their_way: Counter[str | None] = Counter()
        self._thread: threading.Thread | None = None
        self.is_in_use = False  # whether this process is one that sends by it

    def start(self) -> None:
        """Start sending, unless this lane has started already.

        When the system has no thread to give, the next wake-up tries again.
        """
        with self._change:
            self.is_in_use = True
            if self._stopping.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            thread = threading.Thread(target=self._run, name=f"{self.name}-lane", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                log.exception("%s could not start; the next wake-up tries again", self.name)
                return
            self._thread = thread

    def wake(self) -> None:
        """Look for messages now instead of at the next regular check."""
        self.start()
        self._look.set()

    def stop(self, within_s: float) -> bool:
        """Take no more, and wait for what is being sent; return whether all of it was done in time.

        What was not done stays claimed for a minute or two. Then another worker sends it again.
        """
        until = time.monotonic() + within_s
        self._stopping.set()
        self._look.set()
        with self._change:
            return self._change.wait_for(self._is_idle, max(until - time.monotonic(), 0))

    def _is_idle(self) -> bool:
        return not self._is_taking and not self._on_their_way.total()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._slots.acquire()
            self._look.clear()
            looked = time.monotonic()
            if (sending := self._take_next()) is None:
                self._slots.release()
                self._look.wait(POLL_S)
                self._stopping.wait(looked + LOOK_PAUSE_S - time.monotonic())
                continue
            try:
                threading.Thread(target=self._send, args=(sending,), name=self.name, daemon=True).start()
            except RuntimeError:
                log.exception("%s got no thread; it sends this message before it looks for more", self.name)
                self._send(sending)

    def _take_next(self) -> Sending | None:
        with self._change:
            if self._stopping.is_set():
                return None
            self._is_taking = True
            busy = {account for account in +self._on_their_way if account is not None}
        sending = None
        try:
            with app_context():
                sending = self._take(busy)
        except Exception:
            log.exception("%s could not look for messages; they are looked for again", self.name)
        with self._change:
            self._is_taking = False
            if sending is not None:
                self._on_their_way[sending.account] += 1
            self._change.notify_all()
        return sending

    def _send(self, sending: Sending) -> None:
        try:
            with app_context():
                sending.send()
        except Exception:
            log.exception("%s could not note the end of a message; it is sent again", self.name)
        finally:
            with self._change:
                self._on_their_way[sending.account] -= 1
                self._change.notify_all()
            self._slots.release()
            self._look.set()
