"""Run webhook receivers on this machine: some answer byte by byte until released, the others at once."""

from __future__ import annotations

import re
import socket
import threading
from collections import Counter
from contextlib import suppress

DRIP_S = 0.1


class Receivers:
    """One server for many endpoints, told apart by their paths; those below /slow/ drip until released."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.change = threading.Condition()
        self.held: Counter[str] = Counter()  # connections that are open now, by path
        self.most_held: Counter[str] = Counter()
        self.answered: list[tuple[str, str]] = []  # path and webhook-id
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def is_holding(self, count: int) -> bool:
        with self.change:
            return self.held.total() >= count

    def ids(self, path: str) -> list[str]:
        """Return the webhook-id of each message that was answered on a path, in order."""
        with self.change:
            return [found for where, found in self.answered if where == path]

    def close(self) -> None:
        self.released.set()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=[peer], daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with suppress(OSError), peer:
            request = b""
            while not _is_whole(request) and (more := peer.recv(65536)):
                request += more
            found = re.match(rb"POST (\S+) ", request)
            sent_id = re.search(rb"(?i)webhook-id: (\S+)", request)
            if found is None or sent_id is None:
                return
            path = found[1].decode()
            self._count(path, 1)
            try:
                self._answer(peer, path, sent_id[1].decode())
            finally:
                self._count(path, -1)

    def _answer(self, peer: socket.socket, path: str, sent_id: str) -> None:
        if path.startswith("/slow/") and not self.released.is_set():
            peer.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self.released.wait(DRIP_S):
                peer.sendall(b"x")
            return
        with self.change:
            self.answered.append((path, sent_id))
            self.change.notify_all()
        peer.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    def _count(self, path: str, by: int) -> None:
        with self.change:
            self.held[path] += by
            self.most_held[path] = max(self.most_held[path], self.held[path])
            self.change.notify_all()


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(end) and length is not None and len(body) >= int(length[1])
