"""The figures of the queue, all from the database, so that every process says the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Integer, case, cast, func, select

from app.extensions import db
from app.jobs import workers
from app.models import Attempt, Job, OutboxMessage, Worker
from app.models.base import utcnow
from app.models.job import COMPLETED, FAILED, PENDING
from app.models.worker_process import DRAINING, PAUSED, RUNNING

RECENT_SPAN = timedelta(hours=1)
MAX_MEASURED = 2000


@dataclass(frozen=True)
class QueueSummary:
    """How the queue is now. Shares and times are of the last hour; None where nothing ended."""

    state: str  # running, paused, or no heartbeat
    running: int
    jobs_per_minute: float
    failed_share: float | None
    oldest_s: dict[str, float]  # tier: how long its first ready job has waited
    wait_s: tuple[float, float] | None  # half wait less, and nineteen of twenty
    run_s: tuple[float, float] | None
    unsent: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class WorkerRow:
    """One worker process as the page shows it."""

    worker: Worker
    state: str
    jobs: list[Job]


@dataclass(frozen=True)
class TimeBucket:
    """One step of a graph: what ended in it."""

    start: datetime
    done: int = 0
    failed: int = 0
    wait_s: float | None = None
    run_s: float | None = None


def queue_summary() -> QueueSummary:
    since = utcnow() - RECENT_SPAN
    ended = _ended_jobs(since)
    done, failed = ended.get(COMPLETED, 0), ended.get(FAILED, 0)
    waits, runs = _recent_times(since)
    lines = worker_rows()
    return QueueSummary(
        state=_queue_state(lines),
        running=sum(len(line.jobs) for line in lines),
        jobs_per_minute=done / (RECENT_SPAN.total_seconds() / 60),
        failed_share=failed / (done + failed) if done + failed else None,
        oldest_s=oldest_ready_s(),
        wait_s=_median_and_p95(waits),
        run_s=_median_and_p95(runs),
        unsent=db.session.scalar(select(func.count()).where(OutboxMessage.sent_at.is_(None))) or 0,
    )


def worker_rows() -> list[WorkerRow]:
    known = db.session.scalars(select(Worker).order_by(Worker.host, Worker.pid)).all()
    held = [(worker, workers.running_jobs(worker)) for worker in known]
    return [WorkerRow(worker, _worker_state(worker, jobs), jobs) for worker, jobs in held]


def oldest_ready_s() -> dict[str, float]:
    now = utcnow()
    rows = db.session.execute(
        select(Job.tier, func.min(Job.run_at))
        .where(Job.state == PENDING, Job.run_at <= now)
        .group_by(Job.tier)
    )
    return {str(tier): (now - due).total_seconds() for tier, due in rows}


def time_buckets(span: timedelta, step: timedelta) -> list[TimeBucket]:
    """What ended in each step of a span up to now."""
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


def _ended_jobs(since: datetime) -> dict[str, int]:
    ended = select(Job.state, func.count()).where(
        Job.state.in_((COMPLETED, FAILED)), Job.finished_at >= since
    )
    return {str(state): int(count) for state, count in db.session.execute(ended.group_by(Job.state))}


def _recent_times(since: datetime) -> tuple[list[float], list[float]]:
    """Waits and runs of what was completed lately, each sorted."""
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


def _queue_state(lines: list[WorkerRow]) -> str:
    alive = [line.worker for line in lines if not line.worker.is_silent]
    if not alive:
        return "no heartbeat"
    return RUNNING if any(worker.mode == RUNNING for worker in alive) else PAUSED


def _worker_state(worker: Worker, jobs: list[Job]) -> str:
    if worker.is_silent:
        return "no heartbeat"
    return "drained" if worker.mode == DRAINING and not jobs else worker.mode


def epoch_seconds(column: Any) -> Any:
    """Seconds since 1970, which each database has its own word for."""
    if db.engine.dialect.name == "sqlite":
        return cast(func.strftime("%s", column), Integer)
    return cast(func.floor(func.extract("epoch", column)), Integer)
