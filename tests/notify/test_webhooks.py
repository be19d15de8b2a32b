"""Webhooks: signed as the standard says, retried under the same id, logged, replayed and disabled."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.account import data_export
from app.extensions import db
from app.models import OutboxMessage, User, WebhookDelivery, WebhookEndpoint
from app.models.base import transaction, utcnow
from app.notify import outbox, webhook_delivery
from app.notify.webhook_standing import WEBHOOK_RETRY_S
from app.webhooks import endpoints
from tests.support import Browser, finished_job, kick

EVENTS = ["job.completed", "job.failed", "export.ready"]


class Receiver(ThreadingHTTPServer):
    """Answers with the statuses a test sets, one after another, and records every request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook?x=1"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers.items()), body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        self.send_header("Location", f"{self.server.url}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | {"WEBHOOKS_TO_LOOPBACK": "true"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def endpoint(app: Flask, owner: User, receiver: Receiver) -> WebhookEndpoint:
    return endpoints.add_endpoint(owner, receiver.url, EVENTS)


def verify(secret: str, headers: dict[str, str], body: bytes) -> Any:
    """Return the event if the signature holds, as a receiver would check it by the text of the standard."""
    sent = {name.lower(): value for name, value in headers.items()}
    if abs(time.time() - int(sent["webhook-timestamp"])) > 300:
        raise ValueError("too old")
    content = b".".join([sent["webhook-id"].encode(), sent["webhook-timestamp"].encode(), body])
    expected = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), content, hashlib.sha256).digest()
    for signature in sent["webhook-signature"].split(" "):
        version, _, encoded = signature.partition(",")
        if version == "v1" and hmac.compare_digest(base64.b64decode(encoded), expected):
            return json.loads(body)
    raise ValueError("no signature matches")


def happen(owner: User, subject: str = "1", event: str = "job.completed", **data: Any) -> None:
    with transaction():
        webhook_delivery.enqueue_event(owner.id, event, subject, {"n": 1} | data)


def make_due() -> None:
    with transaction() as session:
        waiting = update(OutboxMessage).where(OutboxMessage.next_try_at.is_not(None))
        session.execute(waiting.values(next_try_at=utcnow()))


def delivery() -> WebhookDelivery:
    return db.session.scalars(select(WebhookDelivery)).one()


def test_a_finished_job_is_sent_and_its_signature_holds(
    as_owner: Browser, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    job = finished_job(as_owner, "kick.wav", kick())
    assert outbox.deliver_webhooks() == 1
    ((headers, body),) = receiver.got
    assert len(body) < 20_000
    told = verify(endpoint.secret, headers, body)
    assert told["type"] == "job.completed"
    assert (told["data"]["job_id"], told["data"]["sample_id"]) == (job.id, job.id)
    assert (delivery().status, delivery().error, delivery().tries) == (204, None, 1)
    assert "<h1" in as_owner.get(f"/settings/webhooks/{endpoint.id}").text


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "body", "secret"])
def test_a_signature_covers_id_time_and_body(
    owner: User, endpoint: WebhookEndpoint, receiver: Receiver, changed: str
) -> None:
    happen(owner)
    outbox.deliver_webhooks()
    ((headers, body),) = receiver.got
    secret = endpoint.secret
    assert verify(secret, headers, body)["data"] == {"n": 1}
    if changed == "body":
        body = body.replace(b'"n": 1', b'"n": 2')
    elif changed == "secret":
        secret = "whsec_" + base64.b64encode(bytes(32)).decode()
    else:
        name = next(name for name in headers if name.lower() == changed)
        headers[name] = headers[name][:-1] + ("1" if headers[name][-1] != "1" else "2")
    with pytest.raises(ValueError, match="no signature matches"):
        verify(secret, headers, body)


def test_a_failed_job_is_sent_too(as_owner: Browser, endpoint: WebhookEndpoint, receiver: Receiver) -> None:
    broken = bytearray(kick())
    broken[22:24] = b"\0\0"
    job = finished_job(as_owner, "no channels.wav", bytes(broken))
    outbox.deliver_webhooks()
    told = json.loads(receiver.got[0][1])
    assert (told["type"], told["data"]["job_id"], told["data"]["error"]) == ("job.failed", job.id, job.error)


def test_a_finished_data_export_is_sent(owner: User, endpoint: WebhookEndpoint, receiver: Receiver) -> None:
    export_id = data_export.request_export(owner).id
    data_export.make_due_exports()
    outbox.deliver_webhooks()
    told = json.loads(receiver.got[0][1])
    assert (told["type"], told["data"]["export_id"]) == ("export.ready", export_id)


def test_a_receiver_that_was_down_gets_the_event_later_under_the_same_id(
    owner: User, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    receiver.statuses = [500, 302, 503]
    happen(owner)
    for waited_s in WEBHOOK_RETRY_S[:3]:
        assert outbox.deliver_webhooks() == 0
        message = db.session.scalars(select(OutboxMessage)).one()
        assert message.next_try_at is not None
        wait = message.next_try_at - utcnow()
        assert timedelta(seconds=waited_s * 0.9 - 3) < wait <= timedelta(seconds=waited_s * 1.1)
        make_due()
    assert outbox.deliver_webhooks() == 1
    assert len(receiver.got) == 4
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len({body for _, body in receiver.got}) == 1
    assert (delivery().tries, delivery().status) == (4, 204)


def test_the_same_event_is_sent_once(owner: User, endpoint: WebhookEndpoint, receiver: Receiver) -> None:
    for _ in range(2):
        happen(owner)
    outbox.deliver_webhooks()
    assert len(receiver.got) == 1


def test_410_gone_disables_the_endpoint_at_once(
    owner: User, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    receiver.statuses = [410]
    happen(owner, "1")
    happen(owner, "2")
    outbox.deliver_webhooks()
    happen(owner, "3")
    outbox.deliver_webhooks()
    assert len(receiver.got) == 1
    db.session.refresh(endpoint)
    assert endpoint.disabled_because == "It answered 410 Gone."
    endpoints.enable_endpoint(endpoint)
    happen(owner, "4")
    outbox.deliver_webhooks()
    assert len(receiver.got) == 2


def test_the_last_failed_attempt_disables_the_endpoint(
    owner: User, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    receiver.statuses = [500] * 20
    happen(owner)
    for _ in range(20):
        make_due()
        outbox.deliver_webhooks()
    assert len(receiver.got) == 1 + len(WEBHOOK_RETRY_S)
    db.session.refresh(endpoint)
    assert endpoint.disabled_at is not None


def test_a_delivery_is_replayed_under_its_own_id(
    as_owner: Browser, owner: User, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    happen(owner)
    outbox.deliver_webhooks()
    address = f"/settings/webhooks/{endpoint.id}/deliveries/{delivery().id}/replay"
    for _ in range(2):
        assert as_owner.post(address).status_code == 303
    outbox.deliver_webhooks()
    assert [headers["webhook-id"] for headers, _ in receiver.got] == ["msg_1", "msg_1"]
    assert delivery().tries == 2


def test_a_delivery_of_another_endpoint_is_not_replayed(
    as_stranger: Browser, owner: User, stranger: User, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    theirs = endpoints.add_endpoint(stranger, receiver.url, EVENTS)
    happen(owner)
    outbox.deliver_webhooks()
    address = f"/settings/webhooks/{theirs.id}/deliveries/{delivery().id}/replay"
    assert as_stranger.post(address).status_code == 404
    assert (outbox.deliver_webhooks(), len(receiver.got)) == (0, 1)


def test_only_chosen_events_are_sent(app: Flask, owner: User, receiver: Receiver) -> None:
    endpoints.add_endpoint(owner, receiver.url, ["job.failed"])
    happen(owner)
    assert outbox.deliver_webhooks() == 0
    assert receiver.got == []


def test_an_event_is_told_to_nobody_else(
    stranger: User, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    happen(stranger)
    assert outbox.deliver_webhooks() == 0
    assert (receiver.got, db.session.scalars(select(WebhookDelivery)).all()) == ([], [])


def test_mails_do_not_wait_for_webhooks(as_owner: Browser, endpoint: WebhookEndpoint) -> None:
    finished_job(as_owner, "kick.wav", kick())
    assert outbox.deliver_mails() == 1
    assert outbox.has_due_webhooks()


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"url": "", "events": EVENTS}, "Enter the URL of your endpoint."),
        ({"url": "ftp://a.example/", "events": EVENTS}, "The address must start with https://."),
        ({"url": "https://user:secret@a.example/", "events": EVENTS}, "no user name or password"),
        ({"url": "https://a.example/", "events": []}, "Choose at least one event."),
    ],
)
def test_an_invalid_endpoint_says_what_to_change(
    as_owner: Browser, form: dict[str, Any], sentence: str
) -> None:
    answer = as_owner.post("/settings/webhooks", **form)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert db.session.scalar(select(WebhookEndpoint)) is None


def test_an_endpoint_is_added_shown_and_removed(as_owner: Browser) -> None:
    form = {"url": "https://receiver.example/hook", "events": EVENTS}
    added = as_owner.post("/settings/webhooks", **form)
    page = as_owner.get(added.headers["Location"]).text
    assert db.session.scalars(select(WebhookEndpoint)).one().secret in page
    assert as_owner.post(added.headers["Location"] + "/remove").status_code == 303
    assert "No endpoints yet." in as_owner.get("/settings/webhooks").text
