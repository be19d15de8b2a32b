"""A proxy that adds the checks of a real object store: signatures, expiry, size, CORS, If-Match.

It stands before moto's server, which lacks them. A presigned request passes only when its signature equals
the one computed here from what was really sent. Requests signed in a header are the product's own and pass.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import httpx

from tests.live import free_port


class StoreProxy:
    """The proxy: what passed it, how late it is for links, and whether it is shut."""

    def __init__(self, behind: str, secret: str, bucket: str) -> None:
        self.behind, self.secret, self.bucket = behind, secret, bucket
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.later = timedelta(0)
        self.is_shut = False
        self.meanwhile: dict[str, Callable[[], object]] = {}  # done once, before the next request of a method
        self.taken: list[tuple[str, int]] = []  # presigned PUTs: origin and size
        handler = type("Handler", (_Handler,), {"gate": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def refuses(self, method: str, target: str, headers: Any) -> str | None:
        """Return why a request does not pass, or None."""
        if headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 "):
            return self._has_changed(headers)
        query = dict(parse_qsl(urlsplit(target).query, keep_blank_values=True))
        if "X-Amz-Signature" not in query:
            return "not signed"
        signed_at = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if datetime.now(UTC) + self.later > signed_at + timedelta(seconds=int(query["X-Amz-Expires"])):
            return "expired"
        right = compute_signature(method, target, query, headers, self.secret)
        return None if hmac.compare_digest(right, query["X-Amz-Signature"]) else "SignatureDoesNotMatch"

    def _has_changed(self, headers: Any) -> str | None:
        wanted = headers.get("x-amz-copy-source-if-match")
        if wanted is None:
            return None
        there = httpx.head(f"{self.behind}/{headers['x-amz-copy-source'].lstrip('/')}", headers=_SIGNED)
        return None if there.headers.get("ETag") == wanted else "PreconditionFailed"


_SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request"}


def compute_signature(method: str, target: str, query: dict[str, str], headers: Any, secret: str) -> str:
    """Signature Version 4 of a presigned request, as Amazon's documentation describes it."""
    names = query["X-Amz-SignedHeaders"].split(";")
    pairs = sorted((quote(n, safe="-_.~"), quote(v, safe="-_.~")) for n, v in query.items())
    canonical = [
        method,
        urlsplit(target).path,
        "&".join(f"{name}={value}" for name, value in pairs if name != "X-Amz-Signature"),
        *[f"{name}:{headers.get(name, '').strip()}" for name in names],
        "",
        ";".join(names),
        "UNSIGNED-PAYLOAD",
    ]
    _, *scope = query["X-Amz-Credential"].split("/")
    digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    text = "\n".join(("AWS4-HMAC-SHA256", query["X-Amz-Date"], "/".join(scope), digest))
    key = f"AWS4{secret}".encode()
    for part in (*scope, text):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


class _Handler(BaseHTTPRequestHandler):
    gate: StoreProxy
    protocol_version = "HTTP/1.1"

    def do_OPTIONS(self) -> None:
        """Answer a browser's preflight request by the CORS rule of the bucket."""
        self._answer(200 if self._cors() else 403, self._cors(), b"")

    def do_PUT(self) -> None:
        self._pass_on()

    def do_GET(self) -> None:
        self._pass_on()

    def do_HEAD(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def do_DELETE(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        gate = self.gate
        if (happens := gate.meanwhile.pop(self.command, None)) is not None:
            happens()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        why = "shut" if gate.is_shut else gate.refuses(self.command, self.path, self.headers)
        if why is not None:
            code = 412 if why == "PreconditionFailed" else 403
            error = f"<?xml version='1.0'?><Error><Code>{why}</Code><Message>{why}</Message></Error>"
            self._answer(code, self._cors() | {"content-type": "application/xml"}, error.encode())
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        answer = httpx.request(
            self.command, gate.behind + self.path, headers=headers, content=body, timeout=30
        )
        if self.command == "PUT" and "X-Amz-Signature" in self.path:
            gate.taken.append((self.headers.get("Origin", ""), len(body)))
        ours = ("access-control", "connection", "transfer-encoding", "server", "date")
        kept = {name: value for name, value in answer.headers.items() if not name.startswith(ours)}
        self._answer(answer.status_code, kept | self._cors(), answer.content)

    def _cors(self) -> dict[str, str]:
        """Return the CORS headers that the bucket's rule has for this origin; none for any other."""
        origin = self.headers.get("Origin")
        asked = self.headers.get("Access-Control-Request-Method", self.command)
        rules = (
            httpx.get(f"{self.gate.behind}/{self.gate.bucket}?cors", headers=_SIGNED).text if origin else ""
        )
        for wanted in (f"<AllowedOrigin>{origin}<", f"<AllowedMethod>{asked}<"):
            if wanted not in rules:
                return {}
        allowed = {"Access-Control-Allow-Origin": origin or "", "Access-Control-Allow-Methods": asked}
        return allowed | {"Access-Control-Allow-Headers": "content-type"}

    def _answer(self, code: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(code)
        for name, value in ({"content-length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The test's own output is enough."""
