"""Connect to a mail server, with one deadline for the whole session."""

from __future__ import annotations

import smtplib
import socket
import ssl

from app.integrations.deadlines import Deadline, look_up

READ_S = 10
PORTS = {"smtp": 587, "smtps": 465}


def connect_smtp(scheme: str, host: str, port: int | None, deadline: Deadline) -> smtplib.SMTP:
    """Connect and read the server's greeting; raise OSError or smtplib.SMTPException on failure.

    smtps is encrypted from the start. For smtp the server has been asked what it offers, such as STARTTLS.
    """
    context = ssl.create_default_context() if scheme == "smtps" else None
    server = WatchedSmtp(host, port or PORTS[scheme], deadline, context)
    if context is None:
        server.ehlo()
    return server


class WatchedSmtp(smtplib.SMTP):
    """A connection that its deadline shuts down, even while it waits for a greeting or for TLS."""

    def __init__(self, host: str, port: int, deadline: Deadline, context: ssl.SSLContext | None) -> None:
        self._deadline, self._context = deadline, context
        super().__init__(host, port, timeout=READ_S)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = _connect_any(look_up(host, port, self._deadline), port, self._deadline)
        self._deadline.watch(connection)
        connection.settimeout(timeout)
        return (
            connection
            if self._context is None
            else self._context.wrap_socket(connection, server_hostname=host)
        )


def _connect_any(addresses: list[str], port: int, deadline: Deadline) -> socket.socket:
    """Connect to the first address that answers, as `socket.create_connection` does."""
    failure = OSError("the mail server's name leads to no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=min(READ_S, deadline.left_s))
        except OSError as error:
            failure = error
    raise failure
