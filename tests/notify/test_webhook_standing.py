"""When an endpoint that fails is paused, for how long, and what happens to the messages that wait for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from app.extensions import db
from app.models import OutboxMessage, User, WebhookEndpoint
from app.models.base import transaction, utcnow
from app.notify import webhook_standing

NOW = datetime(2026, 11, 30, 12, 30, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
ALL_TRIES = timedelta(seconds=5, minutes=35, hours=2 + 5 + 10 + 14 + 20 + 24)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_standing, "utcnow", lambda: NOW)


@pytest.fixture
def endpoint(app: Flask, owner: User) -> WebhookEndpoint:
    return add_endpoint(owner)


def add_endpoint(user: User) -> WebhookEndpoint:
    made = WebhookEndpoint(user_id=user.id, url="https://a.example/", secret="whsec_", events=[])
    with transaction() as session:
        session.add(made)
    return made


def waiting(endpoint: WebhookEndpoint, due: datetime | None) -> int:
    with transaction() as session:
        message = OutboxMessage(
            key=f"{endpoint.id}:{due}", user_id=endpoint.user_id, kind="webhook", endpoint_id=endpoint.id,
            payload={},
        )  # fmt: skip
        session.add(message)
        session.flush()
        message.next_try_at = due
    return message.id


def due_at(message_id: int) -> datetime | None:
    db.session.expire_all()
    return db.session.get_one(OutboxMessage, message_id).next_try_at


def record(endpoint: WebhookEndpoint, is_delivered: bool, message_id: int = 0, took_s: float = 1.0) -> None:
    with transaction():
        webhook_standing.record_outcome(endpoint, message_id, took_s, is_delivered)


def test_the_third_failure_in_a_row_pauses_and_each_further_one_for_longer(endpoint: WebhookEndpoint) -> None:
    pauses = []
    for failures in range(1, 13):
        record(endpoint, False)
        assert (endpoint.failures, endpoint.failing_since) == (failures, NOW)
        pauses.append(endpoint.paused_until and endpoint.paused_until - NOW)
    longer = [5 * MINUTE, 30 * MINUTE, *(hours * HOUR for hours in (2, 5, 10, 14, 20, 24, 24, 24))]
    assert pauses == [None, None, *longer]
    assert endpoint.disabled_at is None
    record(endpoint, True)
    assert (endpoint.failures, endpoint.failing_since, endpoint.paused_until) == (0, None, None)
    record(endpoint, False)
    assert (endpoint.failures, endpoint.paused_until) == (1, None)


@pytest.mark.parametrize(("past", "is_disabled"), [(-SECOND, False), (timedelta(0), False), (SECOND, True)])
def test_an_endpoint_that_fails_for_as_long_as_all_tries_take_is_disabled(
    endpoint: WebhookEndpoint, past: timedelta, is_disabled: bool
) -> None:
    with transaction():
        endpoint.failures, endpoint.failing_since = 5, NOW - ALL_TRIES - past
    record(endpoint, False)
    assert (endpoint.disabled_at is not None, endpoint.paused_until is None) == (is_disabled, is_disabled)
    assert endpoint.disabled_because == (webhook_standing.UNDELIVERED if is_disabled else None)
    with transaction():
        webhook_standing.disable_endpoint(endpoint, "another reason")
    assert endpoint.disabled_because == (webhook_standing.UNDELIVERED if is_disabled else "another reason")


def test_two_failures_never_disable_however_long_ago_the_first_was(endpoint: WebhookEndpoint) -> None:
    with transaction():
        endpoint.failures, endpoint.failing_since = 1, NOW - timedelta(days=30)
    record(endpoint, False)
    assert endpoint.disabled_at is None


def test_what_waits_for_a_paused_endpoint_waits_with_it(endpoint: WebhookEndpoint, owner: User) -> None:
    tried, soon, at_end, later = (
        waiting(endpoint, NOW + wait) for wait in (MINUTE, MINUTE / 2, 5 * MINUTE, 6 * MINUTE)
    )
    sent, foreign = waiting(endpoint, None), waiting(add_endpoint(owner), NOW)
    with transaction():
        endpoint.failures = 2
    record(endpoint, False, tried)
    end = NOW + 5 * MINUTE
    expected = [NOW + MINUTE, end, end, NOW + 6 * MINUTE, None, NOW]
    assert [due_at(each) for each in (tried, soon, at_end, later, sent, foreign)] == expected
    record(endpoint, True, tried)
    expected[1] = expected[2] = NOW
    assert [due_at(each) for each in (tried, soon, at_end, later, sent, foreign)] == expected


def test_forgetting_failures_makes_every_message_due(endpoint: WebhookEndpoint) -> None:
    first = waiting(endpoint, NOW + MINUTE)
    with transaction():
        webhook_standing.reset_standing(endpoint)
    assert due_at(first) == NOW + MINUTE, "it was not paused"
    with transaction():
        endpoint.failures, endpoint.paused_until = 3, NOW + MINUTE
        webhook_standing.reset_standing(endpoint)
    assert (due_at(first), endpoint.failures) == (NOW, 0)


def test_the_time_that_sending_takes_is_added_up_for_an_hour(
    endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction():
        endpoint.sending_until = utcnow()
    for took_s, spent_s in ((2.5, 2.5), (1.5, 4.0)):
        record(endpoint, True, took_s=took_s)
        assert endpoint.spent_s == spent_s
        assert endpoint.sending_until is None
    monkeypatch.setattr(webhook_standing, "utcnow", lambda: NOW + HOUR)
    record(endpoint, False, took_s=3.0)
    assert endpoint.spent_s == 3.0
    times = (datetime.fromtimestamp(seconds, UTC) for seconds in (0, 3599, 3600, 7199, 7200))
    assert [webhook_standing.hour_number(at) for at in times] == [0, 0, 1, 1, 2]
