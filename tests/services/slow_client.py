"""Hold a connection to nginx with a request that goes on for ever."""

from __future__ import annotations

import socket
import ssl

from tests.services.nginx_front import HOST, Front, trusting


class SlowClient:
    """A client that has sent half of its headers, or half of its body, and goes on one byte at a time."""

    def __init__(self, front: Front, start: bytes) -> None:
        plain = socket.create_connection(("127.0.0.1", front.port), timeout=60)
        self.connection = trusting().wrap_socket(plain, server_hostname=HOST)
        self.connection.sendall(start)

    def drip(self) -> None:
        self.connection.sendall(b"x")

    def is_waiting(self) -> bool:
        """Return whether the server has neither answered nor closed the connection."""
        self.connection.setblocking(False)
        try:
            return self.connection.recv(1) is None
        except ssl.SSLWantReadError:
            return True
        finally:
            self.connection.settimeout(60)
