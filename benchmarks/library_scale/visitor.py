"""A signed-in browser that reads pages of the product over one connection."""

from __future__ import annotations

import json
import re
import select
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from types import MappingProxyType
from typing import Any, NamedTuple

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from httpx import Request

from benchmarks.library_scale.product import SECRET, Product
from benchmarks.library_scale.samples import Owner
from benchmarks.library_scale.tables import session_secret

SAMPLE_ROW = re.compile(r'<tr class="row(?: kept)?" id="sample-(\w+)"')
CSRF_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
EXPECTED_STATUSES = {"GET": (200,), "POST": (200, 201, 303)}
EMPTY: Mapping[str, str] = MappingProxyType({})
TIMEOUT_S = 300


class Visit(NamedTuple):
    """An answered request: its wall time, the processor time of the web process, and the page."""

    wall_s: float
    processor_s: float
    page: str

    @property
    def sample_ids(self) -> list[str]:
        return SAMPLE_ROW.findall(self.page)

    def answer(self) -> Any:
        """Return the JSON of the answer."""
        return json.loads(self.page)


class Visitor:
    """A browser with the session of an owner."""

    def __init__(self, product: Product, owner: Owner) -> None:
        self.product = product
        self._cookie = session_cookie(owner)
        self._http = HTTPConnection("127.0.0.1", product.port, timeout=TIMEOUT_S)

    def get(self, address: str) -> Visit:
        """Read a page."""
        return self._send("GET", address)

    def upload(self, name: str, content: bytes) -> Visit:
        """Upload a file as the page's script does."""
        return self._post("/upload", {"audio": (name, content)})

    def delete(self, sample_id: str) -> None:
        """Move a sample to the trash."""
        self._post(f"/samples/{sample_id}/delete")

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _post(self, address: str, files: dict[str, tuple[str, bytes]] | None = None) -> Visit:
        """Send a form with the page's token."""
        found = CSRF_TOKEN.search(self.get("/upload").page)
        assert found is not None
        form = Request("POST", "http://form", data={"csrf_token": found[1]}, files=files)
        content, kind = form.read(), form.headers["Content-Type"]
        return self._send("POST", address, content, {"Content-Type": kind, "Accept": "application/json"})

    def _send(
        self, method: str, address: str, body: bytes | None = None, headers: Mapping[str, str] = EMPTY
    ) -> Visit:
        self._reconnect_if_closed()
        spent, started = self.product.processor_s(), time.perf_counter()
        self._http.request(method, address, body, {"Cookie": self._cookie, **headers})
        answer = self._http.getresponse()
        page = answer.read().decode()
        taken = time.perf_counter() - started
        if answer.status not in EXPECTED_STATUSES[method]:
            raise RuntimeError(f"{method} {address} answered {answer.status}: {page[:300]}")
        if (session := SimpleCookie(answer.headers.get("Set-Cookie", "")).get("session")) is not None:
            self._cookie = f"session={session.value}"
        return Visit(taken, self.product.processor_s() - spent, page)

    def _reconnect_if_closed(self) -> None:
        """Close our end of a connection that the server has closed because it was idle."""
        if self._http.sock is not None and select.select([self._http.sock], [], [], 0)[0]:
            self._http.close()


def session_cookie(owner: Owner) -> str:
    """Return the cookie that signing in would set, without spending attempts at signing in."""
    app = Flask("signer")
    app.secret_key = SECRET
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    signed = signer.dumps({"_user_id": f"{session_secret(owner)}.0", "_fresh": True})
    return f"session={signed if isinstance(signed, str) else signed.decode()}"
