"""Claiming: the database decides which job is next, and a lease says who has it."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask.globals import app_ctx
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from app.extensions import db
from app.models import Job
from app.models.base import transaction, utcnow
from app.models.job import PENDING, PROCESSING

LEASE = timedelta(seconds=60)
HEARTBEAT_S = 10.0

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
    incoming_key: str
    original_key: str
    sp404_key: str
    results: dict[str, Any]

    @property
    def log_name(self) -> str:
        return f"job {self.job_id} attempt {self.attempt}"


def next_job() -> Claim | None:
    """Take the best ready job: paid tiers first, then the oldest due time."""
    with transaction() as session:
        ready = (
            select(Job)
            .where(Job.state == PENDING, Job.run_at <= utcnow())
            .order_by(Job.priority, Job.run_at, Job.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        job = session.scalar(ready)
        if job is None:
            return None
        token = secrets.token_hex(16)
        job.start(token, worker_name(), LEASE)
        return _claim(job, token)


def extend(claim: Claim) -> bool:
    """Keep the lease; False when somebody else has the job."""
    return _fenced_update(claim, lease_until=utcnow() + LEASE)


def remember(claim: Claim, step: str, **results: Any) -> None:
    """Mark a step and keep what it left behind, or raise LeaseLostError."""
    claim.results.update(results)
    if not _fenced_update(claim, step=step, results=dict(claim.results), lease_until=utcnow() + LEASE):
        raise LeaseLostError(claim.log_name)


def held_job(claim: Claim) -> Job:
    """The row, locked, inside a transaction; raises LeaseLostError when the lease is gone."""
    job = db.session.scalar(
        select(Job).where(Job.id == claim.job_id, Job.lease_token == claim.token).with_for_update()
    )
    if job is None or job.state != PROCESSING:
        raise LeaseLostError(claim.log_name)
    return job


def ready_tiers(limit: int) -> list[str]:
    """The tiers of the jobs that could start now, best first."""
    ready = (
        select(Job.tier)
        .where(Job.state == PENDING, Job.run_at <= utcnow())
        .order_by(Job.priority, Job.run_at, Job.id)
        .limit(limit)
    )
    return list(db.session.scalars(ready))


@contextmanager
def kept(claim: Claim) -> Iterator[Callable[[], bool]]:
    """Extend the lease from a thread of its own while the block runs, however slow the store is.

    Yields a function that tells whether the job is still ours.
    """
    app = app_ctx.app
    done, lost = threading.Event(), threading.Event()

    def beat() -> None:
        while not done.wait(HEARTBEAT_S):
            with app.app_context():
                if not _still_held(claim):
                    lost.set()
                    return

    thread = threading.Thread(target=beat, name=f"lease-{claim.job_id}", daemon=True)
    thread.start()
    try:
        yield lambda: not lost.is_set()
    finally:
        done.set()
        thread.join()


def worker_name() -> str:
    return f"{place()}:{os.getpid()}:{threading.current_thread().name}"


@lru_cache(maxsize=1)
def place() -> str:
    """Where process ids mean something: this host since its boot, in this container."""
    namespace = Path("/proc/self/ns/pid")
    boot = Path("/proc/sys/kernel/random/boot_id")
    inside = f"{boot.read_text()[:8]}.{namespace.stat().st_ino}" if namespace.exists() else ""
    return f"{socket.gethostname()}.{inside}".replace(":", "-")[:80]


def _still_held(claim: Claim) -> bool:
    try:
        return extend(claim)
    except OperationalError:
        log.warning("%s could not extend its lease", claim.log_name, exc_info=True)
        return True  # the database is away; the fence decides when it is back


def _claim(job: Job, token: str) -> Claim:
    return Claim(
        job_id=job.id,
        user_id=job.user_id,
        token=token,
        attempt=job.attempt,
        filename=job.filename,
        incoming_key=job.incoming_key,
        original_key=job.original_key,
        sp404_key=job.sp404_key,
        results=dict(job.results),
    )


def _fenced_update(claim: Claim, **values: Any) -> bool:
    with transaction() as session:
        held = session.scalar(
            update(Job)
            .where(Job.id == claim.job_id, Job.lease_token == claim.token, Job.state == PROCESSING)
            .values(**values)
            .returning(Job.id)
        )
        return held is not None
