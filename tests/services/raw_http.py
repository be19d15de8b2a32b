"""Talk to a web process byte by byte, and sign in to it."""

from __future__ import annotations

import re
import socket

import httpx

from tests.support import PASSWORD
from tests.web_process import Web

BOUNDARY = "----boundary"
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def connect(web: Web) -> socket.socket:
    url = httpx.URL(web.url)
    return socket.create_connection((url.host, url.port), timeout=30)


def head(method: str, path: str, headers: dict[str, str]) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def whole_answer(connection: socket.socket) -> bytes:
    """Return everything until the server closes the connection."""
    found = b""
    while block := connection.recv(65536):
        found += block
    return found


def multipart(content: bytes, *fields: tuple[str, str]) -> bytes:
    texts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields
    ]
    file = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
    return "".join([*texts, file]).encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def sign_in(client: httpx.Client, email: str) -> None:
    form = {"csrf_token": form_token(client), "email": email, "password": PASSWORD}
    assert client.post("/sign-in", data=form).status_code == 303


def form_token(client: httpx.Client) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/docs/api").text)
    assert found is not None
    return found[1]


def cookies(client: httpx.Client) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}
