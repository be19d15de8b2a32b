"""Cancelling a drop of many files takes few statements, and gives back all that was charged."""

from __future__ import annotations

from sqlalchemy import func, select

from app.billing import quota
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.jobs import actions
from app.jobs.claims import claim_next
from app.models import Attempt, Batch, Job, Usage, User
from app.models.base import new_id, transaction
from app.models.job import CANCELLED
from app.models.usage import STORAGE, UPLOAD
from tests.query_counter import counted_queries
from tests.support import Browser, kick


def charged_drop(owner: User, files: int) -> str:
    """Return the id of a batch of waiting, charged jobs."""
    batch_id = new_id()
    with transaction() as session:
        session.add(Batch(id=batch_id, user_id=owner.id, expected=files))
        session.flush()
        for number in range(files):
            values = {"purpose": "upload", "filename": f"{number}.wav", "tier": "free", "priority": 1}
            job = Job(id=new_id(), user_id=owner.id, batch_id=batch_id, incoming_key="", **values)
            session.add(job)
            session.flush()
            upload, storage, _ = quota.charge_keys(job)
            quota.add_usage(owner.id, UPLOAD, upload, 1)
            quota.add_usage(owner.id, STORAGE, storage, 5)
    return batch_id


def test_many_jobs_are_cancelled_in_few_statements(owner: User) -> None:
    counts = []
    for files in (2, 60):
        batch_id = charged_drop(owner, files)
        with counted_queries() as queries:
            assert actions.cancel_batch(batch_id) == files
        counts.append(len(queries))
        assert db.session.get_one(Batch, batch_id).settled_at is not None
        assert db.session.scalar(select(func.sum(Usage.quantity))) == 0
        assert actions.cancel_batch(batch_id) == 0
        signs = [quantity > 0 for quantity in db.session.scalars(select(Usage.quantity))]
        assert signs.count(True) == signs.count(False)
    assert counts[0] == counts[1], queries


def test_what_runs_and_what_waits_is_cancelled_with_its_objects(as_owner: Browser) -> None:
    for name in ("a.wav", "b.wav"):
        as_owner.upload((name, kick()), batch="c56a4180-65aa-42ec-a945-5fd21dec0538")
    claim_next()
    jobs = db.session.scalars(select(Job)).all()
    store = open_store(settings())
    keys = [str(job.incoming_key) for job in jobs]
    assert all(store.read(key, 0, 4) == b"RIFF" for key in keys)
    assert actions.cancel_batch(jobs[0].batch_id) == 2
    assert {job.state for job in jobs} == {CANCELLED}
    assert [attempt.outcome for attempt in db.session.scalars(select(Attempt))] == ["cancelled"]
    assert list(store.older_than("incoming/", jobs[0].created_at.replace(year=2999))) == []
