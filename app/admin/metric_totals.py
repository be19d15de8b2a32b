"""Add up what has ended, minute by minute, so that a scrape of the metrics does not read the history.

Totals only grow: an account that is deleted, or a failed job that is tried again, takes nothing away from
them. They end a minute ago, so that whatever was about to be committed then is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select

from app.extensions import db
from app.models import Attempt, Job, MetricTotal
from app.models.base import transaction, utcnow
from app.models.job import CANCELLED, COMPLETED, FAILED, UPLOAD

SETTLED_AFTER = timedelta(seconds=60)
ENDED_STATES = (COMPLETED, FAILED, CANCELLED)
RUN_BUCKETS_S = (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
UPLOAD_BUCKETS_S = (1, 2.5, 5, 10, 20, 30, 60, 120, 300, 900, 3600, 43200, 86400)
COUNTED_UNTIL, JOBS, ATTEMPTS, RUNS, UPLOADS = "counted_until", "jobs", "attempts", "runs", "uploads"
SUM, COUNT = "sum", "+Inf"

Key = tuple[str, str]
Span = tuple[datetime, datetime]


def add_up_totals(until: datetime | None = None) -> None:
    """Add what ended since the last time. Of several workers at once, one does and the others give up."""
    settled = (until or utcnow() - SETTLED_AFTER).replace(microsecond=0)
    since = counted_until()
    if settled <= since:
        return
    found = dict(_ended_between((since, settled)))
    with transaction() as session:
        mark = session.get_one(MetricTotal, (COUNTED_UNTIL, ""), with_for_update=True, populate_existing=True)
        if mark.value != since.timestamp():
            return
        mark.value = settled.timestamp()
        known = {(row.metric, row.label): row for row in session.scalars(select(MetricTotal))}
        for key, amount in found.items():
            if key in known:
                known[key].value += amount
            else:
                session.add(MetricTotal(metric=key[0], label=key[1], value=amount))


def read_totals() -> dict[Key, float] | None:
    """Return every total by its metric and label; None before they were first added up."""
    rows = db.session.execute(select(MetricTotal.metric, MetricTotal.label, MetricTotal.value))
    totals = {(metric, label): value for metric, label, value in rows}
    return totals if totals.get((COUNTED_UNTIL, "")) else None


def counted_until() -> datetime:
    """Return up to when everything that ended is in the totals."""
    mark = select(MetricTotal.value).where(MetricTotal.metric == COUNTED_UNTIL)
    return datetime.fromtimestamp(db.session.scalar(mark) or 0, UTC)


def bucket_label(series: str, bound: str) -> str:
    """Return the label of one bucket of a histogram, or of its SUM or COUNT."""
    return f"{series}/{bound}"


def _ended_between(span: Span) -> Iterator[tuple[Key, float]]:
    jobs = select(Job.state, func.count()).where(
        Job.state.in_(ENDED_STATES), _is_within(Job.finished_at, span)
    )
    for state, count in db.session.execute(jobs.group_by(Job.state)):
        yield (JOBS, str(state)), count
    attempts = select(Attempt.outcome, func.count()).where(_is_within(Attempt.ended_at, span))
    for outcome, count in db.session.execute(attempts.group_by(Attempt.outcome)):
        yield (ATTEMPTS, str(outcome)), count
    runs = _times(Attempt.outcome, Attempt.run_s, RUN_BUCKETS_S).where(
        Attempt.outcome == COMPLETED, _is_within(Attempt.ended_at, span)
    )
    yield from _histogram(RUNS, RUN_BUCKETS_S, runs.group_by(Attempt.outcome))
    took = _seconds_between(Job.created_at, Job.finished_at)
    uploads = _times(Job.tier, took, UPLOAD_BUCKETS_S).where(
        Job.state == COMPLETED, _is_within(Job.finished_at, span), Job.purpose == UPLOAD, Job.retries == 0
    )
    yield from _histogram(UPLOADS, UPLOAD_BUCKETS_S, uploads.group_by(Job.tier))


def _times(series: Any, took_s: Any, bounds: Sequence[float]) -> Select[Any]:
    """Select for each series how many times were within each bound, how many there are, and their sum."""
    below = [func.sum(case((took_s <= bound, 1), else_=0)) for bound in bounds]
    return select(series, *below, func.count(), func.sum(took_s))


def _histogram(metric: str, bounds: Sequence[float], rows: Select[Any]) -> Iterator[tuple[Key, float]]:
    names = [*(f"{bound:g}" for bound in bounds), COUNT, SUM]
    for series, *values in db.session.execute(rows):
        for name, value in zip(names, values, strict=True):
            yield (metric, bucket_label(series, name)), float(value)


def _is_within(column: Any, span: Span) -> ColumnElement[bool]:
    since, until = span
    within: ColumnElement[bool] = (column >= since) & (column < until)
    return within


def _seconds_between(start: Any, end: Any) -> Any:
    if db.engine.dialect.name == "sqlite":
        return (func.julianday(end) - func.julianday(start)) * 86400.0
    return func.extract("epoch", end - start)
