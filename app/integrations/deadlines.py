"""Limit the total time of a call to another machine, however slowly that machine answers.

A read timeout only limits the pause between two bytes, so it never ends a call to a machine that sends a byte
now and then. A deadline shuts the connection down when the time is up, whatever the call is doing then.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from typing import Any, Self

MAX_LOOKUPS = 32


class DeadlineError(OSError):
    """The time for a call was up before the call was done."""


class Deadline:
    """Shuts down the connections it watches when its time is up."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._is_over = False

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            while self._sockets:
                self._sockets.pop().close()

    @property
    def is_over(self) -> bool:
        """Return whether the time was up before the call was done."""
        return self._is_over

    @property
    def left_s(self) -> float:
        """Return the seconds that are left, or raise DeadlineError when there are none."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise DeadlineError(f"not done within {self.seconds:g} s")
        return left

    def watch(self, connection: socket.socket) -> None:
        """Watch this connection, to shut it down when the time is up.

        A copy of its file descriptor is kept, because starting TLS takes the original away from its socket.
        """
        with self._lock:
            self._sockets.append(socket.socket(fileno=os.dup(connection.fileno())))
            if self._is_over:
                self._shut_down()

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Receive httpx's trace events, and watch each connection from the moment it is made."""
        if event == "connection.connect_tcp.complete":
            self.watch(info["return_value"].get_extra_info("socket"))

    def _end(self) -> None:
        with self._lock:
            self._is_over = True
            self._shut_down()

    def _shut_down(self) -> None:
        for connection in self._sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


_lookups = threading.BoundedSemaphore(MAX_LOOKUPS)


def look_up(host: str, port: int, deadline: Deadline) -> list[str]:
    """Return the addresses of a host; raise OSError, or DeadlineError when the time is up first.

    The system's resolver takes no timeout, so it runs in a thread. A thread that is too slow goes on until
    the resolver gives up; there are never more than MAX_LOOKUPS of them.
    """
    found: list[Any] = []
    places = _lookups

    def resolve() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)
        finally:
            places.release()

    if not places.acquire(timeout=deadline.left_s):
        raise DeadlineError("too many names are being looked up")
    thread = threading.Thread(target=resolve, name=f"lookup-{host}", daemon=True)
    thread.start()
    thread.join(deadline.left_s)
    if not found:
        raise DeadlineError(f"{host} could not be looked up within {deadline.seconds:g} s")
    if isinstance(found[0], OSError):
        raise found[0]
    if isinstance(found[0], UnicodeError):
        raise OSError(str(found[0])) from found[0]
    return [str(entry[4][0]) for entry in found[0]]
