"""Closing an account ends every access at once, and in the end nothing of the account is left."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

import tasks
from app.account import account_deletion, account_rows, closing, kept_archives
from app.admin import audit_trail
from app.auth import accounts
from app.billing import quota
from app.extensions import db
from app.jobs import actions, claims, cleanup, lease
from app.jobs.lease import LeaseLostError
from app.models import (
    AccountClosing,
    Attempt,
    AuditEntry,
    DataExport,
    Invoice,
    Job,
    MailLink,
    OutboxMessage,
    Usage,
    User,
)
from app.models.account_closing import STEPS
from app.models.base import new_id, transaction, utcnow
from app.models.job import CANCELLED
from app.notify import outbox, signed_tokens, webhook_turns
from tests.account.closings import finish
from tests.account.full_account import FullAccount, add_customer, environment, make_full_account, put_object
from tests.account.traces import (
    captured_log,
    store_files,
    temporary_files,
    traces_in_database,
    traces_in_store,
)
from tests.auth.sent_mails import link_in, mails, text_of
from tests.fake_stripe.server import FakeStripe
from tests.support import PASSWORD, Browser, kick, waiting_jobs


@pytest.fixture
def environ(tmp_path: Path, stripe: FakeStripe) -> dict[str, str]:
    return environment(tmp_path / "instance", stripe)


@pytest.mark.parametrize("email", ["clara.muster@closing.example", "åsa_100%'o@closing.example"])
def test_nothing_of_a_closed_account_is_left(
    app: Flask, full: FullAccount, stripe: FakeStripe, email: str
) -> None:
    other = full
    with captured_log() as log:
        account = make_full_account(app, email, add_customer(stripe.world, email)["id"])
        assert len(account.ids) > 20
        assert {table for table, _, _ in traces_in_database(account)} > {"users", "outbox", "audit_log"}
        answer = account.browser.post("/settings/close", email=email, current=PASSWORD)
        assert answer.status_code == 303, answer.text
        finish()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AccountClosing)) == 0
    assert traces_in_database(account) == set()
    files = store_files()
    (archive,) = [key for key in files if key.startswith(kept_archives.FAREWELLS)]
    assert traces_in_store(account, {key: b"" if key == archive else files[key] for key in files}) == set()
    assert email not in log.getvalue().lower()
    assert "account" in log.getvalue()
    assert temporary_files() == []
    assert db.session.get(User, other.user_id) is not None
    assert any(other.user_id in key for key in files)
    assert any(trace == other.email for _, _, trace in traces_in_database(other))


def test_what_has_to_stay_is_anonymous(full: FullAccount) -> None:
    spent = sa.select(sa.func.sum(Usage.cost_usd)).where(Usage.kind == "ai")
    before = db.session.scalar(spent)
    actions_before = sorted(db.session.scalars(sa.select(AuditEntry.action)))
    closing.close_account(full.user)
    finish()
    assert db.session.scalar(spent) == before
    assert db.session.scalars(sa.select(Usage.user_id)).all() == [None, None]
    words = sa.select(sa.func.count()).where(Usage.entry_key.startswith("ai:words:"))
    assert db.session.scalar(words) == 1
    (invoice,) = db.session.scalars(sa.select(Invoice))
    assert (invoice.user_id, invoice.paid_cents) == (None, 1500)
    assert sorted(db.session.scalars(sa.select(AuditEntry.action))) == actions_before
    assert {entry.subject for entry in db.session.scalars(sa.select(AuditEntry))} <= {
        account_deletion.DELETED_ACCOUNT,
        "worker 1",
    }


def test_everything_ends_at_once(app: Flask, full: FullAccount) -> None:
    tokens = [signed_tokens.link_token(link) for link in db.session.scalars(sa.select(MailLink))]
    paths = ("/confirm", "/new-password", "/confirm-change")
    links = [f"{path}/{token}" for path in paths for token in tokens]
    export = db.session.scalars(sa.select(DataExport)).one()
    links.append(f"/settings/exports/{signed_tokens.export_token(export.key)}")
    guest = app.test_client()
    assert [guest.get(link).status_code for link in links].count(404) == 6
    running = claims.claim_next()
    assert running is not None
    elsewhere = Browser(app, full.user)
    closing.close_account(full.user)
    assert [guest.get(link).status_code for link in links] == [404] * 10
    assert full.browser.get("/dashboard").status_code == elsewhere.get("/dashboard").status_code == 303
    assert full.script.get("/api/usage").status_code == 401
    assert accounts.authenticate(full.email, PASSWORD) is None
    states = {job.state for job in db.session.scalars(sa.select(Job))}
    assert states == {"completed", "failed", CANCELLED}
    assert not lease.is_lease_held(running)
    with pytest.raises(LeaseLostError):
        lease.save_step(running, "decoded", {})
    assert claims.claim_next() is None
    unsent = sa.select(OutboxMessage.kind).where(
        OutboxMessage.sent_at.is_(None), OutboxMessage.user_id.is_not(None)
    )
    assert db.session.scalars(unsent).all() == []
    assert not webhook_turns.has_due()


def test_what_waits_for_others_is_still_sent(owner: User, stranger: User) -> None:
    with transaction():
        for key, user_id in (("mine", owner.id), ("theirs", stranger.id), ("of nobody", None)):
            outbox.enqueue(key, user_id, "password_changed", {})
    closing.close_account(owner)
    assert set(db.session.scalars(sa.select(OutboxMessage.key))) == {"theirs", "of nobody"}


def test_what_was_under_way_starts_nothing(app: Flask, full: FullAccount) -> None:
    failed = db.session.scalars(sa.select(Job.id).where(Job.kept_until.is_not(None))).one()
    closing.close_account(full.user)
    user = db.session.get_one(User, full.user_id)
    with pytest.raises(quota.QuotaExceededError, match="closed"), transaction():
        quota.charge_upload(user, Job(id=new_id(), user_id=user.id, size_bytes=1))
    assert actions.retry(failed) is False
    user.session_cookie = ""
    accounts.start_session(user, "127.0.0.1", "")
    assert accounts.user_from_cookie(user.session_cookie) is None
    assert full.browser.upload(("late.wav", kick())).status_code == 303


def test_a_mail_that_is_being_written_does_not_reach_anybody(full: FullAccount) -> None:
    sent = len(mails())
    with transaction():
        outbox.enqueue("late", full.user_id, "password-changed", {"at": "now"})
    claimed = outbox._claim_next(OutboxMessage.key == "late")
    assert claimed is not None
    closing.close_account(full.user)
    outbox.deliver(claimed.message_id)
    with transaction():
        outbox.enqueue("later", full.user_id, "password-changed", {"at": "now"})
    assert len(mails()) == sent


def test_the_last_zip_is_kept_for_a_week(app: Flask, full: FullAccount) -> None:
    closing.close_account(full.user)
    finish()
    (mail,) = [mail for mail in mails() if "deleted" in mail["Subject"]]
    until = utcnow() + timedelta(days=7)
    assert f"{until:%-d %B %Y}" in text_of(mail)
    assert full.user_id not in str(mail)
    client = app.test_client()
    assert client.get(client.get(link_in(mail)).headers["Location"]).status_code == 200
    kept_archives.purge_old_exports()
    assert len(store_files()) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept_archives, "ARCHIVE_LIFETIME", timedelta(seconds=-2))
        kept_archives.purge_old_exports()
        assert client.get(link_in(mail)).status_code == 404
    assert store_files() == {}


def test_the_address_can_register_again_at_once(full: FullAccount) -> None:
    closing.close_account(full.user)
    again = accounts.register_user(full.email, PASSWORD, "UTC").id
    finish()
    assert db.session.scalars(sa.select(User.id)).all() == [again]
    assert accounts.authenticate(full.email, PASSWORD) is not None


def test_entries_about_another_account_stay_as_they_are(full: FullAccount) -> None:
    """Its address ends like the closed one's, or is the closed one's, which it has taken since."""
    longer = f"j.{full.email}"
    audit_trail.record_action(None, "longer", longer, email=longer)
    closing.close_account(full.user)
    with transaction() as session:
        session.add(OutboxMessage(key="later", kind="register", payload={"to": full.email}))
        session.flush()
        session.execute(sa.update(OutboxMessage).where(OutboxMessage.key == "later").values(next_try_at=None))
    audit_trail.record_action(None, "later", full.email, email=full.email)
    table = AuditEntry.__table__
    assert isinstance(table, sa.Table)
    written = [row["action"] for row in account_rows.read_rows(table, full.user, full.email)]
    assert written
    assert {"longer", "later"}.isdisjoint(written)
    finish()
    kept = {
        entry.action: (entry.subject, entry.detail) for entry in db.session.scalars(sa.select(AuditEntry))
    }
    assert kept["longer"] == (longer, {"email": longer})
    assert kept["later"] == (full.email, {"email": full.email})
    assert db.session.scalar(sa.select(OutboxMessage.id).where(OutboxMessage.key == "later")) is not None


def test_what_a_worker_stored_too_late_is_swept_up(
    full: FullAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing.close_account(full.user)
    finish()
    put_object(f"samples/{full.user_id}/{full.sample_id}/original.wav", b"late")
    put_object(f"incoming/{full.user_id}/{full.sample_id}/arrived", b"late")
    monkeypatch.setattr(cleanup, "MIN_OBJECT_AGE", timedelta(seconds=-2))
    assert cleanup.remove_orphans() == 2
    assert [key for key in store_files() if full.user_id in key] == []


def test_what_the_previous_version_closed_is_deleted(full: FullAccount) -> None:
    with transaction() as session:
        full.user.password_hash = None
        session.add(DataExport(user_id=full.user_id, then_delete=True))
    assert closing.has_due_closings()
    tasks.make_exports.call_local()
    assert db.session.get(User, full.user_id) is None
    assert traces_in_database(full) == set()


def test_jobs_of_the_account_wait_for_nobody_else(full: FullAccount, freeloader: User) -> None:
    theirs = waiting_jobs(freeloader, 2)
    with transaction() as session:
        session.execute(sa.update(Job).where(Job.id == theirs[0]).values(priority=10))
    claim = claims.claim_next()
    assert claim is not None
    assert claim.job_id == theirs[0]
    closing.close_account(full.user)
    finish()
    assert sorted(db.session.scalars(sa.select(Job.id))) == theirs
    attempt = sa.select(Attempt.ended_at).where(Attempt.token == claim.token)
    assert db.session.scalars(attempt).one() is None, "it still runs"


def test_every_step_has_its_words_and_its_function() -> None:
    assert set(STEPS) == set(closing._FUNCTIONS)
