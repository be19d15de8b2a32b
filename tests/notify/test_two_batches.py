"""What is sent about one batch, account or endpoint neither tells of others nor waits for them."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Batch, DataExport, Job, MailLink, OutboxMessage, User, WebhookDelivery, WebhookEndpoint
from app.models.base import new_id, transaction, utcnow
from app.models.job import FAILED, PENDING
from app.models.user_session import RESET, STOP, VERIFY
from app.notify import (
    batch_completion,
    batch_mail,
    mail_links,
    message_kinds,
    outbox,
    outbox_retention,
    webhook_delivery,
)

MONTH, WEEK = timedelta(days=30), timedelta(days=7)
MINUTE = timedelta(minutes=1)
numbers = count()


def add_batch(user: User, *jobs: tuple[str, str], expected: int = 0) -> str:
    """Add a batch with jobs, each of a name and a state, and return its id."""
    batch = Batch(id=str(uuid4()), user_id=user.id, expected=expected or len(jobs))
    with transaction() as session:
        session.add(batch)
        session.flush()
        for name, state in jobs:
            job = Job(id=new_id(), user_id=user.id, filename=name, format="WAV", state=state)
            job.batch_id, job.tier, job.priority = batch.id, "free", 1
            session.add(job)
    return batch.id


def told() -> list[str]:
    """Return the batches that a mail is enqueued for."""
    kept = select(OutboxMessage).where(OutboxMessage.kind == message_kinds.BATCH_DONE)
    return [row.payload["batch_id"] for row in db.session.scalars(kept.order_by(OutboxMessage.id))]


def add_message(kind: str, **values: Any) -> int:
    due = values.pop("next_try_at", utcnow() - MINUTE)
    row = {"key": f"two:{next(numbers)}", "payload": {}} | values
    with transaction() as session:
        message = OutboxMessage(kind=kind, **row)
        session.add(message)
        session.flush()
        message.next_try_at = due
    return message.id


def test_a_batch_waits_for_its_own_files_only(owner: User, stranger: User) -> None:
    for user in (stranger, owner):
        add_batch(user, ("waits.wav", PENDING))
        add_batch(user, ("not yet sent.wav", FAILED), ("nor this.wav", FAILED), expected=3)
    done = add_batch(owner, ("broken.wav", FAILED), ("empty.wav", FAILED))
    with transaction():
        batch_completion.settle_if_done(done)
    assert told() == [done]


def test_files_of_other_batches_do_not_complete_one(owner: User) -> None:
    add_batch(owner, ("a.wav", FAILED), ("b.wav", FAILED))
    half = add_batch(owner, ("c.wav", FAILED), expected=3)
    with transaction():
        batch_completion.settle_if_done(half)
    assert told() == []


def test_abandoned_batches_are_settled_beside_others_that_wait(owner: User, stranger: User) -> None:
    waiting = add_batch(stranger, ("waits.wav", PENDING))
    left = add_batch(owner, ("broken.wav", FAILED), expected=5)
    young = add_batch(owner, ("young.wav", FAILED), expected=5)
    with transaction() as session:
        for each in (waiting, left):
            session.get_one(Batch, each).touched_at = utcnow() - batch_completion.ABANDONED_AFTER - MINUTE
    batch_completion.settle_abandoned()
    assert told() == [left]
    assert [db.session.get_one(Batch, each).settled_at for each in (waiting, young)] == [None, None]


def test_the_mail_of_a_batch_names_no_file_of_another(owner: User, stranger: User) -> None:
    add_batch(stranger, ("secret of a stranger.wav", FAILED))
    add_batch(owner, ("of another day.wav", FAILED))
    batch_id = add_batch(owner, ("broken.wav", FAILED))
    message = OutboxMessage(key="k", user_id=owner.id, kind=message_kinds.BATCH_DONE)
    message.payload = {"batch_id": batch_id}
    mail = batch_mail.compose(message)
    assert mail is not None
    assert mail.subject == "1 file could not be processed"
    assert "broken.wav" in mail.text
    assert "another day" not in mail.text
    assert "stranger" not in mail.text


def test_what_is_not_finished_is_never_purged_and_only_addresses_are_removed(app: Flask) -> None:
    old = {"created_at": utcnow() - MONTH - MINUTE}
    usage = add_message(message_kinds.METER_EVENT, payload={"at": 1}, **old)
    given_up = add_message(
        message_kinds.BATCH_DONE,
        payload={"batch_id": "b"},
        last_error="away",
        next_try_at=None,
        created_at=utcnow() - MONTH + MINUTE,
    )
    recent = add_message("register", payload={"to": "dj@example.com"}, last_error="away", next_try_at=None)
    add_message("register", payload={"to": "dj@example.com"}, next_try_at=None, **old)
    outbox_retention.purge_finished()
    db.session.expire_all()
    left = {row.id: row.payload for row in db.session.scalars(select(OutboxMessage))}
    assert left == {usage: {"at": 1}, given_up: {"batch_id": "b"}, recent: {"to": "dj@example.com"}}
    assert outbox.resend(given_up)


def test_a_message_that_is_sent_or_fails_changes_no_other(owner: User) -> None:
    """The message of a batch without files has nothing to say, and counts as sent."""
    empty = add_batch(owner)
    sent = add_message(message_kinds.BATCH_DONE, user_id=owner.id, payload={"batch_id": empty})
    other = add_message(message_kinds.BATCH_DONE, user_id=owner.id, next_try_at=utcnow() + MINUTE)
    usage = add_message(message_kinds.METER_EVENT, user_id=owner.id)
    hook = add_message(message_kinds.WEBHOOK, user_id=owner.id)
    assert outbox.deliver_mails() == 1
    db.session.expire_all()
    rows = {each: db.session.get_one(OutboxMessage, each) for each in (sent, other, usage, hook)}
    assert [rows[each].sent_at is not None for each in rows] == [True, False, False, False]
    assert [rows[each].attempts for each in rows] == [1, 0, 0, 0]


def test_a_message_that_can_not_be_sent_frees_the_turn_of_its_endpoint_only(owner: User) -> None:
    until = utcnow() + MINUTE
    made = [
        WebhookEndpoint(
            user_id=owner.id, url=f"https://{n}.example/", secret="whsec_", events=[], sending_until=until
        )
        for n in "ab"
    ]
    with transaction() as session:
        session.add_all(made)
    gone = add_message(
        message_kinds.WEBHOOK, endpoint_id=made[0].id, user_id=owner.id, payload={"delivery_id": "gone"}
    )
    webhook_delivery.deliver_message(db.session.get_one(OutboxMessage, gone))
    db.session.expire_all()
    assert [each.sending_until for each in made] == [None, until]


def test_an_event_reaches_each_endpoint_once_whatever_else_was_sent(owner: User, stranger: User) -> None:
    users = (owner, owner, stranger)
    made = [
        WebhookEndpoint(user_id=each.id, url="https://a.example/", secret="whsec_", events=["job.completed"])
        for each in users
    ]
    with transaction() as session:
        session.add_all(made)
    with transaction():
        for subject in ("1", "2", "1"):
            webhook_delivery.enqueue_event(owner.id, "job.completed", subject, {})
    rows = db.session.scalars(select(WebhookDelivery)).all()
    wanted = [(each.id, f"msg_{subject}") for each in made[:2] for subject in "12"]
    assert sorted((row.endpoint_id, row.message_id) for row in rows) == sorted(wanted)


def test_links_are_counted_and_ended_by_account_and_purpose(owner: User, stranger: User) -> None:
    with transaction():
        for user in (owner, stranger):
            for purpose in (RESET, VERIFY, STOP):
                mail_links.add_link(user, purpose, user.email)
    with transaction():
        mail_links.revoke_links(owner, RESET)
    live = {(link.user_id, link.purpose) for link in owned_links() if link.used_at is None}
    others = {(stranger.id, each) for each in (RESET, VERIFY, STOP)}
    assert live == {(owner.id, VERIFY), (owner.id, STOP)} | others
    assert not mail_links.was_sent_within(owner, RESET, MINUTE), "the one that was used does not count"
    assert mail_links.was_sent_within(owner, VERIFY, MINUTE)
    assert not mail_links.was_sent_within(owner, VERIFY, timedelta(0))
    with transaction():
        assert mail_links.revoke_every_link(owner, keep=[STOP]) == 1
    assert {(link.user_id, link.purpose) for link in owned_links() if link.used_at is None} == {
        (owner.id, STOP), *others,
    }  # fmt: skip


def test_one_link_is_used_and_only_newer_ones_are_ended_with_it(owner: User, stranger: User) -> None:
    with transaction():
        links = [mail_links.add_link(each, RESET, each.email) for each in (owner, owner, owner, stranger)]
        for minutes, link in enumerate(links):
            link.created_at = utcnow() + minutes * MINUTE
    with transaction():
        assert mail_links.use_link(links[1])
    assert [link.used_at is not None for link in owned_links()] == [False, True, False, False]
    with transaction():
        assert not mail_links.use_link(links[1])
        mail_links.revoke_links(owner, RESET, newer_than=links[1])
    assert [link.used_at is not None for link in owned_links()] == [False, True, True, False]


def test_of_exports_only_ones_own_that_are_ready_have_a_link_to_end(owner: User, stranger: User) -> None:
    with transaction() as session:
        session.add(DataExport(user_id=stranger.id, ready_at=utcnow()))
        session.add(DataExport(user_id=owner.id))
    with transaction():
        assert mail_links.revoke_every_link(owner) == 0
        assert mail_links.revoke_every_link(stranger) == 1
        assert mail_links.revoke_every_link(stranger) == 0, "it was ended the first time"


def test_an_address_is_reserved_only_by_a_live_link_of_a_change_that_was_made(
    owner: User, stranger: User
) -> None:
    address = "before@example.com"
    with transaction():
        links = [mail_links.add_link(owner, purpose, address) for purpose in (STOP, RESET, STOP, STOP)]
        not_made, of_another_kind, used, late = links
        for link in (of_another_kind, used, late):
            link.changed_at = utcnow()
        used.used_at = late.expires_at = utcnow() - MINUTE
    assert not_made.changed_at is None
    assert not mail_links.is_reserved(address)
    assert mail_links.stoppable_until(owner) is None
    with transaction():
        live = mail_links.add_link(owner, STOP, address)
        live.changed_at = utcnow()
    assert mail_links.is_reserved(address)
    assert mail_links.is_reserved(address, stranger)
    assert not mail_links.is_reserved(address, owner)
    assert not mail_links.is_reserved("another@example.com")
    assert mail_links.stoppable_until(owner) == live.expires_at
    assert mail_links.stoppable_until(stranger) is None


def owned_links() -> list[MailLink]:
    db.session.expire_all()
    return list(db.session.scalars(select(MailLink).order_by(MailLink.created_at)))
