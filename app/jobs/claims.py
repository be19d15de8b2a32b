"""Claiming: the database decides which job is next, and a lease says who has it."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask.globals import app_ctx
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from app.billing import quota
from app.extensions import db
from app.jobs import attempts, scheduler, workers
from app.jobs.workers import holder_name
from app.models import Job
from app.models.base import transaction, utcnow
from app.models.job import PROCESSING, UPLOAD
from app.models.worker_process import RUNNING

LEASE_DURATION = timedelta(seconds=60)
HEARTBEAT_S = 10.0
# So soon a holder sees that its job was cancelled or is somebody else's.
LEASE_CHECK_S = 1.0
# Two claims that choose the same user at once: one of them may find the user's last slot taken.
MAX_CLAIM_RACES = 10

log = logging.getLogger(__name__)


class LeaseLostError(Exception):
    """Somebody else has the job now; nothing this worker does may count."""


@dataclass(frozen=True)
class Claim:
    """A job as its holder sees it: facts that don't change while it is held, and the fence."""

    job_id: str
    user_id: str
    token: str
    attempt: int
    filename: str
    # The objects of an upload's own, which go when it comes to nothing; empty for a job about a sample.
    incoming_key: str
    original_key: str
    sp404_key: str
    content_sha256: str  # empty while nobody has read the file
    results: dict[str, Any]
    purpose: str = UPLOAD
    sample_id: str | None = None  # what the job is about
    source_key: str = ""  # where the bytes are
    wav_key: str = ""  # where the unit's WAV goes
    step_times: dict[str, float] = field(default_factory=dict)  # seconds after the start
    started: float = field(default_factory=time.monotonic)

    @property
    def is_upload(self) -> bool:
        return self.purpose == UPLOAD

    @property
    def log_name(self) -> str:
        return f"job {self.job_id} attempt {self.attempt}"


def claim_next() -> Claim | None:
    """Take the best ready job there is for this worker.

    A user is chosen first, then their account is locked: claims for one user follow one another, so of
    many at once exactly as many succeed as the user may have running. Each transaction locks one account
    only, and none waits for another in a circle.
    """
    for _ in range(MAX_CLAIM_RACES):
        with transaction() as session:
            worker = workers.lock_own_worker()
            if worker is not None and worker.mode != RUNNING:
                return None
            turn = scheduler.next_candidate(worker)
            if turn is None:
                return None
            quota.lock_account(turn.user_id)
            job = session.scalar(scheduler.select_first_job(turn))
            if job is not None:
                token = secrets.token_hex(16)
                job.start(token, holder_name(), LEASE_DURATION)
                attempts.record_start(job, token)
                return _build_claim(job, token)
    return None


def extend_lease(claim: Claim) -> bool:
    """Keep the lease; False when somebody else has the job."""
    return _fenced_update(claim, lease_until=utcnow() + LEASE_DURATION)


def save_step(claim: Claim, step: str, **results: Any) -> None:
    """Mark a step and keep what it left behind, or raise LeaseLostError."""
    claim.results.update(results)
    claim.step_times[step] = round(time.monotonic() - claim.started, 3)
    values = {"step": step, "results": dict(claim.results), "lease_until": utcnow() + LEASE_DURATION}
    if not _fenced_update(claim, **values):
        raise LeaseLostError(claim.log_name)


def save_content_hash(claim: Claim, sha256: str) -> None:
    """What the file's bytes are known by: one that came past the app is first read by its worker."""
    if not _fenced_update(claim, content_sha256=sha256):
        raise LeaseLostError(claim.log_name)


def is_lease_held(claim: Claim) -> bool:
    """Whether the job is still ours; a look that writes nothing."""
    held = select(Job.id).where(
        Job.id == claim.job_id, Job.lease_token == claim.token, Job.state == PROCESSING
    )
    return db.session.scalar(held) is not None


def lock_held_job(claim: Claim) -> Job:
    """The row, locked, inside a transaction; raises LeaseLostError when the lease is gone."""
    job = db.session.scalar(
        select(Job).where(Job.id == claim.job_id, Job.lease_token == claim.token).with_for_update()
    )
    if job is None or job.state != PROCESSING:
        raise LeaseLostError(claim.log_name)
    return job


@contextmanager
def keep_lease(claim: Claim) -> Iterator[Callable[[], bool]]:
    """Extend the lease from a thread of its own while the block runs, however slow the store is.

    Yields a function that tells whether the job is still ours: not for long after it was cancelled.
    """
    app = app_ctx.app
    done, lost = threading.Event(), threading.Event()

    def beat() -> None:
        extended = time.monotonic()
        while not done.wait(min(LEASE_CHECK_S, HEARTBEAT_S)):
            is_due = time.monotonic() - extended >= HEARTBEAT_S
            with app.app_context():
                if not _holds_lease(extend_lease if is_due else is_lease_held, claim):
                    lost.set()
                    return
            extended = time.monotonic() if is_due else extended

    thread = threading.Thread(target=beat, name=f"lease-{claim.job_id}", daemon=True)
    thread.start()
    try:
        yield lambda: not lost.is_set()
    finally:
        done.set()
        thread.join()


def _holds_lease(held: Callable[[Claim], bool], claim: Claim) -> bool:
    try:
        return held(claim)
    except OperationalError:
        log.warning("%s could not see to its lease", claim.log_name, exc_info=True)
        return True  # the database is away; the fence decides when it is back


def _build_claim(job: Job, token: str) -> Claim:
    return Claim(
        job_id=job.id,
        user_id=job.user_id,
        token=token,
        attempt=job.attempt,
        filename=job.filename,
        incoming_key=job.incoming_key,
        original_key=job.original_key,
        sp404_key=job.sp404_key,
        content_sha256=job.content_sha256,
        results=dict(job.results),
        purpose=job.purpose,
        sample_id=job.sample_id,
        source_key=job.incoming_key or (job.sample.original_key if job.sample else ""),
        wav_key=job.sp404_key or (job.sample.sp404_key if job.sample else ""),
    )


def _fenced_update(claim: Claim, **values: Any) -> bool:
    with transaction() as session:
        held = session.scalar(
            update(Job)
            .where(Job.id == claim.job_id, Job.lease_token == claim.token, Job.state == PROCESSING)
            .values(**values)
            .returning(Job.id)
        )
        if held is not None and "step" in values:
            attempts.record_steps(claim.token, claim.step_times)
        return held is not None
