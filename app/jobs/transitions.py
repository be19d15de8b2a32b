"""How an attempt ends. Each ending is one transaction, fenced by the lease."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any

from sqlalchemy import select

from app.billing import overage, quota
from app.extensions import settings
from app.integrations.storage import StorageError, open_store
from app.jobs import attempts, outcomes, reprocess
from app.jobs import claim as claims
from app.jobs.attempts import MAX_DETAIL
from app.jobs.claim import Claim
from app.models import Job, Sample, attempt
from app.models.base import transaction, utcnow
from app.models.job import MAX_ATTEMPTS, PROCESSING, UNFINISHED
from app.models.webhook import JOB_COMPLETED, JOB_FAILED
from app.notify import batches, outbox, webhook_delivery
from app.notify.kinds import METER

log = logging.getLogger(__name__)

BACKOFF_S = (30, 120)
JITTER = 0.2
PATIENCE = timedelta(days=3)
# So long a failed job's file is kept, and one click tries it again.
KEPT_FOR = timedelta(days=3)
ONCE_MORE = f"Its file is kept for {KEPT_FOR.days} days: try it again, or upload another version."
AS_IT_WAS = "The sample is as it was."


@dataclass(frozen=True)
class Ending:
    """What became of an attempt; `retry_at` is set when the job waits for another one."""

    state: str
    retry_at: datetime | None = None


def complete(claim: Claim, measured: dict[str, Any], described: dict[str, Any]) -> Ending:
    """Sample, features, job and message in one transaction; the bytes are in the store already."""
    if not _complete(claim, measured, described):
        return gone(claim)
    forget(claim.incoming_key)
    return Ending("completed")


def _complete(claim: Claim, measured: dict[str, Any], described: dict[str, Any]) -> bool:
    """False when the sample that the job is about is not there any more."""
    with transaction() as session:
        quota.lock_account(claim.user_id)  # before the job, as everywhere: no two wait for one another
        job = claims.held_job(claim)
        sample = outcomes.of(job, measured, described)
        if sample is None:
            return False
        session.add(sample)
        session.flush()
        job.complete(sample)
        job.results = {}
        attempts.end(claim.token, attempt.COMPLETED)
        if (owed := overage.make_final(job)) is not None:
            outbox.promise(f"meter:{job.id}", None, METER, owed)
        _tell(job, JOB_COMPLETED)
        batches.settle(job.batch_id)
    return True


def gone(claim: Claim) -> Ending:
    """The sample was deleted: there is nothing to do, and nothing of it is brought back."""
    with transaction() as session:
        job = claims.held_job(claim)
        attempts.end(claim.token, attempt.CANCELLED, reprocess.GONE)
        job.cancel(reprocess.GONE)
        job.results = {}
        _tell(job, JOB_FAILED)
        batches.settle(job.batch_id)
        is_purged = session.get(Sample, claim.sample_id or "", populate_existing=True) is None
    if is_purged:
        forget(claim.wav_key)  # which may have been put there a moment after the rest was removed
    return Ending("cancelled")


def refuse(claim: Claim, sentence: str) -> Ending:
    """The file itself is bad: no retry, nothing kept, nothing charged."""
    with transaction():
        job = claims.held_job(claim)
        attempts.end(claim.token, attempt.REFUSED, sentence)
        _fail(job, sentence if job.is_upload else f"{sentence} {AS_IT_WAS}", None)
    forget(claim.incoming_key, claim.sp404_key)
    return Ending("failed")


def try_again(claim: Claim, sentence: str, detail: str, exit_status: int | None = None) -> Ending:
    """Something broke: back to the queue while tries are left, otherwise failed."""
    with transaction():
        job = claims.held_job(claim)
        if job.has_tries_left:
            attempts.end(claim.token, attempt.RETRY, detail, exit_status)
            retry_at = utcnow() + backoff(job.attempt)
            job.release(retry_at)
            job.error_detail = detail[-MAX_DETAIL:]
            return Ending("pending", retry_at)
        attempts.end(claim.token, attempt.FAILED, detail, exit_status)
        _fail(job, f"{sentence} We tried {MAX_ATTEMPTS} times. {_once_more(job)}", detail, KEPT_FOR)
    forget(claim.original_key)
    return Ending("failed")


def wait(claim: Claim, detail: str) -> Ending:
    """Something we depend on is away, which is no fault of the job: it waits and no try is counted.

    Not for ever: what is away for days is gone, as an object is that somebody has removed.
    """
    log.warning("%s waits: %s", claim.log_name, ascii(detail))
    with transaction():
        job = claims.held_job(claim)
        attempts.end(claim.token, attempt.WAITING, detail)
        if job.created_at > utcnow() - PATIENCE:
            retry_at = utcnow() + backoff(1)
            job.release(retry_at)
            job.attempt -= 1
            job.error_detail = detail[-MAX_DETAIL:]
            return Ending("pending", retry_at)
        what_now = "Upload it again." if job.is_upload else AS_IT_WAS
        _fail(job, f"Our file store could not give the file back. {what_now}", detail)
    return Ending("failed")


def abandoned(job_id: str, token: str | None) -> None:
    """The worker is gone: back to the queue, or failed when that was the last try."""
    with transaction() as session:
        held = select(Job).where(Job.id == job_id, Job.lease_token == token, Job.state == PROCESSING)
        job = session.scalar(held.with_for_update())
        if job is None:
            return
        log.warning("job %s attempt %s was abandoned by %s", job.id, job.attempt, job.worker)
        attempts.end(token, attempt.ABANDONED, f"{job.worker} is gone, or was cut off from the database")
        if job.has_tries_left:
            job.release(utcnow())
            return
        _fail(job, f"Its worker stopped {MAX_ATTEMPTS} times. {_once_more(job)}", None, KEPT_FOR)
        original_key = job.original_key
    forget(original_key)


def cancel(job_id: str) -> bool:
    """End a job that waits or runs, give its charge back, and say whether there was one.

    A worker that holds it finds its lease gone within moments, and kills what it runs.
    """
    with transaction() as session:
        unfinished = select(Job).where(Job.id == job_id, Job.state.in_(UNFINISHED))
        job = session.scalar(unfinished.with_for_update().execution_options(populate_existing=True))
        if job is None:
            return False
        attempts.end(job.lease_token, attempt.CANCELLED)
        job.cancel()
        job.results = {}
        quota.give_back(job)
        batches.settle(job.batch_id)
        keys = (job.incoming_key, job.sp404_key, job.original_key)
    forget(*keys)
    return True


def lost(claim: Claim, exit_status: int | None = None) -> Ending:
    """The job was cancelled, or somebody else has it."""
    log.warning("%s lost its lease; its work does not count", claim.log_name)
    if exit_status is not None:
        with transaction():
            attempts.note_exit(claim.token, exit_status)
    return Ending("lost")


def backoff(attempt: int) -> timedelta:
    """30 s after the first attempt, 120 s after the second, spread so that retries don't arrive together."""
    seconds = BACKOFF_S[min(attempt, len(BACKOFF_S)) - 1]
    return timedelta(seconds=seconds * SystemRandom().uniform(1 - JITTER, 1 + JITTER))


def _once_more(job: Job) -> str:
    return ONCE_MORE if job.is_upload else f"{AS_IT_WAS} Try again, now or later."


def _fail(job: Job, sentence: str, detail: str | None, keep_for: timedelta | None = None) -> None:
    """What is kept for another try keeps its finished steps too."""
    job.fail(sentence, detail[-MAX_DETAIL:] if detail else None, keep_for)
    if keep_for is None:
        job.results = {}
    quota.give_back(job)
    _tell(job, JOB_FAILED)
    batches.settle(job.batch_id)


def _tell(job: Job, event: str) -> None:
    """Webhooks: a retry's end is an event of its own."""
    same = ("purpose", "filename", "sample_id", "error", "created_at", "finished_at")
    data = {"job_id": job.id, "status": job.state} | {name: getattr(job, name) for name in same}
    webhook_delivery.promise(job.user_id, event, f"{job.id}_{job.state}_{job.retries}", data)


def forget(*keys: str) -> None:
    """Remove objects nobody refers to any more; what can't be removed now is found by `sweeps.orphans`."""
    store = open_store(settings())
    for key in filter(None, keys):
        with suppress(StorageError):
            store.delete(key)
