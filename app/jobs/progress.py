"""Estimate how far a batch is and when jobs will be done, from measured run times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, case, func, select

from app.extensions import db, settings
from app.jobs import attempt_log, workers
from app.models import Job
from app.models.base import UtcDateTime, utcnow
from app.models.job import CANCELLED, PENDING, UNFINISHED, is_unfinished
from app.plurals import pluralize

MAX_BATCHES = 5
# Used until a job of the purpose has been measured.
TYPICAL_RUN_S = 5.0


@dataclass(frozen=True)
class BatchProgress:
    """One batch; `left_s` is None while nothing has been measured or nothing is due."""

    batch_id: str
    done: int
    total: int
    left_s: float | None
    starts_at: datetime | None  # when its first job is due, while every unfinished one is delayed

    @property
    def left_words(self) -> str:
        if self.left_s is None:
            return ""
        minutes = round(self.left_s / 60)
        if minutes < 1:
            return "less than a minute left"
        if minutes < 90:
            return f"about {pluralize(minutes, 'minute')} left"
        return f"about {round(minutes / 60)} hours left"


def active_batches(user_id: str, slots: int | None = None) -> list[BatchProgress]:
    """Return the unfinished batches of more than one file, oldest first; cancelled files don't count.

    The slots of all workers are looked up unless they are given.
    """
    rows = db.session.connection().execute(_select_active(), {"user_id": user_id, "now": utcnow()}).all()
    at_once = _jobs_at_once(workers.total_slots() if slots is None and rows else slots or 0)
    due_purposes = {row.purpose for row in rows if row.left > row.delayed}
    job_s = {purpose: _seconds_per_job(purpose, at_once) for purpose in due_purposes}
    found, ahead_s = [], 0.0
    for row in rows:
        due, each_s = row.left - row.delayed, job_s.get(row.purpose)
        ahead_s += due * (each_s or 0.0)  # one user's batches run one after another
        left_s = ahead_s if each_s is not None and due else None
        found.append(
            BatchProgress(
                row.batch_id, row.total - row.left, row.total, left_s, row.starts_at if not due else None
            )
        )
    return found


def estimate_finish(job: Job) -> datetime | None:
    """Estimate when a job will be done, from recent run times and the jobs before it; None once it is."""
    if job.is_finished:
        return None
    before = (Job.priority <= job.priority, Job.run_at <= job.run_at, Job.id != job.id)
    ahead = db.session.scalar(select(func.count()).where(is_unfinished(), *before)) or 0
    run_s = attempt_log.mean_run_s(job.purpose) or TYPICAL_RUN_S
    rounds = ahead // max(workers.total_slots(), 1) + 1
    return max(job.run_at, utcnow()) + timedelta(seconds=rounds * run_s)


@lru_cache(maxsize=1)
def _select_active() -> Select[*tuple[Any, ...]]:
    unfinished = Job.state.in_(UNFINISHED)
    active = select(Job.batch_id).where(Job.user_id == bindparam("user_id"), unfinished).distinct()
    delayed = (Job.state == PENDING) & (Job.run_at > bindparam("now", type_=UtcDateTime))
    columns = (
        Job.batch_id,
        func.count().label("total"),
        func.sum(case((unfinished, 1), else_=0)).label("left"),
        func.sum(case((delayed, 1), else_=0)).label("delayed"),
        func.min(case((delayed, Job.run_at))).label("starts_at"),
        func.min(Job.purpose).label("purpose"),  # a batch has one
    )
    batches = select(*columns).where(Job.batch_id.in_(active), Job.state != CANCELLED).group_by(Job.batch_id)
    return batches.having(func.count() > 1).order_by(func.min(Job.id)).limit(MAX_BATCHES)


def _jobs_at_once(slots: int) -> int:
    """Return how many jobs of one user may run at the same time."""
    return min(max(slots, 1), settings().user_running_max)


def _seconds_per_job(purpose: str, at_once: int) -> float | None:
    """Return the seconds from one finish to the next, with so many jobs at the same time."""
    run_s = attempt_log.mean_run_s(purpose)
    return run_s / at_once if run_s is not None else None
