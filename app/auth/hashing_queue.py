"""Hash one password at a time, let a few wait, and refuse the rest at once.

A hash takes 64 MB and tens of milliseconds of every core on purpose. Without a bound, a flood of sign-ins
would hold every thread of the web process and every connection of the database, and pages would wait.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from app.rate_limits import client_network

# With gunicorn's 32 threads, at least 15 stay free for everything else: see Procfile.
RUNNING_MAX, WAITING_MAX = 1, 16
# One network gets at most half of the places, so that another still gets in.
NETWORK_MAX = (RUNNING_MAX + WAITING_MAX) // 2
RETRY_AFTER_S = 5
# Argon2 keeps four threads busy. Everything else in the web process has priority over them.
NICENESS = 5

Answer = TypeVar("Answer")


class HashingBusyError(Exception):
    """Too many passwords wait to be hashed. Nothing was changed; try again in a few seconds."""


class HashingQueue:
    """The passwords of this process that are being hashed or are waiting to be."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = threading.Semaphore(RUNNING_MAX)
        self._inside: Counter[str] = Counter()
        self._thread = threading.local()
        self._hashers = ThreadPoolExecutor(RUNNING_MAX, "hasher", initializer=_lower_priority)

    def run(self, hashing: Callable[[], Answer]) -> Answer:
        """Hash in a thread of low priority when it is this thread's turn, and return the result."""
        with self.turn():
            return self._hashers.submit(hashing).result()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn to hash. A thread that has the turn may enter again without waiting.

        Raises HashingBusyError at once when too many are waiting already, in all or from this network.
        """
        if getattr(self._thread, "has_turn", False):
            yield
            return
        network = client_network()
        self._enter(network)
        try:
            with self._running:
                self._thread.has_turn = True
                try:
                    yield
                finally:
                    self._thread.has_turn = False
        finally:
            self._leave(network)

    def _enter(self, network: str) -> None:
        with self._lock:
            is_full = self._inside.total() >= RUNNING_MAX + WAITING_MAX
            if is_full or self._inside[network] >= NETWORK_MAX:
                raise HashingBusyError
            self._inside[network] += 1

    def _leave(self, network: str) -> None:
        with self._lock:
            self._inside[network] -= 1
            self._inside += Counter()  # drops networks without anyone inside


def _lower_priority() -> None:
    """Let this thread, and those that Argon2 starts from it, run after others. Only Linux can do this."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


hashing_queue = HashingQueue()
