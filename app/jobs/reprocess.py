"""Queue jobs about samples that exist, such as analysing or describing them again.

Such a job costs no upload of the plan and owns no object of the store: whatever becomes of it, the sample
keeps its files. Which purposes there are, how often a plan allows them and whether they wait on the Free
plan is decided by their rows in `purposes`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select

from app.billing import plans, quota
from app.billing.plans import Plan
from app.extensions import db
from app.jobs import purposes, scheduler
from app.jobs.lease import Claim
from app.jobs.purposes import DailyLimit, Purpose
from app.models import Batch, Job, Sample, User
from app.models.base import transaction, utcnow
from app.models.job import UNFINISHED
from app.models.ownership import RowNotFoundError

Choices = Mapping[str, Any]
LIMIT_WINDOW = timedelta(hours=24)
SAMPLE_DELETED = "The sample was deleted in the meantime, so there was nothing left to do."


class SampleGoneError(Exception):
    """The sample that a job is about was deleted."""


class DailyLimitError(Exception):
    """The plan allows no more of this today; the message says so to the user."""


def queue_jobs(user: User, sample_ids: Collection[str], purpose: str) -> list[Job]:
    """Queue a job for each of the user's samples that has no unfinished one of this purpose, in one batch.

    The caller wakes the workers. Raises DailyLimitError.
    """
    with transaction():
        # Of two requests at once, the second finds the jobs of the first.
        if not quota.lock_account(user.id):
            return []
        new = set(sample_ids) - unfinished_jobs(sample_ids, purpose).keys()
        return _insert_jobs(user, dict.fromkeys(new), purpose)


def queue_job(user: User, sample_id: str, purpose: str, choices: Choices | None = None) -> Job:
    """Return the job for one sample: the unfinished one of this purpose and choices, or else a new one.

    Raises DailyLimitError, and RowNotFoundError when the user has no such sample.
    """
    jobs = queue_choices(user, {sample_id: choices}, purpose)
    if not jobs:
        raise RowNotFoundError
    return jobs[0]


def queue_choices(user: User, wanted: Mapping[str, Choices | None], purpose: str) -> list[Job]:
    """Return a job for each of the user's samples, with what was chosen for it, the new ones in one batch.

    The caller wakes the workers. Raises DailyLimitError.
    """
    with transaction():
        if not quota.lock_account(user.id):
            return []
        known = [job for job in _unfinished_of(wanted, purpose) if job.choices == wanted[str(job.sample_id)]]
        known_ids = {job.sample_id for job in known}
        new = {sample_id: chosen for sample_id, chosen in wanted.items() if sample_id not in known_ids}
        return known + _insert_jobs(user, new, purpose)


def unfinished_jobs(sample_ids: Collection[str], purpose: str) -> dict[str, str]:
    """Return the unfinished job of this purpose for each of these samples that has one."""
    return {str(job.sample_id): job.id for job in _unfinished_of(sample_ids, purpose)}


def unfinished_jobs_for(user: User, purpose: str) -> list[Job]:
    """Return a user's unfinished jobs of a purpose, oldest first."""
    mine = Job.user_id == user.id, Job.purpose == purpose, Job.state.in_(UNFINISHED)
    return list(db.session.scalars(select(Job).where(*mine).order_by(Job.id)))


def retriable_jobs_for(user: User, purpose: str) -> list[Job]:
    """Return a user's failed jobs of a purpose that may be tried again."""
    mine = Job.user_id == user.id, Job.purpose == purpose, Job.kept_until > utcnow()
    return [job for job in db.session.scalars(select(Job).where(*mine)) if job.may_be_retried]


def jobs_since(user: User, purpose: str, since: datetime) -> list[Job]:
    """Return a user's jobs of a purpose from a moment on, finished or not."""
    mine = Job.user_id == user.id, Job.purpose == purpose, Job.created_at >= since
    return list(db.session.scalars(select(Job).where(*mine)))


def is_duplicate(job: Job) -> bool:
    """Return whether another unfinished job does the same for the same sample."""
    if job.sample_id is None:
        return False
    return any(other.choices == job.choices for other in _unfinished_of([job.sample_id], job.purpose))


def _unfinished_of(sample_ids: Collection[str], purpose: str) -> list[Job]:
    wanted = Job.sample_id.in_(sample_ids), Job.purpose == purpose, Job.state.in_(UNFINISHED)
    return list(db.session.scalars(select(Job).where(*wanted).order_by(Job.id)))


def check_sample_exists(claim: Claim) -> None:
    """Raise SampleGoneError when the sample that the job is about was deleted."""
    load_sample(claim)
    db.session.commit()  # no transaction is open while the engine or a model is at work


def load_sample(claim: Claim) -> Sample:
    """Return the sample that the job is about, as it is now. Raises SampleGoneError."""
    sample = db.session.get(Sample, claim.sample_id or "", populate_existing=True)
    if sample is None or sample.deleted_at is not None:
        raise SampleGoneError(claim.log_name)
    return sample


def lock_sample(job: Job) -> Sample:
    """Lock and return the sample that a job is about, inside a transaction. Raises SampleGoneError."""
    wanted = select(Sample).where(Sample.id == job.sample_id, Sample.deleted_at.is_(None))
    sample = db.session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
    if sample is None:
        raise SampleGoneError(job.id)
    return sample


def _insert_jobs(user: User, wanted: Mapping[str, Choices | None], purpose_name: str) -> list[Job]:
    mine = Sample.user_id == user.id, Sample.id.in_(wanted), Sample.deleted_at.is_(None)
    samples = db.session.scalars(select(Sample).where(*mine).order_by(Sample.id)).all()
    if not samples:
        return []
    purpose, plan = purposes.find_purpose(purpose_name), plans.plan_for_user(user)
    check_daily_limit(user, plan, purpose, len(samples))
    batch = Batch(id=str(uuid4()), user_id=user.id, expected=len(samples))
    db.session.add(batch)
    db.session.flush()
    jobs = [_build_job(sample, purpose, user, plan, batch.id, wanted[sample.id]) for sample in samples]
    db.session.add_all(jobs)
    db.session.flush()
    return jobs


def left_today(user: User, purpose_name: str) -> int:
    """Return how many more jobs of a purpose with a daily limit the plan allows now, 0 or less for none."""
    purpose, plan = purposes.find_purpose(purpose_name), plans.plan_for_user(user)
    return _left_today(user, plan, purpose.daily_limit) if purpose.daily_limit is not None else 0


def check_daily_limit(user: User, plan: Plan, purpose: Purpose, count: int) -> None:
    """Raise DailyLimitError when the plan's limit has no room for so many jobs. The account is locked."""
    limit = purpose.daily_limit
    if limit is None:
        return
    left = _left_today(user, plan, limit)
    if count > left:
        raise DailyLimitError(limit.exceeded_message(plan, left))


def _left_today(user: User, plan: Plan, limit: DailyLimit) -> int:
    since = utcnow() - LIMIT_WINDOW
    recent = select(func.count()).where(
        Job.user_id == user.id,
        Job.purpose.in_(purposes.sharing_limit(limit)),
        Job.created_at > since,
    )
    used = db.session.scalar(recent) or 0
    if limit.usage_kind:
        used += quota.ledger_total(user, limit.usage_kind, since)
    return limit.allowed(plan) - used


def _build_job(
    sample: Sample, purpose: Purpose, user: User, plan: Plan, batch_id: str, choices: Choices | None
) -> Job:
    return Job(
        purpose=purpose.name,
        user_id=sample.user_id,
        batch_id=batch_id,
        sample_id=sample.id,
        filename=sample.filename,
        # These belong to uploads, but the previous version reads them of every job. Once it is no longer
        # deployed, they stay empty here.
        format=sample.format,
        size_bytes=sample.size_bytes,
        content_sha256=sample.content_sha256,
        incoming_key="",
        tier=plan.tier,
        priority=purposes.priority_for(plan, purpose),
        run_at=scheduler.first_run_time(plan, purpose),
        export_sp404=purpose.renders_wav,
        choices=None if choices is None else dict(choices),
        ai_allowed=user.ai_allowed,  # as it was when the cost was shown
        # A worker of the previous version reads the same from here.
        results={purposes.FORMER_AI_ALLOWED: user.ai_allowed},
    )
