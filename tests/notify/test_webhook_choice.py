"""Which webhook is sent next: by account, by endpoint and by time, and how many at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

import pytest
from flask import Flask

from app.auth import accounts
from app.extensions import db
from app.models import OutboxMessage, User, WebhookDelivery, WebhookEndpoint
from app.models.base import transaction, utcnow
from app.notify import webhook_turns
from app.notify.webhook_standing import hour_number
from tests.postgres_statements import sent_to_postgres
from tests.support import PASSWORD

MINUTE = timedelta(minutes=1)
numbers = count()


def add_endpoint(user: User, *ago_s: float, **values: object) -> WebhookEndpoint:
    """Add an endpoint with messages that have been due for so many seconds."""
    made = WebhookEndpoint(user_id=user.id, url="https://a.example/", secret="whsec_", events=[], **values)
    with transaction() as session:
        session.add(made)
    for each in ago_s:
        add_message(user, made, utcnow() - timedelta(seconds=each))
    return made


def add_message(user: User, endpoint: WebhookEndpoint | None, due: datetime | None, **values: object) -> int:
    row = {"kind": "webhook", "payload": {}, "key": f"hook:{next(numbers)}"} | values
    with transaction() as session:
        message = OutboxMessage(user_id=user.id, endpoint_id=endpoint and endpoint.id, **row)
        session.add(message)
        session.flush()
        message.next_try_at = due
    return message.id


def claimed() -> list[str]:
    """Claim whatever may be sent now, and return the endpoint of each message in order."""
    found: list[str] = []
    while len(found) < 20 and (message_id := webhook_turns.claim_next()) is not None:
        found.append(str(db.session.get_one(OutboxMessage, message_id).endpoint_id))
    return found


def test_a_webhook_is_due_when_it_was_not_sent_and_its_time_has_come(app: Flask, owner: User) -> None:
    endpoint = add_endpoint(owner)
    add_message(owner, endpoint, utcnow() + MINUTE)
    add_message(owner, endpoint, None)
    add_message(owner, None, utcnow() - MINUTE, kind="verify_email")
    assert not webhook_turns.has_due()
    assert webhook_turns.claim_next() is None
    first = add_message(owner, endpoint, utcnow() - MINUTE)
    assert webhook_turns.has_due()
    before = utcnow()
    with sent_to_postgres() as sent:
        assert webhook_turns.claim_next() == first
    locks = [sql for sql in sent if " FOR " in sql]
    assert [sql.rpartition(" FOR ")[2] for sql in locks] == [
        "NO KEY UPDATE",
        "NO KEY UPDATE OF webhook_endpoints SKIP LOCKED",
        "UPDATE SKIP LOCKED",
    ]
    message = db.session.get_one(OutboxMessage, first)
    db.session.refresh(endpoint)
    assert message.attempts == 1
    assert message.next_try_at is not None
    assert before + MINUTE <= message.next_try_at <= utcnow() + MINUTE
    assert endpoint.sending_until == message.next_try_at
    assert not webhook_turns.has_due()


def test_an_endpoint_gets_its_oldest_message_and_one_at_a_time(owner: User) -> None:
    endpoint, now = add_endpoint(owner), utcnow()
    messages = {ago_s: add_message(owner, endpoint, now - timedelta(seconds=ago_s)) for ago_s in (5, 9, 1)}
    for ago_s in (9, 5, 1):
        assert webhook_turns.claim_next() == messages[ago_s]
        assert webhook_turns.claim_next() is None, "it is being sent one"
        with transaction():
            endpoint.sending_until = utcnow() - timedelta(seconds=1)
            db.session.get_one(OutboxMessage, messages[ago_s]).next_try_at = None


def test_an_account_is_sent_three_at_once(owner: User, stranger: User) -> None:
    """The account with the fewest messages on their way goes first, and then who has waited longest."""
    mine = [add_endpoint(owner, ago_s).id for ago_s in (9, 8, 7, 6)]
    theirs = add_endpoint(stranger, 1).id
    assert claimed() == [mine[0], theirs, mine[1], mine[2]]


@pytest.mark.parametrize(
    ("spent", "hours_ago", "at_once"),
    [((299.9,), 0, 3), ((300.0,), 0, 1), ((150.0, 150.0), 0, 1), ((1000.0,), 1, 3)],
)
def test_an_account_that_has_used_five_minutes_of_the_hour_is_sent_one_at_a_time(
    owner: User, stranger: User, spent: tuple[float, ...], hours_ago: int, at_once: int
) -> None:
    add_endpoint(stranger, spent_s=999.0, spent_hour=hour_number(utcnow()))
    for _ in range(4):
        add_endpoint(owner, 5)
    for spent_s in spent:
        hour = hour_number(utcnow()) - hours_ago
        add_endpoint(owner, spent_s=spent_s, spent_hour=hour)
    assert len(claimed()) == at_once


def test_of_an_accounts_failing_endpoints_one_is_tried_at_a_time(owner: User) -> None:
    failing = [add_endpoint(owner, ago_s, failures=failures).id for ago_s, failures in ((9, 1), (8, 2))]
    sound = [add_endpoint(owner, ago_s).id for ago_s in (10, 6)]
    assert claimed() == [sound[0], failing[0], sound[1]]


def test_failing_endpoints_of_all_accounts_are_tried_eight_at_once(app: Flask, owner: User) -> None:
    for number in range(9):
        user = accounts.register_user(f"{number}@example.com", PASSWORD, "UTC")
        add_endpoint(user, 9 - number, failures=1)
    sound = add_endpoint(owner, 0)
    found = claimed()
    assert len(found) == 9
    assert sound.id in found


def test_messages_of_the_previous_version_are_given_their_endpoint(owner: User) -> None:
    endpoint = add_endpoint(owner)
    with transaction() as session:
        delivery = WebhookDelivery(endpoint=endpoint, message_id="msg_1", event="job.completed", body="{}")
        session.add(delivery)
    known = add_message(owner, None, utcnow() - MINUTE, payload={"delivery_id": delivery.id})
    gone = add_message(owner, None, utcnow() - MINUTE, payload={"delivery_id": "gone"})
    mail = add_message(owner, None, utcnow() - MINUTE, kind="verify_email")
    assert webhook_turns.claim_next() == known
    db.session.expire_all()
    rows = {each: db.session.get_one(OutboxMessage, each) for each in (known, gone, mail)}
    assert rows[known].endpoint_id == endpoint.id
    assert (rows[gone].next_try_at, rows[gone].sent_at is not None) == (None, True)
    assert (rows[mail].next_try_at is not None, rows[mail].sent_at) == (True, None)
