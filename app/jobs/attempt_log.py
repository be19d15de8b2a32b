"""Record the attempts of jobs, in the transactions that claim and end them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Insert, Select, bindparam, func, insert, select, update

from app.extensions import db
from app.models import Attempt, Job
from app.models.base import utcnow
from app.models.job_attempt import COMPLETED

MAX_DETAIL = 8000
# A purpose takes as long as its latest jobs, looked for among so many attempts of all purposes: of a rare one
# there may be none in the last million.
MEASURED_ATTEMPTS, LATEST_ATTEMPTS = 50, 1_000


def record_start(job: Job) -> None:
    """Record that the job was claimed, under the token that it has."""
    now = utcnow()
    values = {
        "job": job.id,
        "lease": job.lease_token,
        "job_tier": job.tier,
        "holder": job.worker,
        "waited_s": max((now - job.run_at).total_seconds(), 0),
        "now": now,
    }
    db.session.connection().execute(_insert_attempt(), values)


def record_end(
    job: Job,
    outcome: str,
    detail: str | None = None,
    exit_status: int | None = None,
    steps: Mapping[str, float] | None = None,
) -> None:
    """Record how the attempt that holds this job ended, and the stages it reached where they are given.

    Call it before the job gives up its lease. An attempt that has ended is not changed.
    """
    if job.lease_token is None or job.started_at is None:
        return
    now = utcnow()
    ended = {
        "ended_at": now,
        "run_s": (now - job.started_at).total_seconds(),
        "outcome": outcome,
        "exit_status": exit_status,
        "detail": detail[-MAX_DETAIL:] if detail else None,
    } | ({"steps": dict(steps)} if steps else {})
    running = update(Attempt).where(Attempt.token == job.lease_token, Attempt.ended_at.is_(None))
    db.session.execute(running.values(ended), execution_options={"synchronize_session": False})


def record_steps(token: str, times: dict[str, Any]) -> None:
    """Record the stages reached so far, each with its seconds after the start."""
    db.session.execute(update(Attempt).where(Attempt.token == token).values(steps=times))


def record_exit_status(token: str, exit_status: int | None) -> None:
    """Record how the engine's child ended after the attempt itself had ended, as by a cancellation."""
    unknown = Attempt.exit_status.is_(None)
    db.session.execute(update(Attempt).where(Attempt.token == token, unknown).values(exit_status=exit_status))


def mean_run_s(purpose: str) -> float | None:
    """Return how long jobs of this purpose take, from the latest that completed; None if none did lately."""
    return db.session.connection().scalar(_select_mean(), {"purpose": purpose, "looked_at": LATEST_ATTEMPTS})


@lru_cache(maxsize=1)
def _insert_attempt() -> Insert:
    before = select(func.coalesce(func.max(Attempt.number), 0)).where(Attempt.job_id == bindparam("job"))
    return insert(Attempt).values(
        job_id=bindparam("job"),
        number=before.scalar_subquery() + 1,
        token=bindparam("lease"),
        tier=bindparam("job_tier"),
        worker=bindparam("holder"),
        wait_s=bindparam("waited_s"),
        started_at=bindparam("now"),
    )


@lru_cache(maxsize=1)
def _select_mean() -> Select[float]:
    latest = (
        select(Attempt.job_id, Attempt.run_s, Attempt.outcome)
        .where(Attempt.ended_at.is_not(None))
        .order_by(Attempt.ended_at.desc())
        .limit(bindparam("looked_at"))
        .subquery()
    )
    measured = (
        select(latest.c.run_s)
        .join(Job, Job.id == latest.c.job_id)
        .where(latest.c.outcome == COMPLETED, Job.purpose == bindparam("purpose"))
        .limit(MEASURED_ATTEMPTS)
        .subquery()
    )
    return select(func.avg(measured.c.run_s))
