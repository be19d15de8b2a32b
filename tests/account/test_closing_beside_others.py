"""Deleting an account touches nothing of another, and no mail but those that are over and were its own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.account import account_deletion, closing
from app.auth import accounts
from app.extensions import db
from app.models import (
    AuditEntry,
    DataExport,
    Job,
    OutboxMessage,
    Sample,
    SampleChange,
    SearchRow,
    Usage,
    User,
)
from app.models.base import transaction, utcnow
from app.notify import message_kinds
from tests.account.closings import finish, the_closing
from tests.account.full_account import FullAccount, environment, put_object
from tests.account.neighbour import add_neighbour
from tests.account.rows_of_account import own_rows
from tests.account.traces import store_files
from tests.fake_stripe.server import FakeStripe
from tests.support import PASSWORD

THEIR_ZIP = "exports/theirs.zip"
FIRST = "00@example.com"  # comes before the address that a closed account has


@pytest.fixture
def environ(tmp_path: Path, stripe: FakeStripe) -> dict[str, str]:
    return environment(tmp_path / "instance", stripe)


def rows_of(user: User) -> dict[str, list[str]]:
    """Return all rows of an account, also those that only name it, such as changes that are not indexed."""
    rows = {name: sorted(map(repr, found)) for name, found in own_rows(user.id).items()}
    changes = sa.select(SampleChange.sample_id).where(SampleChange.user_id == user.id)
    return rows | {"changes": sorted(db.session.scalars(changes))}


def like_all(user: User) -> None:
    """Change each sample, so that the index has something to follow."""
    with transaction() as session:
        session.execute(sa.update(Sample).where(Sample.user_id == user.id).values(liked=True))


def test_what_another_account_has_stays_where_it_is(full: FullAccount) -> None:
    other = add_neighbour(full.user, "neighbour@closing.example")
    for user in (other, full.user):
        like_all(user)
    with transaction() as session:
        theirs = sa.update(DataExport).where(DataExport.user_id == other.id)
        session.execute(theirs.values(storage_key=THEIR_ZIP))
    put_object(THEIR_ZIP, b"theirs")
    before = rows_of(other)
    assert before["search_rows"]
    assert before["changes"]
    closing.close_account(full.user)
    finish()
    assert db.session.get(User, full.user_id) is None
    assert rows_of(other) == before
    assert store_files()[THEIR_ZIP] == b"theirs"


def test_only_what_has_no_account_is_left_of_its_rows(full: FullAccount) -> None:
    """The index has no foreign key to samples, and what is not indexed yet has none to users."""
    like_all(full.user)
    closing.close_account(full.user)
    finish()
    for model in (SearchRow, SampleChange, Job, Sample):
        assert db.session.scalar(sa.select(sa.func.count()).select_from(model)) == 0, model
    costs = db.session.scalars(sa.select(Usage.cost_usd)).all()
    assert costs
    assert all(costs)


def test_a_mail_to_its_address_stays_while_it_waits_or_is_of_another(
    full: FullAccount, stranger: User
) -> None:
    to, now = {"to": full.email}, utcnow()
    messages: dict[str, dict[str, Any]] = {
        "over": {},
        "waiting": {"next_try_at": now + timedelta(hours=1)},
        "of another account": {"user_id": stranger.id},
        "of an account that had the address before": {"kind": message_kinds.ACCOUNT_DELETED},
        "to a longer address": {"payload": {"to": f"j.{full.email}"}},
        "later": {"created_at": now + timedelta(hours=1)},
    }
    common = {"kind": message_kinds.VERIFY_EMAIL, "user_id": None, "next_try_at": None, "created_at": now}
    with transaction() as session:
        rows = [common | {"payload": to, "key": key} | values for key, values in messages.items()]
        session.execute(sa.insert(OutboxMessage), rows, execution_options={"render_nulls": True})
    with transaction():
        account_deletion._forget_mails_to(full.email, now)
    left = sa.select(OutboxMessage.key).where(OutboxMessage.key.in_(messages))
    assert set(db.session.scalars(left)) == messages.keys() - {"over"}


def test_an_operator_with_the_address_is_forgotten_until_it_was_free(full: FullAccount) -> None:
    """Whoever has the address afterwards is another one."""
    operator = accounts.register_user(FIRST, PASSWORD, "UTC").email
    closing.close_account(full.user)
    closed_at = the_closing().requested_at
    entries = {
        "before": (full.email, timedelta()),
        "afterwards": (full.email, timedelta(seconds=1)),
        "by another": (operator, timedelta()),
    }
    with transaction() as session:
        for action, (actor, delay) in entries.items():
            session.add(
                AuditEntry(actor=actor, action=action, subject="worker 2", detail={}, at=closed_at + delay)
            )
    finish()
    found = {
        entry.action: (entry.actor, entry.subject) for entry in db.session.scalars(sa.select(AuditEntry))
    }
    expected = entries | {"before": (account_deletion.DELETED_ACCOUNT, timedelta())}
    assert {name: found[name] for name in entries} == {
        name: (actor, "worker 2") for name, (actor, _) in expected.items()
    }
