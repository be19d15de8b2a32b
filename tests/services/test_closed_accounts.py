"""Exporting and closing accounts on PostgreSQL, where transactions run in parallel."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade

from app import create_app
from app.account import closing, data_export
from app.auth import accounts
from app.billing import quota
from app.config import Settings
from app.extensions import db, limiter
from app.models import DataExport, Job, User
from app.models.base import new_id, transaction
from app.models.job import PENDING
from app.notify import outbox
from tests.account.closings import make_due
from tests.account.full_account import EMAIL, add_customer, environment, make_full_account
from tests.account.test_deletion_steps import KILLS, kill_worker_in
from tests.account.traces import captured_log, store_files, traces_in_database, traces_in_store
from tests.fake_stripe.server import FakeStripe
from tests.support import PASSWORD, waiting_jobs

pytestmark = pytest.mark.services
AT_ONCE = 6


@pytest.fixture
def stripe() -> Iterator[FakeStripe]:
    with FakeStripe() as served:
        yield served


@pytest.fixture
def postgres(tmp_path: Path, postgres_url: str, stripe: FakeStripe) -> Iterator[Flask]:
    app = create_app(Settings.from_env(environment(tmp_path, stripe) | {"DATABASE_URL": postgres_url}))
    with app.app_context():
        upgrade()
        limiter.reset()
        yield app
        db.session.remove()
        db.engine.dispose()


def test_nothing_of_a_closed_account_is_left(postgres: Flask, stripe: FakeStripe) -> None:
    with captured_log() as log:
        account = make_full_account(postgres, EMAIL, add_customer(stripe.world)["id"])
        closing.close_account(account.user)
        for module, name, after in KILLS[::3]:
            kill_worker_in(module, name, after)
            make_due()
        closing.finish_due_closings()
        outbox.deliver_mails()
    assert db.session.get(User, account.user_id) is None
    assert traces_in_database(account) == set()
    others = {key: content for key, content in store_files().items() if not key.startswith("farewell/")}
    assert traces_in_store(account, others) == set()
    assert EMAIL not in log.getvalue()


def test_requests_at_the_same_time_make_one_export(postgres: Flask) -> None:
    user_id = accounts.register_user(EMAIL, PASSWORD, "UTC").id
    db.session.commit()
    barrier = threading.Barrier(AT_ONCE)

    def ask(_: int) -> str:
        with postgres.app_context():
            user = db.session.get_one(User, user_id)
            barrier.wait()
            return data_export.request_export(user).id

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert len(set(pool.map(ask, range(AT_ONCE)))) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(DataExport)) == 1


def test_no_job_gets_past_a_closing(postgres: Flask) -> None:
    """Uploads that arrive at the same moment are either cancelled with the others or refused."""
    user = accounts.register_user(EMAIL, PASSWORD, "UTC")
    (first,) = waiting_jobs(user, 1)
    batch_id, user_id = db.session.get_one(Job, first).batch_id, user.id
    db.session.commit()
    barrier = threading.Barrier(AT_ONCE + 1)

    def upload(number: int) -> bool:
        with postgres.app_context():
            owner = db.session.get_one(User, user_id)
            job = Job(
                id=new_id(), user_id=user_id, batch_id=batch_id, filename="a.wav", size_bytes=1,
                tier="free-tier", priority=1, retries=0, results={},
            )  # fmt: skip
            barrier.wait()
            try:
                with transaction() as session:
                    quota.charge_upload(owner, job)
                    session.add(job)
            except quota.QuotaExceededError:
                return False
            return True

    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(upload, number) for number in range(AT_ONCE)]
        barrier.wait()
        closing.close_account(db.session.get_one(User, user_id))
        accepted = sum(future.result() for future in futures)
    db.session.expire_all()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Job)) == accepted + 1
    assert db.session.scalars(sa.select(Job.id).where(Job.state == PENDING)).all() == []


def test_two_workers_delete_an_account_once(postgres: Flask, stripe: FakeStripe) -> None:
    account = make_full_account(postgres, EMAIL, add_customer(stripe.world)["id"])
    closing.close_account(account.user)
    db.session.commit()
    barrier = threading.Barrier(2)

    def work(_: int) -> None:
        with postgres.app_context():
            barrier.wait()
            closing.finish_due_closings()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    assert traces_in_database(account) <= {
        ("outbox", "payload", EMAIL)  # of the one last mail, which is not sent yet
    }
    assert outbox.deliver_mails() == 1
    assert traces_in_database(account) == set()
