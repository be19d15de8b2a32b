"""Export the queue's metrics for Prometheus.

Everything is counted in the database at each scrape. So every web process answers the same, and none keeps
counters of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy import case, func, select

from app.admin import queue_figures
from app.billing.plans import TIERS
from app.extensions import db
from app.models import AccountClosing, Attempt, Job, OutboxMessage
from app.models.account_closing import STUCK_AFTER
from app.models.base import utcnow
from app.models.job import CANCELLED, COMPLETED, FAILED, PENDING, PROCESSING
from app.models.job_attempt import ABANDONED, OUTCOMES

CONTENT_TYPE = CONTENT_TYPE_LATEST
RUN_BUCKETS_S = (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


def render_metrics() -> bytes:
    """Return all metrics in Prometheus's text format."""
    registry = CollectorRegistry()
    registry.register(_QueueCollector())
    return bytes(generate_latest(registry))


class _QueueCollector:
    """A collector of the Prometheus client: `collect` is called once for each scrape."""

    def collect(self) -> Iterator[Family]:
        now = utcnow()
        yield from _waiting_jobs(now)
        yield _jobs_by_tier("sp404_jobs_running", "Jobs a worker holds now.", Job.state == PROCESSING)
        yield from _ended_jobs()
        yield _run_times()
        yield from _outbox(now)
        yield from _closings()
        yield from _workers()
        yield from _vectors()


def _waiting_jobs(now: datetime) -> Iterator[Family]:
    due = (Job.state == PENDING) & (Job.run_at <= now)
    delayed = (Job.state == PENDING) & (Job.run_at > now)
    yield _jobs_by_tier("sp404_jobs_ready", "Jobs that could start now.", due)
    yield _jobs_by_tier("sp404_jobs_delayed", "Jobs that wait for their time.", delayed)
    oldest = queue_figures.oldest_ready_s()
    yield _gauges(
        "sp404_jobs_oldest_ready_seconds",
        "How long the first ready job of a tier has been due.",
        "tier",
        ((tier, oldest.get(tier, 0.0)) for tier in TIERS),
    )


def _ended_jobs() -> Iterator[Family]:
    wanted = (COMPLETED, FAILED, CANCELLED)
    jobs = _count_by(select(Job.state, func.count()).where(Job.state.in_(wanted)).group_by(Job.state))
    yield _counters("sp404_jobs_ended", "Jobs by how they ended.", "state", wanted, jobs)
    ended = select(Attempt.outcome, func.count()).where(Attempt.outcome.is_not(None))
    attempts = _count_by(ended.group_by(Attempt.outcome))
    yield _counters("sp404_attempts_ended", "Attempts by how they ended.", "outcome", OUTCOMES, attempts)
    lost = CounterMetricFamily("sp404_lease_losses", "Attempts whose worker vanished or was cut off.")
    lost.add_metric([], attempts.get(ABANDONED, 0))
    yield lost


def _run_times() -> Family:
    """Return a histogram of how long completed attempts took; each bucket includes the smaller ones."""
    took = Attempt.run_s
    sums = [func.sum(case((took <= bound, 1), else_=0)) for bound in RUN_BUCKETS_S]
    row = db.session.execute(
        select(func.count(), func.sum(took), *sums).where(Attempt.outcome == COMPLETED)
    ).one()
    count, total, *below = (float(value or 0) for value in row)
    family = HistogramMetricFamily("sp404_run_seconds", "How long completed attempts took.")
    bounds = [(f"{bound:g}", value) for bound, value in zip(RUN_BUCKETS_S, below, strict=True)]
    family.add_metric([], [*bounds, ("+Inf", count)], total)
    return family


def _outbox(now: datetime) -> Iterator[Family]:
    unsent = OutboxMessage.sent_at.is_(None)
    count, oldest, given_up = db.session.execute(
        select(
            func.count(),
            func.min(OutboxMessage.created_at),
            func.sum(case((OutboxMessage.next_try_at.is_(None), 1), else_=0)),
        ).where(unsent)
    ).one()
    age_s = (now - oldest).total_seconds() if oldest is not None else 0.0
    yield GaugeMetricFamily("sp404_outbox_unsent", "Messages queued and not sent yet.", value=count)
    yield GaugeMetricFamily("sp404_outbox_oldest_seconds", "Age of the oldest unsent message.", value=age_s)
    yield GaugeMetricFamily("sp404_outbox_given_up", "Messages no longer tried.", value=given_up or 0)


def _closings() -> Iterator[Family]:
    stuck = func.sum(case((AccountClosing.tries >= STUCK_AFTER, 1), else_=0))
    count, failing = db.session.execute(select(func.count(), stuck).select_from(AccountClosing)).one()
    yield GaugeMetricFamily("sp404_closings_pending", "Closed accounts not yet deleted.", value=count)
    words = "Closed accounts whose deletion fails again and again."
    yield GaugeMetricFamily("sp404_closings_stuck", words, value=failing or 0)


def _workers() -> Iterator[Family]:
    states = dict.fromkeys(("running", "paused", "draining", "drained", "no heartbeat"), 0)
    slots = 0
    for line in queue_figures.worker_rows():
        states[line.state] += 1
        slots += line.worker.slots if line.state == "running" else 0
    yield _gauges("sp404_workers", "Worker processes by state.", "state", states.items())
    yield GaugeMetricFamily("sp404_worker_slots", "Slots of the workers that take work.", value=slots)


def _vectors() -> Iterator[Family]:
    orders = queue_figures.count_vector_orders()
    words = "Samples whose similarity vector is made while workers have no jobs."
    yield GaugeMetricFamily("sp404_vectors_waiting", words, value=orders.waiting)
    words = "Samples whose similarity vector could not be made."
    yield GaugeMetricFamily("sp404_vectors_failed", words, value=orders.failed)


def _jobs_by_tier(name: str, words: str, wanted: Any) -> Family:
    found = _count_by(select(Job.tier, func.count()).where(wanted).group_by(Job.tier))
    return _gauges(name, words, "tier", ((tier, found.get(tier, 0)) for tier in TIERS))


def _gauges(name: str, words: str, label: str, values: Iterable[tuple[str, float]]) -> Family:
    family = GaugeMetricFamily(name, words, labels=[label])
    for value_of, value in values:
        family.add_metric([value_of], value)
    return family


def _counters(
    name: str, words: str, label: str, labels: Iterable[str], found: dict[str, int]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, words, labels=[label])
    for value_of in labels:
        family.add_metric([value_of], found.get(value_of, 0))
    return family


def _count_by(query: Any) -> dict[str, int]:
    return {str(name): int(count) for name, count in db.session.execute(query)}
