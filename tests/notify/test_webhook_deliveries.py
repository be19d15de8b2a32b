"""Whose endpoints an event goes to, what is noted of each attempt, and how long the log is kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.integrations import webhook_client
from app.integrations.webhook_client import NotDeliveredError
from app.models import OutboxMessage, User, WebhookDelivery, WebhookEndpoint
from app.models.base import transaction, utcnow
from app.notify import webhook_delivery, webhook_standing
from app.notify.webhook_delivery import WebhookRejectedError

COMPLETED = "job.completed"
LATER = timedelta(hours=1)


def add_endpoint(user: User, name: str, **values: Any) -> WebhookEndpoint:
    made = WebhookEndpoint(id=name, user_id=user.id, url=f"https://{name}.example/", secret="whsec_AAAA")
    for field, value in ({"events": [COMPLETED]} | values).items():
        setattr(made, field, value)
    with transaction() as session:
        session.add(made)
    return made


def happen(user: User, subject: str = "1", **data: Any) -> None:
    with transaction():
        webhook_delivery.enqueue_event(user.id, COMPLETED, subject, data)


def messages() -> list[OutboxMessage]:
    db.session.expire_all()
    return list(db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


def one_delivery() -> WebhookDelivery:
    db.session.expire_all()
    return db.session.scalars(select(WebhookDelivery)).one()


class Answers:
    """Answer each request with the next status, or fail with the next error; and note what was sent."""

    def __init__(self) -> None:
        self.next: list[int | Exception] = []
        self.sent: list[tuple[str, bytes, dict[str, str], bool]] = []

    def post(self, url: str, body: bytes, headers: dict[str, str], loopback: bool) -> int:
        assert not db.session().in_transaction()
        self.sent.append((url, body, headers, loopback))
        answer = self.next.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    made = Answers()
    monkeypatch.setattr(webhook_client, "post_webhook", made.post)
    return made


def test_an_event_goes_to_each_live_endpoint_of_its_owner_that_wants_it(owner: User, stranger: User) -> None:
    add_endpoint(owner, "first")
    add_endpoint(owner, "other", events=["job.failed"])
    add_endpoint(owner, "disabled", disabled_at=utcnow())
    add_endpoint(owner, "second", events=["job.failed", COMPLETED])
    add_endpoint(stranger, "foreign")
    for _ in range(2):
        happen(owner, at=datetime(2026, 11, 30, 12, tzinfo=UTC))
    found = messages()
    assert {each.endpoint_id for each in found} == {"first", "second"}
    assert [(each.user_id, each.kind) for each in found] == [(owner.id, "webhook")] * 2
    deliveries = db.session.scalars(select(WebhookDelivery)).all()
    assert {each.message_id for each in deliveries} == {"msg_1"}
    body = json.loads(deliveries[0].body)
    assert (body["type"], body["data"]) == (COMPLETED, {"at": "2026-11-30T12:00:00+00:00"})
    assert abs(datetime.fromisoformat(body["timestamp"]) - utcnow()) < timedelta(minutes=1)
    happen(owner, "2")
    assert len(messages()) == 4
    with pytest.raises(TypeError, match="object"):
        happen(owner, "3", thing=object())


def test_a_message_waits_while_its_endpoint_is_paused_but_not_a_replay(owner: User) -> None:
    until = utcnow() + LATER
    add_endpoint(owner, "paused", paused_until=until)
    happen(owner)
    with transaction():
        for _ in range(2):
            webhook_delivery.enqueue_delivery(one_delivery(), ":again")
            webhook_delivery.enqueue_delivery(one_delivery())
    first, again = messages()
    assert first.next_try_at == until
    assert again.next_try_at is not None
    assert again.next_try_at <= utcnow()
    assert webhook_delivery.paused_until(first) == until
    add_endpoint(owner, "ready", paused_until=utcnow() - LATER)
    happen(owner, "2")
    due = {each.endpoint_id: each.next_try_at for each in messages()[2:]}
    assert due["paused"] == until
    assert due["ready"] is not None
    assert due["ready"] <= utcnow()
    first.endpoint_id = None  # as the previous version leaves it
    assert webhook_delivery.paused_until(first) is None
    db.session.rollback()


@pytest.mark.parametrize(
    ("status", "is_delivered", "is_tried_again", "is_disabled"),
    [
        (199, False, True, False),
        (200, True, False, False),
        (299, True, False, False),
        (300, False, True, False),
        (409, False, True, False),
        (410, False, False, True),
        (411, False, True, False),
        (500, False, True, False),
    ],
)
def test_an_answer_of_200_to_299_is_a_delivery_and_410_the_end(
    owner: User, answers: Answers, status: int, is_delivered: bool, is_tried_again: bool, is_disabled: bool
) -> None:
    endpoint = add_endpoint(owner, "a", sending_until=utcnow() + LATER)
    happen(owner)
    answers.next = [status]
    if is_tried_again:
        with pytest.raises(WebhookRejectedError, match=str(status)):
            webhook_delivery.deliver_message(messages()[0])
    else:
        webhook_delivery.deliver_message(messages()[0])
    found = one_delivery()
    assert (found.tries, found.status, found.tried_at is not None) == (1, status, True)
    assert (found.delivered_at is not None) is is_delivered
    assert found.error == (None if is_delivered else f"It answered {status}.")
    db.session.refresh(endpoint)
    assert (endpoint.failures, endpoint.sending_until) == (0 if is_delivered else 1, None)
    assert (endpoint.disabled_because == "It answered 410 Gone.") is is_disabled
    assert (endpoint.disabled_at is not None) is is_disabled
    assert [each[0] for each in answers.sent] == ["https://a.example/"]
    assert answers.sent[0][1] == found.body.encode()
    assert answers.sent[0][3] is False
    assert answers.sent[0][2]["webhook-id"] == "msg_1"
    assert answers.sent[0][2]["Content-Type"] == "application/json"


def test_the_time_of_an_attempt_counts_for_its_endpoint_also_without_an_answer(
    owner: User, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 103.5, 200.0, 202.0])
    monkeypatch.setattr(webhook_delivery, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(webhook_standing, "hour_number", lambda _: 7)
    endpoint = add_endpoint(owner, "a")
    happen(owner)
    answers.next = [NotDeliveredError("It did not answer within 15 s."), 204]
    with pytest.raises(NotDeliveredError):
        webhook_delivery.deliver_message(messages()[0])
    found = one_delivery()
    assert (found.tries, found.status, found.error) == (1, None, "It did not answer within 15 s.")
    assert found.delivered_at is None
    db.session.refresh(endpoint)
    assert (endpoint.failures, endpoint.spent_s) == (1, 3.5)
    webhook_delivery.deliver_message(messages()[0])
    found = one_delivery()
    assert (found.tries, found.status, found.error, found.delivered_at is not None) == (2, 204, None, True)
    db.session.refresh(endpoint)
    assert (endpoint.failures, endpoint.spent_s) == (0, 5.5)


@pytest.mark.parametrize("gone", ["disabled", "no delivery"])
def test_what_can_not_be_sent_any_more_lets_the_next_message_go(
    owner: User, answers: Answers, gone: str
) -> None:
    endpoint = add_endpoint(owner, "a", sending_until=utcnow() + LATER)
    other = add_endpoint(owner, "b", sending_until=utcnow() + LATER)
    with transaction():
        webhook_delivery._add_delivery(endpoint, COMPLETED, "msg_1", "{}")
    with transaction() as session:
        if gone == "disabled":
            session.get_one(WebhookEndpoint, "a").disabled_at = utcnow()
        else:
            session.delete(one_delivery())
    webhook_delivery.deliver_message(messages()[0])
    assert answers.sent == []
    for each in (endpoint, other):
        db.session.refresh(each)
    assert (endpoint.sending_until is None, other.sending_until is None) == (True, False)
    webhook_delivery.disable_after_failures(messages()[0])
    db.session.refresh(endpoint)
    assert (endpoint.disabled_at is not None) is (gone == "disabled")


def test_a_delivery_that_is_removed_while_it_is_sent_is_not_missed(
    owner: User, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_endpoint(owner, "a")
    happen(owner)

    def remove_first(*_: object) -> int:
        with transaction() as session:
            session.delete(one_delivery())
        return 204

    monkeypatch.setattr(webhook_client, "post_webhook", remove_first)
    webhook_delivery.deliver_message(messages()[0])
    assert db.session.scalar(select(WebhookDelivery)) is None


def test_an_endpoint_that_never_answers_is_disabled(owner: User) -> None:
    endpoint = add_endpoint(owner, "a")
    happen(owner)
    webhook_delivery.disable_after_failures(messages()[0])
    db.session.refresh(endpoint)
    assert endpoint.disabled_because == webhook_standing.UNDELIVERED
    assert endpoint.disabled_at is not None


def test_the_log_is_kept_for_thirty_days(app: Flask, owner: User) -> None:
    endpoint = add_endpoint(owner, "a")
    ages = {"kept": timedelta(days=29, hours=23), "old": timedelta(days=30, seconds=1)}
    with transaction() as session:
        for name, age in ages.items():
            line = WebhookDelivery(endpoint=endpoint, message_id=name, event=COMPLETED, body="{}")
            line.created_at = utcnow() - age
            session.add(line)
    webhook_delivery.purge_old_deliveries()
    assert one_delivery().message_id == "kept"
