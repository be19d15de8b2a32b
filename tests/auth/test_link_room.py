"""How long mailed links live, how many a mailbox gets, and what ends them: at each boundary in time."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from app.extensions import db
from app.models import DataExport, MailLink, OutboxMessage, User
from app.models.base import transaction, utcnow
from app.models.user_session import CHANGE, RESET, SIGN_IN, STOP, VERIFY
from app.notify import mail_links, signed_tokens
from app.notify.mail_links import DeadLinkError
from tests.postgres_statements import sent_to_postgres

SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=seconds) for seconds in (1, 60, 3600, 86400))


def add(user: User, purpose: str = RESET, age: timedelta = HOUR, **values: object) -> MailLink:
    now = utcnow()
    row = {"email": user.email, "created_at": now - age, "expires_at": now + DAY} | values
    with transaction() as session:
        link = MailLink(user_id=user.id, purpose=purpose, **row)
        session.add(link)
    return link


def count(table: type[MailLink] | type[OutboxMessage]) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize(
    ("purpose", "hours"), [(VERIFY, 48), (RESET, 1), (CHANGE, 24), (STOP, 72), (SIGN_IN, 2)]
)
def test_a_link_lives_as_long_as_its_purpose_needs(owner: User, purpose: str, hours: int) -> None:
    before = utcnow()
    with transaction():
        link = mail_links.enqueue_link(owner, purpose, owner.email)
    assert before + hours * HOUR <= link.expires_at <= utcnow() + hours * HOUR
    message = db.session.scalars(select(OutboxMessage)).one()
    assert (message.user_id, message.payload) == (owner.id, {"link_id": link.id})
    token = signed_tokens.link_token(link)
    assert mail_links.find_live_link(token, purpose) is link
    for wrong in (token[:-2], "", token.replace(".", "")):
        with pytest.raises(DeadLinkError):
            mail_links.find_live_link(wrong, purpose)
    with pytest.raises(DeadLinkError):
        mail_links.find_live_link(token, VERIFY if purpose != VERIFY else RESET)
    with transaction():
        assert [mail_links.use_link(link), mail_links.use_link(link)] == [True, False]
    with pytest.raises(DeadLinkError):
        mail_links.find_live_link(token, purpose)


def test_a_mailbox_gets_two_fresh_links_two_minutes_apart(owner: User, stranger: User) -> None:
    """A link to reset a password lives for an hour, so one is fresh for half an hour."""
    add(stranger, age=SECOND)
    add(owner, VERIFY, age=SECOND)
    add(owner, age=SECOND, used_at=utcnow())
    assert mail_links.has_room(owner, RESET)
    recent = add(owner, age=2 * MINUTE - 20 * SECOND)
    assert not mail_links.has_room(owner, RESET)
    assert mail_links.was_sent_within(owner, RESET, 2 * MINUTE)
    assert not mail_links.was_sent_within(owner, RESET, MINUTE)
    with transaction():
        recent.created_at = utcnow() - 2 * MINUTE - SECOND
    assert mail_links.has_room(owner, RESET)
    second = add(owner, age=29 * MINUTE)
    assert not mail_links.has_room(owner, RESET)
    with transaction():
        second.created_at = utcnow() - 30 * MINUTE - SECOND
    assert mail_links.has_room(owner, RESET)


def test_a_link_that_strangers_ask_for_needs_a_password_and_room(owner: User) -> None:
    mail_links.mail_bounded_link(None, RESET)
    assert count(MailLink) == 0
    with sent_to_postgres() as sent:
        for _ in range(2):
            mail_links.mail_bounded_link(owner, RESET)
    assert (count(MailLink), count(OutboxMessage)) == (1, 1)
    assert [sql for sql in sent if "FROM users" in sql and sql.endswith("FOR UPDATE OF users")]
    with transaction():
        db.session.execute(delete(MailLink))
        owner.password_hash = None
    mail_links.mail_bounded_link(owner, RESET)
    assert count(MailLink) == 0


def test_links_are_revoked_by_purpose_and_from_a_time_on(owner: User, stranger: User) -> None:
    old, middle, new = (add(owner, age=age * MINUTE) for age in (30, 20, 10))
    other, foreign = add(owner, VERIFY), add(stranger)
    used = add(owner, age=MINUTE, used_at=utcnow() - MINUTE)
    used_at = used.used_at

    def open_ones() -> set[MailLink]:
        db.session.expire_all()
        return {link for link in (old, middle, new, other, foreign) if link.used_at is None}

    with transaction():
        mail_links.revoke_links(owner, RESET, newer_than=middle)
    assert open_ones() == {old, middle, other, foreign}
    with transaction():
        mail_links.revoke_links(owner, RESET)
    assert open_ones() == {other, foreign}
    assert used.used_at == used_at


def test_ending_every_link_counts_those_that_still_worked(
    owner: User, stranger: User, freeloader: User
) -> None:
    live, kept = add(owner), add(owner, STOP)
    add(owner, VERIFY, expires_at=utcnow() - SECOND)
    add(owner, used_at=utcnow())
    foreign = add(stranger)
    with transaction() as session:
        session.add(DataExport(user_id=owner.id, ready_at=utcnow() - MINUTE))
        session.add(DataExport(user_id=owner.id, ready_at=utcnow() - HOUR))
        session.add(DataExport(user_id=owner.id))
        session.add(DataExport(user_id=stranger.id, ready_at=utcnow()))
    with transaction():
        assert mail_links.revoke_every_link(owner, keep=[STOP]) == 3
        assert mail_links.revoke_every_link(freeloader) == 0
    db.session.expire_all()
    assert [link.used_at is None for link in (live, kept, foreign)] == [False, True, True]
    assert owner.links_ended_at is not None
    assert signed_tokens.are_links_ended(owner.id, since=owner.links_ended_at)
    assert not signed_tokens.are_links_ended(owner.id, since=owner.links_ended_at + SECOND)
    assert not signed_tokens.are_links_ended(stranger.id, since=utcnow() - DAY)
    assert signed_tokens.are_links_ended(None, since=utcnow())
    with transaction() as session:
        session.add(DataExport(user_id=owner.id, ready_at=utcnow() + SECOND))
    with transaction():
        assert mail_links.revoke_every_link(owner) == 2, "the link that was kept, and the later export"


def test_an_address_is_reserved_while_its_change_can_be_stopped(owner: User, stranger: User) -> None:
    now = utcnow()
    for values in (
        {"changed_at": None},
        {"changed_at": now, "used_at": now},
        {"changed_at": now, "expires_at": now - SECOND},
    ):
        add(owner, STOP, email="old@example.com", **values)
    add(owner, RESET, email="old@example.com", changed_at=now)
    assert not mail_links.is_reserved("old@example.com")
    assert mail_links.stoppable_until(owner) is None
    ends = [now + HOUR, now + 2 * HOUR]
    for end in ends:
        add(owner, STOP, email="old@example.com", changed_at=now, expires_at=end)
    assert mail_links.stoppable_until(owner) == ends[1]
    assert mail_links.stoppable_until(stranger) is None
    reserved = [mail_links.is_reserved("old@example.com", user) for user in (None, stranger, owner)]
    assert reserved == [True, True, False]
    assert not mail_links.is_reserved("another@example.com")


def test_links_are_deleted_thirty_days_after_they_expired(owner: User) -> None:
    kept, old = (add(owner, expires_at=utcnow() - 30 * DAY + past) for past in (MINUTE, -SECOND))
    old_id = old.id
    mail_links.purge_old_links()
    db.session.expire_all()
    assert db.session.get(MailLink, kept.id) is not None
    assert db.session.get(MailLink, old_id) is None


def test_tokens_of_exports_and_registrations_end_with_their_age(
    app: Flask, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready_at = utcnow()
    tokens = [
        signed_tokens.account_export_token("exports/1/2.zip", owner.id, ready_at),
        signed_tokens.export_token("farewell.zip"),
        signed_tokens.export_token(f"exports/{owner.id}/3.zip"),
    ]
    keys = ["exports/1/2.zip", "farewell.zip", f"exports/{owner.id}/3.zip"]
    registration = signed_tokens.registration_token("dj@example.com")
    now = time.time()
    for after_s, works in ((50, True), (70, False)):
        monkeypatch.setattr(time, "time", lambda after=after_s: now + after)
        found = [signed_tokens.export_key_from_token(token, MINUTE) for token in tokens]
        assert found == (keys if works else [None] * 3)
        assert signed_tokens.registration_email(registration, MINUTE) == ("dj@example.com" if works else None)
    monkeypatch.undo()
    assert signed_tokens.export_key_from_token(registration, MINUTE) is None
    with transaction():
        owner.links_ended_at = ready_at + SECOND
    assert signed_tokens.export_key_from_token(tokens[0], MINUTE) is None
    assert signed_tokens.export_key_from_token(tokens[1], MINUTE) == "farewell.zip"
    with transaction():
        owner.links_ended_at = utcnow()
    assert signed_tokens.export_key_from_token(tokens[2], MINUTE) is None
