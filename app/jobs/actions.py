"""Cancel a job, retry it or start it now, as a person asks. Each is safe to do twice."""

from __future__ import annotations

from sqlalchemy import select, update

from app.billing import plans, quota
from app.extensions import db
from app.jobs import attempt_log, purposes, reprocess, transitions
from app.models import Batch, Job, User, job_attempt
from app.models.base import transaction, utcnow
from app.models.job import CANCELLED, PENDING, PROCESSING, UNFINISHED

AT_ONCE = 250  # jobs of one transaction

cancel = transitions.cancel


def cancel_batch(batch_id: str) -> int:
    """Cancel what waits or runs of a batch, and give its charges back; return how many jobs that were.

    Each transaction cancels `AT_ONCE` of them, so that workers wait for no lock for long.
    The job that unpacks a ZIP into the batch is cancelled first, so that it adds no more sounds.
    """
    feeding = sum(transitions.cancel(job_id) for job_id in _jobs_feeding(batch_id))
    unfinished = select(Job.id).where(Job.batch_id == batch_id, Job.state.in_(UNFINISHED)).order_by(Job.id)
    ids = db.session.scalars(unfinished).all()
    portions = (ids[first : first + AT_ONCE] for first in range(0, len(ids), AT_ONCE))
    return feeding + sum(map(transitions.cancel_jobs, portions))


def retry(job_id: str) -> bool:
    """Queue a failed job again, charged as its purpose is; return False when that is not possible (any more).

    Raises QuotaExceededError when the plan no longer has room for it.
    """
    owner_id = db.session.scalar(select(Job.user_id).where(Job.id == job_id))
    user = db.session.get_one(User, owner_id)
    plan = plans.plan_for_user(user)
    with transaction() as session:
        if not quota.lock_account(user.id):
            return False
        row = select(Job).where(Job.id == job_id).with_for_update()
        job = session.scalar(row.execution_options(populate_existing=True))
        if job is None or not job.may_be_retried or reprocess.is_duplicate(job):
            return False
        purpose = purposes.find_purpose(job.purpose)
        job.retry(plan.tier, purposes.priority_for(plan, purpose))
        if purpose.charges_upload:
            quota.charge_upload(user, job)
        reopened = update(Batch).where(Batch.id == job.batch_id)
        session.execute(reopened.values(settled_at=None, touched_at=utcnow()))
    return True


def run_now(job_id: str) -> bool:
    """Make a waiting job due at once, in the order of its tier; return whether it was waiting."""
    due = update(Job).where(Job.id == job_id, Job.state == PENDING, Job.run_at > utcnow())
    with transaction() as session:
        return session.scalar(due.values(run_at=utcnow()).returning(Job.id)) is not None


def cancel_all(user_id: str) -> None:
    """Cancel every job of an account that is being closed, inside the caller's transaction.

    A worker that runs one of them soon finds that it has lost the lease. Charges are not given back, because
    the account ends, and no mail is sent about the batches.
    """
    session, now = db.session, utcnow()
    for job in session.scalars(select(Job).where(Job.user_id == user_id, Job.state == PROCESSING)).all():
        attempt_log.record_end(job, job_attempt.CANCELLED)
    ended = {"state": CANCELLED, "finished_at": now, "lease_token": None, "lease_until": None}
    session.execute(update(Job).where(Job.user_id == user_id, Job.state.in_(UNFINISHED)).values(**ended))
    open_batches = update(Batch).where(Batch.user_id == user_id, Batch.settled_at.is_(None))
    session.execute(open_batches.values(settled_at=now))


def _jobs_feeding(batch_id: str) -> list[str]:
    """Return the unfinished jobs that add others to a batch."""
    fed_by = purposes.feeding_batches()
    owner_id = select(Batch.user_id).where(Batch.id == batch_id).scalar_subquery()
    rows = select(Job.id, Job.purpose).where(
        Job.user_id == owner_id, Job.purpose.in_(fed_by), Job.state.in_(UNFINISHED)
    )
    return [job_id for job_id, purpose in db.session.execute(rows) if fed_by[purpose](job_id) == batch_id]
