"""Claim the next job: the database decides which one it is, and a lease says which worker has it."""

from __future__ import annotations

import secrets

from sqlalchemy import update
from sqlalchemy.sql.dml import ReturningUpdate

from app.billing import quota
from app.jobs import attempt_log, scheduler, workers
from app.jobs.lease import LEASE_DURATION, Claim
from app.jobs.scheduler import Candidate
from app.jobs.workers import holder_name
from app.models import Job
from app.models.base import transaction

# When two claims choose the same user at once, one of them may find that user's last slot taken and retry.
MAX_CLAIM_RACES = 10


def claim_next() -> Claim | None:
    """Claim the best ready job for this worker; None when there is none it may take.

    A user is chosen first, then their account is locked. Claims for one user therefore run one after
    another, and no more of them succeed than that user may have running. Each transaction locks only one
    account, so no two transactions wait for each other.
    """
    for _ in range(MAX_CLAIM_RACES):
        with transaction() as session:
            worker, slots = workers.lock_own_worker()
            if not workers.takes_jobs(worker):
                return None
            candidate = scheduler.next_candidate(worker, slots)
            if candidate is None:
                return None
            quota.lock_account(candidate.user_id)
            token = secrets.token_hex(16)
            job = session.scalar(_start_first_job(candidate, token))
            if job is not None:
                attempt_log.record_start(job, token)
                return _build_claim(job, token)
    return None


def _start_first_job(candidate: Candidate, token: str) -> ReturningUpdate[Job]:
    """Return the statement that gives the candidate's first job to this thread, and returns it."""
    first = update(Job).where(Job.id == scheduler.select_first_job(candidate).scalar_subquery())
    started = first.values(Job.start_values(token, holder_name(), LEASE_DURATION)).returning(Job)
    return started.execution_options(synchronize_session=False, populate_existing=True)


def _build_claim(job: Job, token: str) -> Claim:
    sample = job.sample
    return Claim(
        job_id=job.id,
        user_id=job.user_id,
        token=token,
        attempt=job.attempt,
        retries=job.retries,
        purpose=job.purpose,
        filename=job.filename,
        results=dict(job.results),
        incoming_key=job.incoming_key or "",
        original_key=job.original_key,
        sp404_key=job.sp404_key,
        content_sha256=job.content_sha256 or "",
        ai_analysis=job.ai_analysis,
        sample_id=job.sample_id,
        source_key=job.incoming_key or (sample.original_key if sample else ""),
        wav_key=job.sp404_key or (sample.sp404_key if sample else ""),
        made_key=job.made_key,
        choices=job.choices or {},
        trace_parent=job.trace_parent,
        request_id=job.request_id,
    )
