"""Accounts take turns at sending webhooks. An endpoint gets one at a time, and none while it is paused."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.extensions import db
from app.integrations import webhook_client
from app.models import OutboxMessage, User, WebhookDelivery, WebhookEndpoint
from app.models.base import transaction, utcnow
from app.notify import outbox, webhook_delivery, webhook_standing, webhook_turns
from app.notify.webhook_standing import PAUSED_AFTER, WEBHOOK_RETRY_S
from app.webhooks import endpoints
from tests.support import Browser

DONE = "job.completed"
pytestmark = pytest.mark.services


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest) -> Flask:
    """Return the app on one database and then on the other."""
    app: Flask = request.getfixturevalue("app" if request.param == "sqlite" else "postgres_app")
    return app


def member(name: str, slow: int = 1) -> User:
    """Add a user with endpoints, each of which has two messages due."""
    user = User(email=f"{name}@example.com")
    with transaction() as session:
        session.add(user)
    for number in range(slow):
        endpoints.add_endpoint(user, f"https://receiver.example/{name}/{number}", [DONE])
    enqueue(user, "1")
    enqueue(user, "2")
    return user


def enqueue(user: User, subject: str) -> None:
    with transaction():
        webhook_delivery.enqueue_event(user.id, DONE, subject, {})


def claim_all() -> list[str]:
    """Claim whatever may be sent now, and return the path of each receiver in order."""
    found = []
    while (message_id := webhook_turns.claim_next()) is not None:
        found.append(path_of(message_id))
    return found


def path_of(message_id: int) -> str:
    message = db.session.get_one(OutboxMessage, message_id)
    return endpoint_of(message).url.removeprefix("https://receiver.example/")


def endpoint_of(message: OutboxMessage) -> WebhookEndpoint:
    return db.session.get_one(WebhookEndpoint, message.endpoint_id)


def change(user: User, **values: object) -> None:
    with transaction() as session:
        session.execute(update(WebhookEndpoint).where(WebhookEndpoint.user_id == user.id).values(**values))


def test_an_endpoint_gets_one_message_at_a_time_and_an_account_three(either: Flask) -> None:
    member("a", slow=10)
    member("b")
    claimed = claim_all()
    assert len(claimed) == len(set(claimed)) == 4
    assert [path[0] for path in claimed].count("a") == webhook_turns.ACCOUNT_SLOTS
    assert claimed[1] == "b/0"  # after one of a's, b has fewer on their way


def test_a_message_whose_worker_died_is_claimed_again_after_a_minute(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    member("a")
    first = webhook_turns.claim_next()
    assert first is not None
    assert webhook_turns.claim_next() is None
    later = utcnow() + webhook_turns.LEASE + timedelta(seconds=1)
    monkeypatch.setattr(webhook_turns, "utcnow", lambda: later)
    assert webhook_turns.claim_next() is not None


def test_claims_at_the_same_moment_keep_to_the_limits(either: Flask) -> None:
    """Sixteen threads, as in several workers: no more than three for the account, no endpoint twice."""
    member("a", slow=10)
    found: list[int] = []
    start = threading.Barrier(16)

    def claim() -> None:
        start.wait()
        with either.app_context():
            if (message_id := webhook_turns.claim_next()) is not None:
                found.append(message_id)

    threads = [threading.Thread(target=claim) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    paths = [path_of(message_id) for message_id in found]
    assert len(paths) == len(set(paths)) == webhook_turns.ACCOUNT_SLOTS


def test_of_an_accounts_failing_endpoints_one_is_tried_at_a_time(app: Flask) -> None:
    user = member("a", slow=5)
    change(user, failures=1)
    assert len(claim_all()) == 1


def test_failing_endpoints_of_many_accounts_leave_slots_to_the_others(either: Flask) -> None:
    for number in range(webhook_turns.FAILING_SLOTS + 3):
        change(member(f"f{number}"), failures=1)
    member("good")
    claimed = claim_all()
    assert len(claimed) == webhook_turns.FAILING_SLOTS + 1
    assert "good/0" in claimed


def test_an_account_that_has_used_up_its_time_sends_one_at_a_time(either: Flask) -> None:
    user, hour = member("a", slow=4), webhook_standing.hour_number(utcnow())
    spent = webhook_turns.ACCOUNT_BUDGET_S / 4
    change(user, spent_s=spent, spent_hour=hour)
    assert len(claim_all()) == 1
    change(user, sending_until=None, spent_hour=hour - 1)  # an hour later
    assert len(claim_all()) == webhook_turns.ACCOUNT_SLOTS


def test_what_the_previous_version_enqueued_is_sent_too(either: Flask) -> None:
    user = member("a", slow=2)
    with transaction() as session:
        session.execute(update(OutboxMessage).values(endpoint_id=None))
        gone = OutboxMessage(key="gone", user_id=user.id, kind="webhook", payload={"delivery_id": "gone"})
        session.add(gone)
    assert sorted(claim_all()) == ["a/0", "a/1"]
    db.session.refresh(gone)
    assert gone.sent_at is not None


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Answer every webhook by its path, with 204 where nothing else is set."""
    by_path: dict[str, int] = {}

    def post(url: str, *_: object) -> int:
        return by_path.get(url.removeprefix("https://receiver.example/"), 204)

    monkeypatch.setattr(webhook_client, "post_webhook", post)
    return by_path


def waiting_s(user: User) -> list[float]:
    """Return in how many seconds each of a user's unsent messages is tried, rounded to minutes."""
    db.session.rollback()
    unsent = select(OutboxMessage.next_try_at).where(
        OutboxMessage.user_id == user.id, OutboxMessage.sent_at.is_(None)
    )
    times = [found for found in db.session.scalars(unsent) if found is not None]
    return sorted(round((found - utcnow()).total_seconds() / 60) * 60 for found in times)


def fail_until_paused(user: User, answers: dict[str, int], path: str) -> WebhookEndpoint:
    answers[path] = 500
    for number in range(3, PAUSED_AFTER + 3):
        enqueue(user, str(number))
    outbox.deliver_webhooks()
    return db.session.scalars(select(WebhookEndpoint).where(WebhookEndpoint.user_id == user.id)).one()


def test_an_endpoint_that_keeps_failing_is_paused_with_all_its_messages(
    either: Flask, answers: dict[str, int]
) -> None:
    user = member("a")
    endpoint = fail_until_paused(user, answers, "a/0")
    assert endpoint.is_paused
    assert endpoint.failures == PAUSED_AFTER
    assert waiting_s(user) == [WEBHOOK_RETRY_S[1]] * 5
    enqueue(user, "new")
    assert waiting_s(user) == [WEBHOOK_RETRY_S[1]] * 6
    assert webhook_turns.claim_next() is None


def pause_ends(user: User) -> None:
    with transaction() as session:
        mine = update(OutboxMessage).where(OutboxMessage.user_id == user.id, OutboxMessage.sent_at.is_(None))
        session.execute(mine.values(next_try_at=utcnow()))
        ended = update(WebhookEndpoint).where(WebhookEndpoint.user_id == user.id)
        session.execute(ended.values(paused_until=utcnow()))


def test_after_a_pause_one_message_is_tried_and_a_failure_pauses_for_longer(
    app: Flask, answers: dict[str, int]
) -> None:
    user = member("a")
    endpoint = fail_until_paused(user, answers, "a/0")
    for step in (2, 3, 4):
        pause_ends(user)
        assert outbox.deliver_webhooks() == 0
        db.session.refresh(endpoint)
        assert endpoint.failures == PAUSED_AFTER + step - 1
        assert waiting_s(user) == [WEBHOOK_RETRY_S[step]] * 5


def test_an_endpoint_that_answers_again_gets_all_that_waits(either: Flask, answers: dict[str, int]) -> None:
    user = member("a")
    endpoint = fail_until_paused(user, answers, "a/0")
    del answers["a/0"]
    endpoints.replay_delivery(db.session.scalars(select(WebhookDelivery).limit(1)).one())
    assert outbox.deliver_webhooks() == 6  # the one that was asked for does not wait, and the others follow
    db.session.refresh(endpoint)
    assert (endpoint.failures, endpoint.failing_since, endpoint.paused_until) == (0, None, None)


def test_an_endpoint_that_has_failed_for_three_days_is_disabled(app: Flask, answers: dict[str, int]) -> None:
    user = member("a")
    endpoint = fail_until_paused(user, answers, "a/0")
    pause_ends(user)
    change(user, failing_since=utcnow() - webhook_standing.FAILING_FOR - timedelta(minutes=1))
    outbox.deliver_webhooks()
    db.session.refresh(endpoint)
    assert endpoint.disabled_because == "A message could not be delivered for three days."


def test_a_pause_is_shown_in_words(as_owner: Browser, owner: User, answers: dict[str, int]) -> None:
    endpoint = endpoints.add_endpoint(owner, "https://receiver.example/mine", [DONE])
    answers["mine"] = 500
    enqueue(owner, "1")
    outbox.deliver_webhooks()
    address = f"/settings/webhooks/{endpoint.id}"
    assert "The last attempt failed." in as_owner.get(address).text
    for number in range(2, PAUSED_AFTER + 1):
        enqueue(owner, str(number))
    outbox.deliver_webhooks()
    page = " ".join(as_owner.get(address).text.split())
    assert "because it has failed 3 times in a row since" in page
    assert "No message is lost." in page
    assert "because it keeps failing." in as_owner.get("/settings/webhooks").text


def test_one_accounts_mails_leave_room_for_anothers(app: Flask, owner: User, freeloader: User) -> None:
    with transaction():
        for number in range(3):
            outbox.enqueue(f"o{number}", owner.id, "password-changed", {})
        outbox.enqueue("f", freeloader.id, "batch-done", {"batch_id": "none"})
        outbox.enqueue("nobody", None, "register", {"to": "new@example.com"})
    busy: set[str] = set()
    found = []
    while (claimed := outbox.claim_mail(busy)) is not None:
        found.append(claimed.user_id)
        busy |= {claimed.user_id} if claimed.user_id else set()
    assert found == [owner.id, None, freeloader.id]
