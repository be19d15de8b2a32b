"""A service with everything in it, and what has to be the same after its backup was restored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select

from app import create_app
from app.backup import row_format
from app.backup.backup_contents import saved_tables
from app.config import Settings
from app.extensions import db, limiter, settings
from app.integrations.storage import open_store
from app.jobs import claims, run
from app.models import Attempt, Job, User
from app.models.job import COMPLETED, PENDING
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples
from tests.account.full_account import FullAccount, make_full_account
from tests.support import Browser, kick, uploaded_job

SECRET = "a secret for tests, long enough to be taken"
EMAIL = "clara@example.com"
CHANGED_BY_RESTORING = {"processing_jobs", "job_attempts"}


@contextmanager
def service(values: dict[str, str], *, migrated: bool = True) -> Iterator[Flask]:
    """Run an app on these settings; without `migrated` its database does not exist yet."""
    app = create_app(Settings.from_env({"SECRET_KEY": SECRET, "BASE_URL": "http://127.0.0.1:5000"} | values))
    with app.app_context():
        limiter.reset()
        if migrated:
            upgrade()
        yield app
        db.session.remove()
        db.engine.dispose()


def fill_service(app: Flask) -> tuple[FullAccount, str]:
    """Make an account with a row in every table, and a job that a worker is at; return both."""
    account = make_full_account(app, EMAIL)
    return account, running_job(account)


def running_job(account: FullAccount) -> str:
    """Upload a file, let a worker claim its job, and return the job's id."""
    job_id = uploaded_job(account.browser, "under way.wav", kick()).id
    while db.session.get_one(Job, job_id).state == PENDING:
        assert claims.claim_next() is not None
        db.session.expire_all()
    return job_id


def finish_all_jobs() -> None:
    """Run jobs until none is ready."""
    while run.run_next() is not None:
        pass
    db.session.expire_all()


def all_rows() -> dict[str, list[str]]:
    """Return every row that a backup holds, as text, by table."""
    found: dict[str, list[str]] = {}
    for table in saved_tables():
        kinds = row_format.column_kinds(table)
        rows = db.session.execute(row_format.select_rows(table, kinds)).all()
        found[table.name] = sorted(json.dumps(row_format.encode_row(row, kinds)) for row in rows)
    db.session.commit()
    return found


def all_objects(scratch: Path) -> dict[str, str]:
    """Return the hash of every object of the store by its key."""
    store, found = open_store(settings()), {}
    for each in store.list_objects():
        store.fetch(each.key, scratch / "object")
        found[each.key] = hashlib.sha256((scratch / "object").read_bytes()).hexdigest()
    return found


def check_the_same(app: Flask, lost: dict[str, list[str]], user_id: str, running: str) -> None:
    """Check that a restored service is the lost one, and that its job under way finishes."""
    found = all_rows()
    assert {name for name in lost if lost[name] != found[name]} <= CHANGED_BY_RESTORING
    assert all(lost[name] for name in ("samples", "kits", "kit_pads", "collections", "two_factors"))
    user, job = db.session.get_one(User, user_id), db.session.get_one(Job, running)
    assert (job.state, job.attempt, job.lease_token) == (PENDING, 0, None)
    assert find_samples(user, SampleQuery(q="dusty"), "").samples  # the search index is there already
    finish_all_jobs()
    assert db.session.get_one(Job, running).state == COMPLETED
    tries = db.session.scalars(select(Attempt).where(Attempt.job_id == running).order_by(Attempt.number))
    assert [each.outcome for each in tries] == ["waiting", "completed"]
    assert "under way" in Browser(app, user).get("/samples").text  # and the password is still known
