"""How an attempt ends. Each ending is one transaction, fenced by the lease."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any

from sqlalchemy import select

from app.billing import overage_charges, quota
from app.engine.contract import Measurement
from app.extensions import settings
from app.integrations.storage import StorageError, open_store
from app.jobs import attempts, claims, outcomes, reprocess
from app.jobs.attempts import MAX_DETAIL
from app.jobs.claims import Claim
from app.models import Job, Sample, job_attempt
from app.models.base import transaction, utcnow
from app.models.job import MAX_ATTEMPTS, PROCESSING, UNFINISHED
from app.models.webhook_endpoint import JOB_COMPLETED, JOB_FAILED
from app.notify import batch_completion, outbox, webhook_delivery
from app.notify.message_kinds import METER_EVENT

log = logging.getLogger(__name__)

BACKOFF_S = (30, 120)
JITTER = 0.2
MAX_WAIT = timedelta(days=3)
# So long a failed job's file is kept, and one click tries it again.
FILE_KEPT_FOR = timedelta(days=3)
RETRY_HINT = f"Its file is kept for {FILE_KEPT_FOR.days} days: try it again, or upload another version."
SAMPLE_UNCHANGED = "The sample is as it was."


@dataclass(frozen=True)
class Transition:
    """What became of an attempt; `retry_at` is set when the job waits for another one."""

    state: str
    retry_at: datetime | None = None


def complete(claim: Claim, measurement: Measurement | None, described: dict[str, Any]) -> Transition:
    """Sample, features, job and message in one transaction; the bytes are in the store already."""
    if not _commit_results(claim, measurement, described):
        return end_deleted(claim)
    remove_objects(claim.incoming_key)
    return Transition("completed")


def _commit_results(claim: Claim, measurement: Measurement | None, described: dict[str, Any]) -> bool:
    """False when the sample that the job is about is not there any more."""
    with transaction() as session:
        quota.lock_account(claim.user_id)  # before the job, as everywhere: no two wait for one another
        job = claims.lock_held_job(claim)
        sample = outcomes.apply_results(job, measurement, described)
        if sample is None:
            return False
        session.add(sample)
        session.flush()
        job.complete(sample)
        job.results = {}
        attempts.record_end(claim.token, job_attempt.COMPLETED)
        if (owed := overage_charges.finalize_charge(job)) is not None:
            outbox.enqueue(f"meter:{job.id}", None, METER_EVENT, owed)
        _promise_webhook(job, JOB_COMPLETED)
        batch_completion.settle_if_done(job.batch_id)
    return True


def end_deleted(claim: Claim) -> Transition:
    """The sample was deleted: there is nothing to do, and nothing of it is brought back."""
    with transaction() as session:
        job = claims.lock_held_job(claim)
        attempts.record_end(claim.token, job_attempt.CANCELLED, reprocess.SAMPLE_DELETED)
        job.cancel(reprocess.SAMPLE_DELETED)
        job.results = {}
        _promise_webhook(job, JOB_FAILED)
        batch_completion.settle_if_done(job.batch_id)
        is_purged = session.get(Sample, claim.sample_id or "", populate_existing=True) is None
    if is_purged:
        remove_objects(claim.wav_key)  # which may have been put there a moment after the rest was removed
    return Transition("cancelled")


def refuse(claim: Claim, sentence: str) -> Transition:
    """The file itself is bad: no retry, nothing kept, nothing charged."""
    with transaction():
        job = claims.lock_held_job(claim)
        attempts.record_end(claim.token, job_attempt.REFUSED, sentence)
        _fail_job(job, sentence if job.is_upload else f"{sentence} {SAMPLE_UNCHANGED}", None)
    remove_objects(claim.incoming_key, claim.sp404_key)
    return Transition("failed")


def retry_or_fail(claim: Claim, sentence: str, detail: str, exit_status: int | None = None) -> Transition:
    """Something broke: back to the queue while tries are left, otherwise failed."""
    with transaction():
        job = claims.lock_held_job(claim)
        if job.has_tries_left:
            attempts.record_end(claim.token, job_attempt.RETRY, detail, exit_status)
            retry_at = utcnow() + retry_delay(job.attempt)
            job.release(retry_at)
            job.error_detail = detail[-MAX_DETAIL:]
            return Transition("pending", retry_at)
        attempts.record_end(claim.token, job_attempt.FAILED, detail, exit_status)
        _fail_job(job, f"{sentence} We tried {MAX_ATTEMPTS} times. {_retry_hint(job)}", detail, FILE_KEPT_FOR)
    remove_objects(claim.original_key)
    return Transition("failed")


def postpone(claim: Claim, detail: str) -> Transition:
    """Something we depend on is away, which is no fault of the job: it waits and no try is counted.

    Not for ever: what is away for days is gone, as an object is that somebody has removed.
    """
    log.warning("%s waits: %s", claim.log_name, ascii(detail))
    with transaction():
        job = claims.lock_held_job(claim)
        attempts.record_end(claim.token, job_attempt.WAITING, detail)
        if job.created_at > utcnow() - MAX_WAIT:
            retry_at = utcnow() + retry_delay(1)
            job.release(retry_at)
            job.attempt -= 1
            job.error_detail = detail[-MAX_DETAIL:]
            return Transition("pending", retry_at)
        what_now = "Upload it again." if job.is_upload else SAMPLE_UNCHANGED
        _fail_job(job, f"Our file store could not give the file back. {what_now}", detail)
    return Transition("failed")


def end_abandoned(job_id: str, token: str | None) -> None:
    """The worker is gone: back to the queue, or failed when that was the last try."""
    with transaction() as session:
        held = select(Job).where(Job.id == job_id, Job.lease_token == token, Job.state == PROCESSING)
        job = session.scalar(held.with_for_update())
        if job is None:
            return
        log.warning("job %s attempt %s was abandoned by %s", job.id, job.attempt, job.worker)
        attempts.record_end(
            token, job_attempt.ABANDONED, f"{job.worker} is gone, or was cut off from the database"
        )
        if job.has_tries_left:
            job.release(utcnow())
            return
        _fail_job(job, f"Its worker stopped {MAX_ATTEMPTS} times. {_retry_hint(job)}", None, FILE_KEPT_FOR)
        original_key = job.original_key
    remove_objects(original_key)


def cancel(job_id: str) -> bool:
    """End a job that waits or runs, give its charge back, and say whether there was one.

    A worker that holds it finds its lease gone within moments, and kills what it runs.
    """
    with transaction() as session:
        unfinished = select(Job).where(Job.id == job_id, Job.state.in_(UNFINISHED))
        job = session.scalar(unfinished.with_for_update().execution_options(populate_existing=True))
        if job is None:
            return False
        attempts.record_end(job.lease_token, job_attempt.CANCELLED)
        job.cancel()
        job.results = {}
        quota.return_charges(job)
        batch_completion.settle_if_done(job.batch_id)
        keys = (job.incoming_key, job.sp404_key, job.original_key)
    remove_objects(*keys)
    return True


def end_lost(claim: Claim, exit_status: int | None = None) -> Transition:
    """The job was cancelled, or somebody else has it."""
    log.warning("%s lost its lease; its work does not count", claim.log_name)
    if exit_status is not None:
        with transaction():
            attempts.record_exit_status(claim.token, exit_status)
    return Transition("lost")


def retry_delay(attempt: int) -> timedelta:
    """30 s after the first attempt, 120 s after the second, spread so that retries don't arrive together."""
    seconds = BACKOFF_S[min(attempt, len(BACKOFF_S)) - 1]
    return timedelta(seconds=seconds * SystemRandom().uniform(1 - JITTER, 1 + JITTER))


def _retry_hint(job: Job) -> str:
    return RETRY_HINT if job.is_upload else f"{SAMPLE_UNCHANGED} Try again, now or later."


def _fail_job(job: Job, sentence: str, detail: str | None, keep_for: timedelta | None = None) -> None:
    """What is kept for another try keeps its finished steps too."""
    job.fail(sentence, detail[-MAX_DETAIL:] if detail else None, keep_for)
    if keep_for is None:
        job.results = {}
    quota.return_charges(job)
    _promise_webhook(job, JOB_FAILED)
    batch_completion.settle_if_done(job.batch_id)


def _promise_webhook(job: Job, event: str) -> None:
    """Webhooks: a retry's end is an event of its own."""
    same = ("purpose", "filename", "sample_id", "error", "created_at", "finished_at")
    data = {"job_id": job.id, "status": job.state} | {name: getattr(job, name) for name in same}
    webhook_delivery.enqueue_event(job.user_id, event, f"{job.id}_{job.state}_{job.retries}", data)


def remove_objects(*keys: str) -> None:
    """Remove objects nobody refers to any more; what can't be removed now is found by `sweeps.orphans`."""
    store = open_store(settings())
    for key in filter(None, keys):
        with suppress(StorageError):
            store.delete(key)
