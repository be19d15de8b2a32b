"""A store over real HTTP whose answers each test sets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

StoredAnswer = tuple[int, dict[str, str], bytes]


class FakeStore:
    """Its objects by path, and the path of every request."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.objects: dict[str, StoredAnswer] = {}
        self.asked: list[str] = []

    def keep(self, name: str, content: bytes) -> str:
        return self.answer(name, 200, {"Content-Length": str(len(content))}, content)

    def answer(self, name: str, status: int, headers: dict[str, str], content: bytes = b"") -> str:
        self.objects[f"/media/{name}"] = (status, headers, content)
        return f"{self.url}/media/{name}"


@contextmanager
def running_store(port: int) -> Iterator[FakeStore]:
    store = FakeStore(port)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def answer(self) -> None:
            store.asked.append(self.path)
            status, headers, content = store.objects.get(self.path, (404, {"Content-Length": "0"}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
