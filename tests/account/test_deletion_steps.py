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
from app.integrations.storage import open_store
from app.jobs import actions
from app.models import (
    AccountClosing,
    User,
)
from app.models.base import new_id, transaction, utcnow
from tests.account.full_account import FullAccount, environment
from tests.account.test_closing import fail_in_store, finish, make_due, the_closing
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
    make_due(tries=closing.ARCHIVE_TRIES)
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

    def extend_and_tell(user_id: str) -> None:
        extend(user_id)
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
    closing.close_account(full.user)
    monkeypatch.setattr(type(open_store(settings())), "put", fail_in_store)
    finish()
    assert db.session.get(User, full.user_id) is not None
    make_due(tries=closing.ARCHIVE_TRIES - 1)
    finish()
    assert db.session.get(User, full.user_id) is not None
    make_due()
    finish()
    assert db.session.get(User, full.user_id) is None
    assert traces_in_database(full) == set()
    assert store_files() == {}
    (mail,) = [mail for mail in mails() if "deleted" in mail["Subject"]]
    assert "could not" in text_of(mail)
    assert "/settings/exports/" not in text_of(mail)
