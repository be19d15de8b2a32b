"""Which message of the outbox is next, how long each kind waits after a failure, and when it is given up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.extensions import db
from app.integrations import mailer
from app.integrations.payments import meters
from app.models import OutboxMessage, User, WebhookDelivery, WebhookEndpoint
from app.models.base import transaction, utcnow
from app.models.outbox_message import ADDRESS_REMOVED
from app.notify import account_mail, outbox, outbox_retention, webhook_delivery

MINUTE = timedelta(minutes=1)
HOUR_S = 3600
MAIL_WAITS_S = (30, 120, 600, HOUR_S, 6 * HOUR_S, 24 * HOUR_S)
HOOK_WAITS_S = (5, 300, 1800, *(hours * HOUR_S for hours in (2, 5, 10, 14, 20, 24)))
numbers = count()


def add(kind: str = "a mail", user: User | None = None, ago: timedelta = MINUTE, **values: Any) -> int:
    row: dict[str, Any] = {"key": f"test:{next(numbers)}", "payload": {}} | values
    due = row.pop("next_try_at", utcnow() - ago)
    with transaction() as session:
        message = OutboxMessage(kind=kind, user_id=user and user.id, **row)
        session.add(message)
        session.flush()
        message.next_try_at = due
    return message.id


def message(message_id: int) -> OutboxMessage:
    db.session.expire_all()
    return db.session.get_one(OutboxMessage, message_id)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("dj@example.com is away")

    monkeypatch.setattr(outbox, "_send", fail)


@pytest.fixture
def endpoint(app: Flask, owner: User) -> WebhookEndpoint:
    made = WebhookEndpoint(user_id=owner.id, url="https://a.example/", secret="whsec_", events=[])
    with transaction() as session:
        session.add(made)
        session.flush()
        delivery = WebhookDelivery(id="d", endpoint=made, message_id="m", event="job.completed", body="{}")
        session.add(delivery)
    return made


@pytest.mark.parametrize(
    ("kind", "waits_s", "is_given_up", "spread"),
    [
        ("a mail", MAIL_WAITS_S, True, 0.0),
        ("meter", (30, 120, 600, 1800, 1800, 1800), False, 0.0),
        ("webhook", HOOK_WAITS_S, True, 0.1),
    ],
)
def test_each_kind_of_message_waits_longer_after_each_failure(
    endpoint: WebhookEndpoint,
    broken: None,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    waits_s: tuple[int, ...],
    is_given_up: bool,
    spread: float,
) -> None:
    drawn = iter_bounds(monkeypatch)
    hook: dict[str, Any] = (
        {"payload": {"delivery_id": "d"}, "endpoint_id": endpoint.id} if kind == "webhook" else {}
    )
    message_id = add(kind, **hook)
    for attempts, wait_s in enumerate(waits_s, 1):
        with transaction():
            message(message_id).attempts = attempts
        before = utcnow()
        assert outbox.deliver(message_id) is False
        due = message(message_id).next_try_at
        assert due is not None
        least = timedelta(seconds=wait_s * (1 - spread))
        assert before + least <= due <= utcnow() + least
        assert message(message_id).last_error == "RuntimeError: <address> is away"
    assert set(drawn) == ({(0.9, 1.1)} if spread else set())
    with transaction():
        message(message_id).attempts = len(waits_s) + 1
    outbox.deliver(message_id)
    assert (message(message_id).next_try_at is None) is is_given_up
    db.session.refresh(endpoint)
    assert (endpoint.disabled_at is not None) is (kind == "webhook")


def iter_bounds(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float]]:
    """Draw the lowest number each time, and note between which bounds it was drawn."""
    drawn: list[tuple[float, float]] = []

    class Lowest:
        def uniform(self, low: float, high: float) -> float:
            drawn.append((low, high))
            return low

    monkeypatch.setattr(outbox, "SystemRandom", Lowest)
    return drawn


def test_a_webhook_waits_at_least_as_long_as_its_endpoint_is_paused(
    endpoint: WebhookEndpoint, broken: None
) -> None:
    hook: dict[str, Any] = {"payload": {"delivery_id": "d"}, "endpoint_id": endpoint.id, "attempts": 1}
    for paused, is_later in ((utcnow() + timedelta(hours=1), True), (utcnow() - MINUTE, False)):
        message_id = add("webhook", **hook)
        with transaction():
            endpoint.paused_until = paused
        outbox.deliver(message_id)
        assert (message(message_id).next_try_at == paused) is is_later


def test_a_key_is_enqueued_once(app: Flask) -> None:
    with transaction():
        for _ in range(2):
            outbox.enqueue("one key", None, "a mail", {"n": 1})
    assert db.session.scalar(select(func.count()).select_from(OutboxMessage)) == 1


def test_mail_about_batches_comes_last_and_the_longest_due_first(owner: User, stranger: User) -> None:
    batch = add("batch-done", owner, timedelta(hours=2))
    late, early = add(user=owner), add(user=stranger, ago=timedelta(hours=1))
    nobody = add(ago=MINUTE / 2)
    add("webhook")
    add("meter")
    add(ago=-MINUTE)
    add(sent_at=utcnow())
    first = outbox.claim_mail(busy_accounts=[stranger.id])
    assert first == outbox.ClaimedMessage(late, owner.id)
    claimed = message(late)
    assert claimed.attempts == 1
    assert claimed.next_try_at is not None
    assert MINUTE < claimed.next_try_at - utcnow() <= 2 * MINUTE
    order = [found.message_id for found in iter(outbox.claim_mail, None)]
    assert order == [early, nobody, batch]


def test_usage_is_reported_until_stripe_fails(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    reports: Iterator[bool] = iter([True, True, False])
    sent = []

    def report(_: object, customer_id: str, identifier: str, at: int) -> None:
        assert not db.session().in_transaction()
        sent.append((customer_id, identifier, at))
        if not next(reports):
            raise RuntimeError("away")

    monkeypatch.setattr(meters, "report_upload", report)
    for number in range(4):
        add("meter", payload={"customer_id": "cus_1", "identifier": f"job-{number}", "at": number})
    assert outbox.deliver_usage() == 2
    assert sent == [("cus_1", f"job-{number}", number) for number in range(3)]


def test_every_due_webhook_is_sent_and_those_that_arrived_are_counted(
    endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([True, False, True])

    def send(_: OutboxMessage) -> None:
        with transaction():
            endpoint.sending_until = None
        if not next(answers):
            raise RuntimeError("away")

    monkeypatch.setattr(webhook_delivery, "deliver_message", send)
    add()
    assert not outbox.has_due_webhooks()
    for _ in range(3):
        add("webhook", payload={"delivery_id": "d"}, endpoint_id=endpoint.id)
    assert outbox.has_due_webhooks()
    assert outbox.deliver_webhooks() == 2
    assert not outbox.has_due_webhooks()
    assert outbox.deliver_webhooks() == 0


class Letter:
    def __init__(self, to: str) -> None:
        self.to = to


def test_a_mail_is_sent_once_and_never_to_a_closed_account(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = {1: Letter("a@example.com"), 2: Letter("b@closed.invalid"), 3: None}
    posted: list[str] = []

    def post(letter: Letter, _: object) -> None:
        assert not db.session().in_transaction()
        posted.append(letter.to)

    monkeypatch.setattr(account_mail, "compose", lambda found: letters[found.payload["n"]])
    monkeypatch.setattr(outbox_retention, "CLOSED_DOMAIN", "closed.invalid")
    monkeypatch.setattr(mailer, "send_mail", post)
    ids = [add(payload={"n": number}, last_error="earlier") for number in letters]
    ids.append(add(payload=ADDRESS_REMOVED))
    assert [outbox.deliver_mails(), outbox.deliver_mails()] == [4, 0]
    assert posted == ["a@example.com"]
    for each in ids:
        row = message(each)
        assert (row.sent_at is not None, row.next_try_at, row.last_error) == (True, None, None)
    assert outbox.deliver(10**6) is False


def test_failed_messages_are_listed_newest_first_and_sent_again_on_request(app: Flask) -> None:
    failed = [add(last_error="away", attempts=6, next_try_at=None) for _ in range(2)]
    add()
    sent = add(last_error="away", sent_at=utcnow())
    spent = add(last_error="away", payload=ADDRESS_REMOVED)
    assert [row.id for row in outbox.list_failed()] == [spent, *reversed(failed)]
    assert [row.id for row in outbox.list_failed(1)] == [spent]
    assert [outbox.resend(each) for each in (failed[0], sent, spent, 10**6)] == [True, False, False, False]
    row = message(failed[0])
    assert row.attempts == 0
    assert row.next_try_at is not None
    assert utcnow() - MINUTE < row.next_try_at <= utcnow()
