"""The lease on a job: proof that one worker holds it, and the fence around everything that worker writes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask.globals import app_ctx
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from app.extensions import db
from app.jobs import attempt_log
from app.models import Job
from app.models.base import transaction, utcnow
from app.models.job import PROCESSING

LEASE_DURATION = timedelta(seconds=60)
HEARTBEAT_S = 10.0
# How often a holder checks that its job was neither cancelled nor given to another worker.
LEASE_CHECK_S = 1.0

log = logging.getLogger(__name__)


class LeaseLostError(Exception):
    """Another worker has the job now, or it was cancelled: nothing this worker writes may count."""


@dataclass(frozen=True)
class Claim:
    """A job as its holder sees it: facts that don't change while it is held, and the fencing token."""

    job_id: str
    user_id: str
    token: str
    attempt: int
    purpose: str
    filename: str
    results: Mapping[str, Any]  # of the steps that earlier attempts finished
    # The objects that the job itself put into the store, removed when it comes to nothing.
    # Empty for a job about a sample: the sample owns its objects.
    incoming_key: str = ""
    original_key: str = ""
    sp404_key: str = ""
    content_sha256: str = ""  # empty until the file has been read
    ai_analysis: bool = True  # whether a description was asked for
    sample_id: str | None = None  # the sample the job is about
    source_key: str = ""  # where the bytes are
    wav_key: str = ""  # where the unit's WAV goes
    made_key: str = ""  # where the file goes that the job was asked to make
    choices: Mapping[str, Any] = field(default_factory=dict)  # what its owner chose
    retries: int = 0  # how often a person has queued it again
    trace_parent: str | None = None  # the span that queued it, when traces are on
    request_id: str = ""  # of the request that queued it
    step_times: dict[str, float] = field(default_factory=dict)  # seconds after the start
    # The step that was reached and the results so far, while they wait to be written with something else.
    unsaved: dict[str, Any] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    @property
    def log_name(self) -> str:
        queued_by = f" request {self.request_id}" if self.request_id else ""
        return f"job {self.job_id} attempt {self.attempt}{queued_by}"


def extend_lease(claim: Claim) -> bool:
    """Extend the lease; return False when another worker has the job."""
    return _update_held_job(claim, lease_until=utcnow() + LEASE_DURATION)


def hold_step(claim: Claim, step: str, results: Mapping[str, Any]) -> None:
    """Note the step that was reached and all results so far, to be written with whatever is written next."""
    claim.step_times[step] = round(time.monotonic() - claim.started, 3)
    claim.unsaved.update(step=step, results=dict(results))


def save_step(claim: Claim, step: str, results: Mapping[str, Any]) -> None:
    """Write the step that was reached and all results so far, or raise LeaseLostError."""
    hold_step(claim, step, results)
    save_held_step(claim)


def save_held_step(claim: Claim) -> None:
    """Write the step that was noted last, unless it is written already, or raise LeaseLostError."""
    if not claim.unsaved:
        return
    if not _update_held_job(claim, **claim.unsaved, lease_until=utcnow() + LEASE_DURATION):
        raise LeaseLostError(claim.log_name)
    claim.unsaved.clear()


def is_lease_held(claim: Claim) -> bool:
    """Return whether the job is still held under this claim. Writes nothing."""
    held = select(Job.id).where(
        Job.id == claim.job_id, Job.lease_token == claim.token, Job.state == PROCESSING
    )
    return db.session.scalar(held) is not None


def lock_held_job(claim: Claim) -> Job:
    """Return the job's row, locked, inside a transaction; raise LeaseLostError when the lease is gone."""
    job = db.session.scalar(
        select(Job).where(Job.id == claim.job_id, Job.lease_token == claim.token).with_for_update()
    )
    if job is None or job.state != PROCESSING:
        raise LeaseLostError(claim.log_name)
    return job


@contextmanager
def keep_lease(claim: Claim) -> Iterator[Callable[[], bool]]:
    """Extend the lease from a thread of its own while the block runs, however slow the store is.

    Yields a function that tells whether the job is still held; it turns False soon after a cancellation.
    """
    app = app_ctx.app
    done, lost = threading.Event(), threading.Event()

    def watch_lease() -> None:
        extended = time.monotonic()
        while not done.wait(min(LEASE_CHECK_S, HEARTBEAT_S)):
            is_due = time.monotonic() - extended >= HEARTBEAT_S
            with app.app_context():
                if not _holds_lease(extend_lease if is_due else is_lease_held, claim):
                    lost.set()
                    return
            extended = time.monotonic() if is_due else extended

    thread = threading.Thread(target=watch_lease, name=f"lease-{claim.job_id}", daemon=True)
    thread.start()
    try:
        yield lambda: not lost.is_set()
    finally:
        done.set()
        thread.join()


def _holds_lease(check: Callable[[Claim], bool], claim: Claim) -> bool:
    try:
        return check(claim)
    except OperationalError:
        log.warning("%s could not check its lease", claim.log_name, exc_info=True)
        return True  # the database is away; the fencing token decides when it is back


def _update_held_job(claim: Claim, **values: Any) -> bool:
    """Update the job if this claim still holds it, and the step times of its attempt with it."""
    with transaction() as session:
        held = session.scalar(
            update(Job)
            .where(Job.id == claim.job_id, Job.lease_token == claim.token, Job.state == PROCESSING)
            .values(**values)
            .returning(Job.id)
        )
        if held is not None and "step" in values:
            attempt_log.record_steps(claim.token, claim.step_times)
        return held is not None
