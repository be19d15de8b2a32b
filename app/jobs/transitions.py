"""How an attempt ends. Each transition is one transaction, fenced by the lease."""

from __future__ import annotations

import logging
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom

from sqlalchemy import select

from app.billing import overage_charges, quota
from app.extensions import settings
from app.integrations.storage import StorageError, open_store
from app.jobs import attempt_log, lease, purposes, reprocess
from app.jobs.attempt_log import MAX_DETAIL
from app.jobs.lease import Claim
from app.jobs.purposes import Results
from app.models import Job, Sample, job_attempt
from app.models.base import transaction, utcnow
from app.models.job import COMPLETED, MAX_ATTEMPTS_WHEN_LOST, PROCESSING, UNFINISHED
from app.notify import batch_completion, outbox, webhook_delivery
from app.notify.message_kinds import METER_EVENT

log = logging.getLogger(__name__)

BACKOFF_S = (30, 120)
JITTER = 0.2
MAX_WAIT = timedelta(days=3)
# How long a failed job's file is kept, so that one click can try it again.
FILE_KEPT_FOR = timedelta(days=3)


@dataclass(frozen=True)
class Transition:
    """The state an attempt ended in; `retry_at` is set when the job waits for another attempt."""

    state: str
    retry_at: datetime | None = None


def complete(claim: Claim, results: Results) -> Transition:
    """Apply the results, complete the job and queue its messages, in one transaction.

    The bytes are in the store already. A job whose sample was deleted ends as cancelled.
    """
    try:
        _commit_results(claim, results)
    except reprocess.SampleGoneError:
        return end_deleted(claim)
    remove_objects(claim.incoming_key)
    return Transition("completed")


def _commit_results(claim: Claim, results: Results) -> None:
    with transaction() as session:
        quota.lock_account(claim.user_id)  # before the job, as everywhere, so that no two wait in a circle
        job = lease.lock_held_job(claim)
        sample = purposes.find_purpose(job.purpose).finish(job, results)
        if sample is not None:
            session.add(sample)
            session.flush()
        _end_attempt(claim, job, job_attempt.COMPLETED)
        job.complete(sample)
        job.results = {}
        if (owed := overage_charges.finalize_charge(job)) is not None:
            outbox.enqueue(f"meter:{job.id}", None, METER_EVENT, owed)
        _enqueue_webhook(job)
        batch_completion.settle_if_done(job.batch_id)


def end_deleted(claim: Claim) -> Transition:
    """Cancel a job whose sample was deleted, and bring nothing of the sample back."""
    with transaction() as session:
        job = lease.lock_held_job(claim)
        _end_attempt(claim, job, job_attempt.CANCELLED, reprocess.SAMPLE_DELETED)
        job.cancel(reprocess.SAMPLE_DELETED)
        job.results = {}
        quota.return_charges(job)
        _enqueue_webhook(job)
        batch_completion.settle_if_done(job.batch_id)
        is_purged = session.get(Sample, claim.sample_id or "", populate_existing=True) is None
    remove_objects(claim.incoming_key, claim.made_key)
    if is_purged:
        remove_objects(claim.wav_key)  # this attempt may have stored it after the other objects were removed
    return Transition("cancelled")


def refuse(claim: Claim, sentence: str) -> Transition:
    """Fail a job whose file can't be used: no retry, nothing kept, nothing charged."""
    with transaction():
        job = lease.lock_held_job(claim)
        _end_attempt(claim, job, job_attempt.REFUSED, sentence)
        _fail_job(job, f"{sentence} {_wording(job).file_refused}".rstrip(), None)
    remove_objects(claim.incoming_key, claim.sp404_key, claim.made_key)
    return Transition("failed")


def retry_or_fail(claim: Claim, sentence: str, detail: str, exit_status: int | None = None) -> Transition:
    """Put a job that broke back into the queue while it has tries left; otherwise fail it."""
    with transaction():
        job = lease.lock_held_job(claim)
        if job.has_tries_left:
            _end_attempt(claim, job, job_attempt.RETRY, detail, exit_status)
            retry_at = utcnow() + retry_delay(job.attempt)
            job.release(retry_at)
            job.error_detail = detail[-MAX_DETAIL:]
            return Transition("pending", retry_at)
        _end_attempt(claim, job, job_attempt.FAILED, detail, exit_status)
        used_up = f"{sentence} We tried {job.attempt} times. {_wording(job).tries_used_up}"
        _fail_job(job, used_up, detail, FILE_KEPT_FOR)
    remove_objects(claim.original_key)
    return Transition("failed")


def postpone(claim: Claim, detail: str) -> Transition:
    """Let a job wait, without counting a try, while something it depends on is away.

    Not for ever: what is still away after days is gone, like an object that somebody has removed.
    """
    log.warning("%s waits: %s", claim.log_name, ascii(detail))
    with transaction():
        job = lease.lock_held_job(claim)
        _end_attempt(claim, job, job_attempt.WAITING, detail)
        if job.created_at > utcnow() - MAX_WAIT:
            retry_at = utcnow() + retry_delay(1)
            job.release(retry_at)
            job.attempt -= 1
            job.error_detail = detail[-MAX_DETAIL:]
            return Transition("pending", retry_at)
        what_now = _wording(job).file_unavailable
        _fail_job(job, f"We couldn't get the file back from our storage. {what_now}", detail)
    return Transition("failed")


def end_abandoned(job_id: str, token: str | None) -> None:
    """Put a job whose worker is gone back into the queue, or fail it when too many workers went."""
    with transaction() as session:
        held = select(Job).where(Job.id == job_id, Job.lease_token == token, Job.state == PROCESSING)
        job = session.scalar(held.with_for_update())
        if job is None:
            return
        log.warning("job %s attempt %s was abandoned by %s", job.id, job.attempt, job.worker)
        lost_contact = f"{job.worker} is gone, or was cut off from the database"
        attempt_log.record_end(job, job_attempt.ABANDONED, lost_contact)
        if job.attempt < MAX_ATTEMPTS_WHEN_LOST:
            job.release(utcnow())
            return
        used_up = f"Processing stopped unexpectedly {job.attempt} times. {_wording(job).tries_used_up}"
        _fail_job(job, used_up, None, FILE_KEPT_FOR)
        original_key = job.original_key
    remove_objects(original_key)


def end_interrupted(job_id: str, token: str | None) -> None:
    """Put a job whose worker was told to stop back into the queue at once, without counting a try."""
    with transaction() as session:
        held = select(Job).where(Job.id == job_id, Job.lease_token == token, Job.state == PROCESSING)
        job = session.scalar(held.with_for_update())
        if job is None:
            return
        log.info("job %s attempt %s goes back to the queue: its worker stops", job.id, job.attempt)
        attempt_log.record_end(job, job_attempt.WAITING, "the worker was told to stop")
        job.release(utcnow())
        job.attempt -= 1


def cancel(job_id: str) -> bool:
    """Cancel a job that waits or runs and give its charge back; return whether there was such a job.

    A worker that holds it finds its lease gone within moments, and kills the engine's child.
    """
    return cancel_jobs([job_id]) == 1


def cancel_jobs(job_ids: Collection[str]) -> int:
    """Cancel those of some jobs that wait or run, in one transaction; return how many that were."""
    with transaction() as session:
        unfinished = select(Job).where(Job.id.in_(job_ids), Job.state.in_(UNFINISHED)).order_by(Job.id)
        locked = unfinished.with_for_update().execution_options(populate_existing=True)
        jobs = session.scalars(locked).all()
        for job in jobs:
            attempt_log.record_end(job, job_attempt.CANCELLED)
            job.cancel()
            job.results = {}
        session.flush()
        quota.return_charges_of(jobs)
        for batch_id in sorted({job.batch_id for job in jobs}):
            batch_completion.settle_if_done(batch_id)
        keys = [key for job in jobs for key in _objects_of(job)]
    remove_objects(*keys)
    return len(jobs)


def _objects_of(job: Job) -> tuple[str | None, ...]:
    """Return the keys of what a job may have stored; one that never ran has stored only what was sent."""
    if job.started_at is None:
        return (job.incoming_key,)
    return job.incoming_key, job.sp404_key, job.original_key, job.made_key


def end_lost(claim: Claim, exit_status: int | None = None) -> Transition:
    """Note that the job was cancelled or taken over; this attempt's work does not count."""
    log.warning("%s lost its lease; its work does not count", claim.log_name)
    if exit_status is not None:
        with transaction():
            attempt_log.record_exit_status(claim.token, exit_status)
    return Transition("lost")


def retry_delay(attempt: int) -> timedelta:
    """Return the pause after an attempt: 30 s, then 120 s, spread so that retries don't arrive together."""
    seconds = BACKOFF_S[min(attempt, len(BACKOFF_S)) - 1]
    return timedelta(seconds=seconds * SystemRandom().uniform(1 - JITTER, 1 + JITTER))


def remove_objects(*keys: str | None) -> None:
    """Remove objects of a job; `cleanup.remove_orphans` finds those that can't be removed now."""
    store = open_store(settings())
    for key in filter(None, keys):
        with suppress(StorageError):
            store.delete(key)


def _end_attempt(
    claim: Claim, job: Job, outcome: str, detail: str | None = None, exit_status: int | None = None
) -> None:
    """Record the end of an attempt; after a failure the job keeps the results that were not written yet."""
    if claim.unsaved and outcome != job_attempt.COMPLETED:
        job.step, job.results = claim.unsaved["step"], claim.unsaved["results"]
    attempt_log.record_end(job, outcome, detail, exit_status, claim.step_times)


def _wording(job: Job) -> purposes.Wording:
    return purposes.find_purpose(job.purpose).wording


def _fail_job(job: Job, sentence: str, detail: str | None, keep_for: timedelta | None = None) -> None:
    """Fail a job and give its charge back. When its file is kept, its finished steps are kept too."""
    job.fail(sentence, detail[-MAX_DETAIL:] if detail else None, keep_for)
    if keep_for is None:
        job.results = {}
    quota.return_charges(job)
    _enqueue_webhook(job)
    batch_completion.settle_if_done(job.batch_id)


def _enqueue_webhook(job: Job) -> None:
    """Queue a webhook for the end of a job; the end of each retry is an event of its own."""
    purpose = purposes.find_purpose(job.purpose)
    if purpose.is_preview:
        return
    event = purpose.completed_event if job.state == COMPLETED else purpose.failed_event
    same = ("purpose", "filename", "sample_id", "error", "created_at", "finished_at")
    data = {"job_id": job.id, "status": job.state} | {name: getattr(job, name) for name in same}
    webhook_delivery.enqueue_event(job.user_id, event, f"{job.id}_{job.state}_{job.retries}", data)
