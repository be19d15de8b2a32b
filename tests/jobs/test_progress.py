"""How far a batch is and when a job will be done, beside other jobs of the same user."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from app.extensions import db
from app.jobs import progress
from app.models import Job, User
from app.models.base import transaction, utcnow
from tests.support import waiting_jobs

SECOND = timedelta(seconds=1)
RUN_TIME = timedelta(seconds=progress.TYPICAL_RUN_S)


def set_values(job_id: str, **values: Any) -> None:
    with transaction() as session:
        session.execute(update(Job).where(Job.id == job_id).values(**values))


def test_a_job_waits_only_for_those_that_come_before_it(owner: User) -> None:
    due = utcnow() + timedelta(hours=1)
    [job_id] = waiting_jobs(owner, 1, run_at=due)
    job = db.session.get_one(Job, job_id)
    waiting_jobs(owner, 1, run_at=due + SECOND)
    waiting_jobs(owner, 1, run_at=due - SECOND, priority=job.priority + 1)
    waiting_jobs(owner, 1, run_at=due - SECOND, state="completed")
    assert progress.estimate_finish(job) == due + RUN_TIME
    waiting_jobs(owner, 1, run_at=due)
    waiting_jobs(owner, 1, run_at=due - SECOND, state="processing")
    assert progress.estimate_finish(job) == due + 3 * RUN_TIME
    set_values(job_id, state="completed")
    assert progress.estimate_finish(job) is None


def test_what_was_cancelled_is_no_part_of_a_batch_and_an_ended_batch_is_not_shown(
    owner: User, stranger: User
) -> None:
    waiting_jobs(stranger, 2)
    waiting_jobs(owner, 2, state="completed")
    waiting_jobs(owner, 1)
    completed, cancelled, delayed, _ = waiting_jobs(owner, 4)
    batch_id = db.session.get_one(Job, completed).batch_id
    later = utcnow() + timedelta(hours=1)
    set_values(completed, state="completed")
    set_values(cancelled, state="cancelled")
    set_values(delayed, run_at=later)
    [shown] = progress.active_batches(owner.id, slots=1)
    assert (shown.batch_id, shown.done, shown.total, shown.starts_at) == (batch_id, 1, 3, None)
    [other] = progress.active_batches(stranger.id, slots=1)
    assert (other.done, other.total) == (0, 2)
