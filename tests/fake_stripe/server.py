"""Serve the fake Stripe over HTTP, with API keys, idempotency keys and signed webhooks."""

from __future__ import annotations

import copy
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx
import stripe

from tests.fake_stripe import (
    catalog,
    charges,
    checkout,
    customers,
    hosted,
    invoices,
    meters,
    setup,
    subscriptions,
)
from tests.fake_stripe.form_encoding import decode, refuse_unknown
from tests.fake_stripe.routing import ROUTES
from tests.fake_stripe.world import Object, Refusal, World

# Importing a resource registers its routes, so a new one has to be added here.
RESOURCES = (catalog, charges, checkout, customers, invoices, meters, setup, subscriptions)
KEY, SECRET = "sk_test_fake", "whsec_fake"
INCLUDED_ON_DEMAND = {"invoice": "payments"}


class FakeStripe:
    """`with FakeStripe() as fake:` serves `fake.url`; `fake.world` is the account behind it."""

    def __init__(self, port: int = 0) -> None:
        self.server = _Server(("127.0.0.1", port), _Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.world = World(self.url)
        self.server.fake = self
        self.kept: dict[str, tuple[Any, int, Object]] = {}
        self.calls: list[str] = []
        self.webhook_url: str | None = None  # if set, events are sent there in order
        catalog.add_plans(self.world)

    def __enter__(self) -> FakeStripe:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def settings(self) -> dict[str, str]:
        """The settings of an app that uses this fake."""
        return {"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRET, "STRIPE_API_BASE": self.url}

    def deliver(self) -> None:
        """Send the new events to the webhook's URL."""
        for event in self.world.take_events() if self.webhook_url else ():
            body, headers = signed(event)
            httpx.post(str(self.webhook_url), content=body, headers=headers, timeout=30)

    def answer(self, method: str, path: str, query: str, body: str, headers: Any) -> tuple[int, Object]:
        if headers.get("Authorization") != f"Bearer {KEY}":
            return 401, {"error": {"type": "invalid_request_error", "message": "Invalid API Key provided"}}
        if self.world.is_away:
            return 503, {"error": {"type": "api_error", "message": "away"}}
        self.calls.append(f"{method} {path}")
        key, asked = headers.get("Idempotency-Key"), (method, path, body)
        with self.world.lock:
            if key in self.kept:
                before, status, answer = self.kept[key]
                return (status, answer) if before == asked else _other_parameters(key)
            try:
                status, answer = 200, self._call(method, path, decode(query if method == "GET" else body))
            except Refusal as refusal:
                status, answer = refusal.status, refusal.body
            answer = copy.deepcopy(answer)
            if key and method == "POST":
                self.kept[key] = (asked, status, answer)
        return status, answer

    def _call(self, method: str, path: str, given: dict[str, Any]) -> Object:
        for route in ROUTES:
            found = route.pattern.match(path)
            if route.method == method and found:
                if route.params is not None:
                    refuse_unknown(given, route.params)
                return _shown(route.answer(self.world, given, **found.groupdict()), given.get("expand", []))
        raise Refusal(f"Unrecognized request URL ({method}: {path})", status=404)


def signed(event: Object, secret: str = SECRET, at: int | None = None) -> tuple[bytes, dict[str, str]]:
    """Return the body and the signed headers of an event's webhook."""
    body = json.dumps(event)
    header = stripe.WebhookSignature.generate_signature_header(body, secret, at)
    return body.encode(), {"Stripe-Signature": header, "Content-Type": "application/json"}


def _shown(answer: Object, expand: list[str]) -> Object:
    """Remove the fields that Stripe includes only when a request expands them."""
    entries = answer["data"] if answer.get("object") == "list" else [answer]
    shown = []
    for entry in entries:
        extra = INCLUDED_ON_DEMAND.get(entry.get("object", ""))
        wanted = {name.removeprefix("data.") for name in expand}
        shown.append({name: value for name, value in entry.items() if name != extra or name in wanted})
    return answer | {"data": shown} if answer.get("object") == "list" else shown[0]


def _other_parameters(key: str) -> tuple[int, Object]:
    message = f"Keys for idempotent requests can only be used with the same parameters: {key}"
    return 400, {"error": {"type": "idempotency_error", "message": message}}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    fake: FakeStripe


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_DELETE = do_GET  # noqa: N815 - the names are the base class's

    def _answer(self) -> None:
        fake, parts = self.server.fake, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if parts.path.startswith("/hosted/"):
            status, headers, text = hosted.answer(fake, self.command, parts.path, body)
        else:
            status, found = fake.answer(self.command, parts.path, parts.query, body, self.headers)
            headers = {"Content-Type": "application/json", "Stripe-Should-Retry": "false"}
            text = json.dumps(found)
            if fake.world.lost_answers and self.command == "POST":
                fake.world.lost_answers -= 1
                self.close_connection = True
                return
        self._send(status, headers, text.encode())

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass
