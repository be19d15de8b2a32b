"""Claim the next job: the database decides which one it is, and a lease says which worker has it."""

from __future__ import annotations

import secrets

from app.billing import quota
from app.extensions import db
from app.jobs import attempt_log, claim_statements, purposes, scheduler, workers
from app.jobs.lease import LEASE_DURATION, Claim
from app.jobs.scheduler import Candidate
from app.jobs.workers import holder_name
from app.models import Job
from app.models.base import transaction, utcnow

# When two claims choose the same user at once, one of them may find that user's last slot taken and retry.
MAX_CLAIM_RACES = 10


def claim_next() -> Claim | None:
    """Claim the best ready job for this worker; None when there is none it may take.

    A user is chosen first, then their account is locked. Claims for one user therefore run one after
    another, and no more of them succeed than that user may have running. Each transaction locks only one
    account, so no two transactions wait for each other.
    """
    for _ in range(MAX_CLAIM_RACES):
        with transaction():
            worker, slots = workers.lock_own_worker()
            if not workers.takes_jobs(worker):
                return None
            candidate = scheduler.next_candidate(worker, slots)
            if candidate is None:
                return None
            quota.lock_account(candidate.user_id)
            if (job := _start_first_job(candidate)) is not None:
                attempt_log.record_start(job)
                return _build_claim(job)
    return None


def _start_first_job(candidate: Candidate) -> Job | None:
    """Give the candidate's first job to this thread; return a copy of the row that no session holds."""
    now = utcnow()
    values = {
        "owner": candidate.user_id,
        "limit": candidate.limit,
        "token": secrets.token_hex(16),
        "holder": holder_name(),
        "due": now,
        "lease_end": now + LEASE_DURATION,
    }
    start = claim_statements.start_first_job(candidate.priority, tuple(purposes.known_purposes()))
    row = db.session.connection().execute(start, values).one_or_none()
    return Job(**row._mapping) if row is not None else None


def _build_claim(job: Job) -> Claim:
    original_key, wav_key = _sample_keys(job.sample_id) if job.sample_id else ("", "")
    return Claim(
        job_id=job.id,
        user_id=job.user_id,
        token=job.lease_token or "",
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
        source_key=job.incoming_key or original_key,
        wav_key=job.sp404_key or wav_key,
        made_key=job.made_key,
        choices=job.choices or {},
        trace_parent=job.trace_parent,
        request_id=job.request_id,
    )


def _sample_keys(sample_id: str) -> tuple[str, str]:
    """Return where the original and the unit's WAV of a sample are; empty when the sample is gone."""
    found = db.session.connection().execute(claim_statements.select_sample_keys(), {"sample": sample_id})
    original_key, wav_key = found.one_or_none() or ("", "")
    return original_key, wav_key
