"""Jobs about samples that are there: analysing them again, and describing them again.

They cost nothing of the plan's uploads and own no object of the store: whatever becomes of such a job, the
sample keeps its files. Describing starts at once on every plan; analysing is the engine's work and waits as
an upload does.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import func, select

from app.billing import plans, quota
from app.extensions import db, settings
from app.jobs.claims import Claim
from app.models import Batch, Job, Sample, User
from app.models.base import transaction, utcnow
from app.models.job import ANALYSE, UNFINISHED, UPLOAD
from app.models.ownership import RowNotFoundError

# Kept with the job: whether its owner lets models describe.
WANTS_MODEL = "wants_model"
LIMIT_WINDOW = timedelta(hours=24)
SAMPLE_DELETED = "The sample was deleted meanwhile, so there was nothing left to do."


class SampleGoneError(Exception):
    """The sample that a job is about was deleted."""


class DailyLimitError(Exception):
    """The plan does no more of this today; the message says so to the user."""


def queue_jobs(user: User, sample_ids: Collection[str], purpose: str) -> list[Job]:
    """A job for each of the user's samples that has no unfinished one of the kind, all in one batch.

    The caller wakes the workers. Raises TooOftenError.
    """
    with transaction():
        quota.lock_account(user.id)  # of two requests at once the second finds the jobs of the first
        return _insert_jobs(user, set(sample_ids) - unfinished_jobs(sample_ids, purpose).keys(), purpose)


def queue_job(user: User, sample_id: str, purpose: str) -> Job:
    """The job for one sample, or 404: a new one, or the one of the kind that is not done yet.

    Raises TooOftenError.
    """
    with transaction() as session:
        quota.lock_account(user.id)
        known = unfinished_jobs([sample_id], purpose)
        jobs = [session.get_one(Job, known[sample_id])] if known else _insert_jobs(user, [sample_id], purpose)
    if not jobs:
        raise RowNotFoundError
    return jobs[0]


def unfinished_jobs(sample_ids: Collection[str], purpose: str) -> dict[str, str]:
    """The unfinished job of the kind, for each of these samples that has one."""
    rows = select(Job.sample_id, Job.id).where(
        Job.sample_id.in_(sample_ids), Job.purpose == purpose, Job.state.in_(UNFINISHED)
    )
    return {str(sample_id): str(job_id) for sample_id, job_id in db.session.execute(rows)}


def is_duplicate(job: Job) -> bool:
    """Another job does the same for the same sample already."""
    return not job.is_upload and bool(unfinished_jobs([job.sample_id or ""], job.purpose))


def check_sample_exists(claim: Claim) -> None:
    """Raise SampleGoneError when the job is about a sample that was deleted."""
    if claim.purpose != UPLOAD:
        load_sample(claim)
        db.session.commit()  # no transaction is open while the engine or a model is at work


def load_sample(claim: Claim) -> Sample:
    """The sample that the job is about, as it is now. Raises SampleGoneError."""
    sample = db.session.get(Sample, claim.sample_id or "", populate_existing=True)
    if sample is None or sample.deleted_at is not None:
        raise SampleGoneError(claim.log_name)
    return sample


def _insert_jobs(user: User, sample_ids: Collection[str], purpose: str) -> list[Job]:
    mine = Sample.user_id == user.id, Sample.id.in_(sample_ids), Sample.deleted_at.is_(None)
    samples = db.session.scalars(select(Sample).where(*mine).order_by(Sample.id)).all()
    if not samples:
        return []
    _check_daily_limit(user, len(samples))
    batch = Batch(id=str(uuid4()), user_id=user.id, expected=len(samples))
    db.session.add(batch)
    db.session.flush()
    jobs = [_build_job(sample, purpose, user, batch.id) for sample in samples]
    db.session.add_all(jobs)
    db.session.flush()
    return jobs


def _check_daily_limit(user: User, count: int) -> None:
    """Under the account's lock. It costs no upload, but engine and models work for it all the same."""
    plan = plans.plan_for_user(user)
    recent = select(func.count()).where(
        Job.user_id == user.id, Job.purpose != UPLOAD, Job.created_at > utcnow() - LIMIT_WINDOW
    )
    left = plan.again - (db.session.scalar(recent) or 0)
    if count > left:
        raise DailyLimitError(
            f"{plan.label} analyses and describes {plan.again:,} samples again in 24 hours, and "
            f"{max(left, 0):,} of them are left. Choose fewer, or go on tomorrow."
        )


def _build_job(sample: Sample, purpose: str, user: User, batch_id: str) -> Job:
    plan = plans.plan_for_user(user)
    waits = plan.is_delayed and purpose == ANALYSE
    return Job(
        purpose=purpose,
        user_id=sample.user_id,
        batch_id=batch_id,
        sample_id=sample.id,
        filename=sample.filename,
        format=sample.format,
        size_bytes=sample.size_bytes,
        content_sha256=sample.content_sha256,
        incoming_key="",
        tier=plan.tier,
        priority=plan.priority,
        run_at=utcnow() + timedelta(seconds=settings().free_tier_delay_s if waits else 0),
        export_sp404=purpose == ANALYSE,
        results={WANTS_MODEL: user.ai_allowed},  # as it was when the cost was shown
    )
