"""Each step of a deletion can fail or be killed, and is done in the end."""

from __future__ import annotations

import os
import signal
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.account import account_deletion, closing, export_archive, keep_alive
from app.admin import metrics
from app.billing import checkout
from app.extensions import db, settings
from app.integrations.storage import StorageError, open_store
from app.jobs import actions
from app.models import AccountClosing, AuditEntry, User
from app.models.base import new_id, transaction, utcnow
from tests.account.closings import fail_in_store, finish, make_due, the_closing
from tests.account.full_account import FullAccount, environment, put_object
from tests.account.traces import (
    captured_log,
    store_files,
    temporary_files,
    traces_in_database,
)
from tests.auth.sent_mails import mails, text_of
from tests.billing.paying_producer import subscribe
from tests.fake_stripe.server import FakeStripe
from tests.support import Browser


@pytest.fixture
def environ(tmp_path: Path, stripe: FakeStripe) -> dict[str, str]:
    return environment(tmp_path / "instance", stripe)


# Every step, and places in the middle of one, in the order in which they are reached.
KILLS: list[tuple[Any, str, bool]] = [
    (checkout, "end_subscriptions", False),
    (checkout, "end_subscriptions", True),
    (actions, "cancel_all", False),
    (actions, "cancel_all", True),
    (export_archive, "store_archive", False),
    (export_archive, "write_archive", False),
    (export_archive, "write_archive", True),
    (export_archive, "store_archive", True),
    (account_deletion, "delete_objects", False),
    (account_deletion, "delete_objects", True),
    (account_deletion, "delete_rows", False),
    (account_deletion, "_delete_some_jobs", True),
    (account_deletion, "_delete_some_samples", True),
    (account_deletion, "_forget_mails_to", True),
    (account_deletion, "delete_rows", True),
]


def kill_worker_in(module: Any, name: str, after: bool) -> None:
    """Let a worker process continue the deletion, and kill it in a function, before or after its work."""
    real = getattr(module, name)

    def kill(*values: Any, **named: Any) -> None:
        if after:
            real(*values, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    db.session.remove()
    worker = os.fork()
    if worker == 0:
        db.engine.dispose(close=False)
        setattr(module, name, kill)
        try:
            closing.finish_due_closings()
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
    assert status == -signal.SIGKILL, f"{name} was not reached"


def test_deletion_goes_on_wherever_a_worker_is_killed(full: FullAccount) -> None:
    closing.close_account(full.user)
    for module, name, after in KILLS:
        kill_worker_in(module, name, after)
        assert not closing.has_due_closings()  # its lease still holds
        make_due()
    finish()
    assert db.session.scalars(sa.select(User)).all() == []
    assert traces_in_database(full) == set()
    assert [key.partition("/")[0] for key in store_files()] == ["farewell"]
    assert temporary_files() == []
    assert len([mail for mail in mails() if "deleted" in mail["Subject"]]) == 1


def test_an_archive_that_kills_every_worker_is_given_up(full: FullAccount) -> None:
    closing.close_account(full.user)
    for _ in range(3):
        kill_worker_in(export_archive, "write_archive", False)
        make_due()
    assert closing.count_closings(stuck_only=True) == 1
    make_due(requested_at=utcnow() - closing.ARCHIVE_PATIENCE)
    finish()
    assert db.session.get(User, full.user_id) is None


def test_a_worker_that_takes_long_keeps_the_closing(
    full: FullAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the archive is made, its lease is extended again after this test has removed it."""
    closing.close_account(full.user)
    monkeypatch.setattr(keep_alive, "BEAT_S", 0.02)
    extended = threading.Event()
    extend = closing._extend_lease

    def extend_and_tell(claim: closing.ClosingClaim) -> None:
        extend(claim)
        extended.set()

    def take_long(*_: object, **__: object) -> int:
        make_due()
        extended.clear()
        assert extended.wait(20)
        assert the_closing().next_try_at > utcnow()
        return 0

    monkeypatch.setattr(closing, "_extend_lease", extend_and_tell)
    monkeypatch.setattr(export_archive, "store_archive", take_long)
    finish()
    assert db.session.get(User, full.user_id) is None


def finish_as_another_worker() -> None:
    """Let the lease lapse, and another worker take the closing over."""
    make_due()
    closing.finish_due_closings()


def test_a_worker_that_was_taken_over_leaves_the_zip_of_the_other(
    full: FullAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing.close_account(full.user)
    store_archive = export_archive.store_archive

    def store_too_late(_user: User, _email: str, key: str, **_: object) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(export_archive, "store_archive", store_archive)
            patch.setattr(account_deletion, "delete_objects", fail_in_store)
            finish_as_another_worker()
        put_object(key, b"too late")

    monkeypatch.setattr(export_archive, "store_archive", store_too_late)
    finish()
    assert (the_closing().step, the_closing().tries) == ("objects", 1)
    make_due()
    finish()
    ((key, content),) = store_files().items()
    assert content.startswith(b"PK"), key
    (mail,) = [mail for mail in mails() if "deleted" in mail["Subject"]]
    assert "/settings/exports/" in text_of(mail)


def test_two_workers_at_the_last_step_send_one_mail(
    full: FullAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing.close_account(full.user)
    delete_some_jobs = account_deletion._delete_some_jobs

    def delete_too_late(user_id: str) -> bool:
        monkeypatch.setattr(account_deletion, "_delete_some_jobs", delete_some_jobs)
        finish_as_another_worker()
        return delete_some_jobs(user_id)

    monkeypatch.setattr(account_deletion, "_delete_some_jobs", delete_too_late)
    finish()
    assert db.session.get(User, full.user_id) is None
    assert len([mail for mail in mails() if "deleted" in mail["Subject"]]) == 1


def test_an_operator_takes_no_closing_from_a_worker(
    full: FullAccount, as_stranger: Browser, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction():
        stranger.is_admin = True
    closing.close_account(full.user)
    pages = []

    def try_again_meanwhile(*_: object, **__: object) -> None:
        assert not closing.try_again_now(full.user_id)
        pages.append(as_stranger.get("/admin/closings").text)
        as_stranger.post(f"/admin/closings/{full.user_id}/retry")
        pages.append(as_stranger.get("/admin/closings").text)
        assert not closing.has_due_closings()
        raise StorageError("the store is away")

    monkeypatch.setattr(export_archive, "store_archive", try_again_meanwhile)
    finish()
    assert "the store is away" in (the_closing().last_error or "")
    assert ["Try again now" in page for page in pages] == [False, False]
    assert "Nothing was done" in pages[1]
    assert "Try again now" in as_stranger.get("/admin/closings").text
    assert closing.try_again_now(full.user_id)


def test_a_charge_never_outlives_its_account(
    full: FullAccount, stripe: FakeStripe, as_stranger: Browser, stranger: User
) -> None:
    subscribe(stripe.world, full.user)
    with transaction():
        stranger.is_admin = True
    stripe.world.is_away = True
    with captured_log() as log:
        closing.close_account(full.user)
        for tries in range(1, 4):
            finish()
            assert (the_closing().step, the_closing().tries) == ("subscriptions", tries)
            assert ("Closed accounts that" in as_stranger.get("/admin/queues").text) == (tries >= 3)
            make_due()
    assert log.getvalue().count("ERROR app.account.closing") == 1
    assert "sp404_closings_stuck 1.0" in metrics.render_metrics().decode()
    page = as_stranger.get("/admin/closings")
    assert full.user_id in page.text
    assert full.email not in page.text
    assert "end the subscriptions" in page.text
    assert as_stranger.get("/admin/closings", headers={"Accept": "application/json"}).get_json()["closings"][
        0
    ]["is_stuck"]
    assert db.session.get(User, full.user_id) is not None
    stripe.world.is_away = False
    with transaction() as session:
        session.execute(sa.update(AccountClosing).values(next_try_at=utcnow() + timedelta(hours=6)))
    assert as_stranger.post(f"/admin/closings/{full.user_id}/retry").status_code == 303
    assert as_stranger.post(f"/admin/closings/{new_id()}/retry").status_code == 404
    finish()
    assert db.session.get(User, full.user_id) is None
    assert [found["status"] for found in stripe.world.all("subscription")] == ["canceled"]


def test_a_store_that_is_down_delays_the_deletion(full: FullAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    closing.close_account(full.user)
    with monkeypatch.context() as patch:
        patch.setattr(type(open_store(settings())), "put", fail_in_store)
        finish()
        assert (the_closing().step, the_closing().tries) == ("archive", 1)
        assert "the store is away" in (the_closing().last_error or "")
    with monkeypatch.context() as patch:
        patch.setattr(type(open_store(settings())), "delete", fail_in_store)
        make_due()
        finish()
        assert (the_closing().step, the_closing().tries) == ("objects", 1)
    make_due()
    finish()
    assert db.session.get(User, full.user_id) is None


def test_an_account_is_deleted_without_its_zip_after_three_days(
    full: FullAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction() as session:  # what is older than the closing stays so, when that is moved back
        session.execute(sa.update(AuditEntry).values(at=utcnow() - timedelta(days=9)))
    closing.close_account(full.user)
    monkeypatch.setattr(type(open_store(settings())), "put", fail_in_store)
    finish()
    assert db.session.get(User, full.user_id) is not None
    make_due(tries=50, requested_at=utcnow() - timedelta(days=2))  # an operator tried again and again
    finish()
    assert db.session.get(User, full.user_id) is not None
    make_due(requested_at=utcnow() - timedelta(days=3))
    finish()
    assert db.session.get(User, full.user_id) is None
    assert traces_in_database(full) == set()
    assert store_files() == {}
    (mail,) = [mail for mail in mails() if "deleted" in mail["Subject"]]
    assert "could not" in text_of(mail)
    assert "/settings/exports/" not in text_of(mail)
