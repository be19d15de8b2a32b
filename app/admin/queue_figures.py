"""Compute the figures of the queue from the database, so that every process shows the same."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Integer, Select, case, cast, func, select

from app.billing.plans import FREE_TIER, PRO_TIER, TIERS
from app.extensions import db
from app.jobs import purposes
from app.jobs import workers as worker_table
from app.models import Attempt, Job, OutboxMessage, VectorOrder, Worker
from app.models.base import utcnow
from app.models.job import COMPLETED, FAILED, PENDING, is_running
from app.models.worker_process import PAUSED, RUNNING

RECENT_SPAN = timedelta(hours=1)
MAX_MEASURED = 2000
MAX_COUNTED = 100_000


@dataclass(frozen=True)
class QueueSummary:
    """How the queue is now. Shares and times are of the last hour, or None when nothing ended in it."""

    state: str  # running, paused, or no heartbeat
    running: int
    jobs_per_minute: float
    failed_share: float | None
    oldest_s: dict[str, float]  # tier: how long its first ready job has been due
    wait_s: tuple[float, float] | None  # the median and the 95th percentile
    run_s: tuple[float, float] | None  # the median and the 95th percentile
    unsent: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class WorkerRow:
    """One worker process as the page shows it, with the jobs it runs now."""

    worker: Worker
    state: str
    jobs: list[Job]


@dataclass(frozen=True)
class TimeBucket:
    """One step of a graph: the attempts that ended in it, and their mean times."""

    start: datetime
    done: int = 0
    failed: int = 0
    wait_s: float | None = None
    run_s: float | None = None


@dataclass(frozen=True)
class VectorOrders:
    """How many samples still wait for their similarity vector, and how many can't have one."""

    waiting: int
    failed: int


def queue_summary(workers: list[WorkerRow]) -> QueueSummary:
    """Return the figures above the list of workers. `workers` are the rows of that list."""
    since = utcnow() - RECENT_SPAN
    ended = _ended_jobs(since)
    done, failed = ended.get(COMPLETED, 0), ended.get(FAILED, 0)
    waits, runs = _recent_times(since)
    return QueueSummary(
        state=_queue_state(workers),
        running=sum(len(row.jobs) for row in workers),
        jobs_per_minute=done / (RECENT_SPAN.total_seconds() / 60),
        failed_share=failed / (done + failed) if done + failed else None,
        oldest_s=oldest_ready_s(),
        wait_s=_median_and_p95(waits),
        run_s=_median_and_p95(runs),
        unsent=db.session.scalar(select(func.count()).where(OutboxMessage.sent_at.is_(None))) or 0,
    )


def worker_rows() -> list[WorkerRow]:
    """Return every known worker with the jobs that it runs."""
    known = db.session.scalars(select(Worker).order_by(Worker.host, Worker.pid)).all()
    running = _running_jobs()
    return [
        WorkerRow(worker, worker_table.worker_state(worker, running[worker.id]), running[worker.id])
        for worker in known
    ]


def oldest_ready_s() -> dict[str, float]:
    """Return for how long the first ready job of each tier has been due; a tier without one is left out."""
    now, oldest = utcnow(), dict[str, float]()
    for priority in purposes.all_priorities():
        due = select(func.min(Job.run_at)).where(
            Job.state == PENDING, Job.priority == priority, Job.run_at <= now
        )
        if (first := db.session.scalar(due)) is not None:
            tier = tier_of_priority(priority)
            oldest[tier] = max(oldest.get(tier, 0.0), (now - first).total_seconds())
    return oldest


def count_waiting(is_due: bool) -> dict[str, int]:
    """Return how many jobs of each tier wait, those that are due or those that are not yet."""
    now, counts = utcnow(), dict.fromkeys(TIERS, 0)
    for priority in purposes.all_priorities():
        when = Job.run_at <= now if is_due else Job.run_at > now
        waiting = select(Job.run_at).where(Job.state == PENDING, Job.priority == priority, when)
        counts[tier_of_priority(priority)] += count_up_to(waiting)
    return counts


def tier_of_priority(priority: int) -> str:
    """Return the tier of the jobs with this priority, which the index has and the tier itself is not in."""
    return FREE_TIER if priority >= purposes.first_free_priority() else PRO_TIER


def count_up_to(rows: Select[Any], most: int = MAX_COUNTED) -> int:
    """Return how many rows there are, or `most` if there are more, so that counting takes a bounded time."""
    return db.session.scalar(select(func.count()).select_from(rows.limit(most).subquery())) or 0


def count_vector_orders() -> VectorOrders:
    """Return how many samples wait for their similarity vector, and for how many it failed."""
    has_time = VectorOrder.due_at.is_not(None)
    waiting, failed = (count_up_to(select(VectorOrder.due_at).where(each)) for each in (has_time, ~has_time))
    return VectorOrders(waiting, failed)


def time_buckets(span: timedelta, step: timedelta) -> list[TimeBucket]:
    """Return what ended in each step of a span up to now, with an empty bucket where nothing did."""
    step_s = int(step.total_seconds())
    last = int(utcnow().timestamp()) // step_s
    first = last - int(span / step) + 1
    start = datetime.fromtimestamp(first * step_s, UTC)
    number = cast(epoch_seconds(Attempt.ended_at) / step_s, Integer)
    counted = {
        int(row[0]): row
        for row in db.session.execute(
            select(
                number,
                func.sum(case((Attempt.outcome == COMPLETED, 1), else_=0)),
                func.sum(case((Attempt.outcome.in_(("failed", "refused")), 1), else_=0)),
                func.avg(Attempt.wait_s),
                func.avg(Attempt.run_s),
            )
            .where(Attempt.ended_at >= start)
            .group_by(number)
        )
    }
    return [
        TimeBucket(datetime.fromtimestamp(n * step_s, UTC), *(counted[n][1:] if n in counted else ()))
        for n in range(first, last + 1)
    ]


def _running_jobs() -> defaultdict[str, list[Job]]:
    """Return the running jobs by the id of their worker, in one query however many workers there are."""
    jobs: defaultdict[str, list[Job]] = defaultdict(list)
    for job in db.session.scalars(select(Job).where(is_running()).order_by(Job.started_at)):
        machine, pid = (job.worker or "::").split(":")[:2]  # the thread's name follows
        jobs[f"{machine}:{pid}"].append(job)
    return jobs


def _ended_jobs(since: datetime) -> dict[str, int]:
    ended = select(Job.state, func.count()).where(
        Job.state.in_((COMPLETED, FAILED)), Job.finished_at >= since
    )
    return {str(state): int(count) for state, count in db.session.execute(ended.group_by(Job.state))}


def _recent_times(since: datetime) -> tuple[list[float], list[float]]:
    """Return the wait and run times of recently completed attempts, each sorted."""
    ended = (
        select(Attempt.wait_s, Attempt.run_s)
        .where(Attempt.ended_at >= since, Attempt.outcome == COMPLETED)
        .order_by(Attempt.ended_at.desc())
        .limit(MAX_MEASURED)
    )
    rows = db.session.execute(ended).all()
    return sorted(row.wait_s for row in rows), sorted(row.run_s for row in rows)


def _median_and_p95(values: list[float]) -> tuple[float, float] | None:
    if not values:
        return None
    return values[len(values) // 2], values[min(int(len(values) * 0.95), len(values) - 1)]


def _queue_state(workers: list[WorkerRow]) -> str:
    """Return `running`, `paused` when no live worker takes jobs, or `no heartbeat` without a live worker."""
    alive = [row.worker for row in workers if not row.worker.is_silent]
    if not alive:
        return "no heartbeat"
    return RUNNING if any(worker.mode == RUNNING for worker in alive) else PAUSED


def epoch_seconds(column: Any) -> Any:
    """Return an SQL expression for a column's Unix time, for SQLite or PostgreSQL."""
    if db.engine.dialect.name == "sqlite":
        return cast(func.strftime("%s", column), Integer)
    return cast(func.floor(func.extract("epoch", column)), Integer)
