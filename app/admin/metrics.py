"""Export the queue's metrics for Prometheus.

What waits and runs is counted in the database at each scrape, up to MAX_COUNTED of each. What has ended is in
totals that a worker adds up, so the cost of a scrape does not grow with the history. So every web process
answers the same, except for its requests and its machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from sqlalchemy import case, func, select

from app.admin import metric_totals, queue_figures
from app.admin.machine_metrics import collect_machine
from app.admin.metric_totals import (
    ATTEMPTS,
    COUNT,
    ENDED_STATES,
    JOBS,
    RUN_BUCKETS_S,
    RUNS,
    SUM,
    UPLOAD_BUCKETS_S,
    UPLOADS,
    Key,
    bucket_label,
)
from app.admin.request_metrics import collect_requests
from app.billing.plans import TIERS
from app.extensions import db
from app.models import AccountClosing, Job, OutboxMessage
from app.models.account_closing import STUCK_AFTER
from app.models.base import utcnow
from app.models.job import COMPLETED, is_running
from app.models.job_attempt import ABANDONED, OUTCOMES
from app.notify.message_kinds import METER_EVENT, WEBHOOK

CONTENT_TYPE = CONTENT_TYPE_LATEST
SENT_KINDS = ("mail", "webhook", "usage")

Totals = Mapping[Key, float]
Family = Metric


def render_metrics() -> bytes:
    """Return all metrics in Prometheus's text format."""
    registry = CollectorRegistry()
    registry.register(_QueueCollector())
    return bytes(generate_latest(registry))


class _QueueCollector:
    """A collector of the Prometheus client: `collect` is called once for each scrape."""

    def collect(self) -> Iterator[Family]:
        now = utcnow()
        yield from _waiting_jobs()
        yield _jobs_by_tier("sp404_jobs_running", "Jobs a worker holds now.", is_running())
        if (totals := metric_totals.read_totals()) is not None:
            yield from _ended_jobs(totals)
        yield from _outbox(now)
        yield from _closings()
        yield from _workers(now)
        yield from _vectors()
        yield from collect_machine()
        yield from collect_requests()


def _waiting_jobs() -> Iterator[Family]:
    due, delayed = (queue_figures.count_waiting(is_due) for is_due in (True, False))
    yield _gauges("sp404_jobs_ready", "Jobs that could start now.", "tier", due.items())
    yield _gauges("sp404_jobs_delayed", "Jobs that wait for their time.", "tier", delayed.items())
    oldest = queue_figures.oldest_ready_s()
    yield _gauges(
        "sp404_jobs_oldest_ready_seconds",
        "How long the first ready job of a tier has been due.",
        "tier",
        ((tier, oldest.get(tier, 0.0)) for tier in TIERS),
    )


def _ended_jobs(totals: Totals) -> Iterator[Family]:
    yield _counters("sp404_jobs_ended", "Jobs by how they ended.", "state", JOBS, ENDED_STATES, totals)
    words = "Attempts by how they ended."
    yield _counters("sp404_attempts_ended", words, "outcome", ATTEMPTS, OUTCOMES, totals)
    lost = CounterMetricFamily("sp404_lease_losses", "Attempts whose worker vanished or was cut off.")
    lost.add_metric([], totals.get((ATTEMPTS, ABANDONED), 0))
    yield lost
    runs = HistogramMetricFamily("sp404_run_seconds", "How long completed attempts took.")
    runs.add_metric([], *_buckets(RUNS, COMPLETED, RUN_BUCKETS_S, totals))
    yield runs
    words = "From an accepted upload to its finished card, unless its owner tried it again."
    uploads = HistogramMetricFamily("sp404_upload_seconds", words, labels=["tier"])
    for tier in TIERS:
        uploads.add_metric([tier], *_buckets(UPLOADS, tier, UPLOAD_BUCKETS_S, totals))
    yield uploads


def _buckets(
    metric: str, series: str, bounds: Iterable[float], totals: Totals
) -> tuple[list[tuple[str, float]], float]:
    """Return a histogram's buckets, each with the smaller ones in it, and its sum."""
    names = [*(f"{bound:g}" for bound in bounds), COUNT]
    buckets = [(name, totals.get((metric, bucket_label(series, name)), 0.0)) for name in names]
    return buckets, totals.get((metric, bucket_label(series, SUM)), 0.0)


def _outbox(now: datetime) -> Iterator[Family]:
    """Yield the figures of unsent messages, and of those that are still tried by what is sent."""
    unsent = select(OutboxMessage.kind, OutboxMessage.created_at, OutboxMessage.next_try_at)
    rows = unsent.where(OutboxMessage.sent_at.is_(None)).limit(queue_figures.MAX_COUNTED).subquery()
    is_tried = rows.c.next_try_at.is_not(None)
    found = db.session.execute(
        select(rows.c.kind, is_tried, func.count(), func.min(rows.c.created_at)).group_by(
            rows.c.kind, is_tried
        )
    ).all()
    counts, ages = dict.fromkeys(SENT_KINDS, 0), dict.fromkeys(SENT_KINDS, 0.0)
    for kind, tried, count, oldest in found:
        if tried:
            what = _what_is_sent(kind)
            counts[what] += count
            ages[what] = max(ages[what], (now - oldest).total_seconds())
    unsent_ages = [(now - oldest).total_seconds() for _, _, _, oldest in found]
    given_up = sum(count for _, tried, count, _ in found if not tried)
    words = "Messages queued and not sent yet."
    yield GaugeMetricFamily("sp404_outbox_unsent", words, value=sum(row[2] for row in found))
    words = "Age of the oldest unsent message."
    yield GaugeMetricFamily("sp404_outbox_oldest_seconds", words, value=max(unsent_ages, default=0.0))
    yield GaugeMetricFamily("sp404_outbox_given_up", "Messages no longer tried.", value=given_up)
    yield _gauges("sp404_outbox_waiting", "Messages still tried, by what they are.", "kind", counts.items())
    words = "Age of the oldest message that is still tried, by what it is."
    yield _gauges("sp404_outbox_waiting_oldest_seconds", words, "kind", ages.items())


def _what_is_sent(kind: str) -> str:
    return {WEBHOOK: "webhook", METER_EVENT: "usage"}.get(kind, "mail")


def _closings() -> Iterator[Family]:
    stuck = func.sum(case((AccountClosing.tries >= STUCK_AFTER, 1), else_=0))
    count, failing = db.session.execute(select(func.count(), stuck).select_from(AccountClosing)).one()
    yield GaugeMetricFamily("sp404_closings_pending", "Closed accounts not yet deleted.", value=count)
    words = "Closed accounts whose deletion fails again and again."
    yield GaugeMetricFamily("sp404_closings_stuck", words, value=failing or 0)


def _workers(now: datetime) -> Iterator[Family]:
    states = dict.fromkeys(("running", "paused", "draining", "drained", "no heartbeat"), 0)
    slots, silence_s = 0, 0.0
    for line in queue_figures.worker_rows():
        states[line.state] += 1
        slots += line.worker.slots if line.state == "running" else 0
        silence_s = max(silence_s, (now - line.worker.beat_at).total_seconds())
    yield _gauges("sp404_workers", "Worker processes by state.", "state", states.items())
    yield GaugeMetricFamily("sp404_worker_slots", "Slots of the workers that take work.", value=slots)
    words = "For how long the most silent of the known workers has not been heard."
    yield GaugeMetricFamily("sp404_worker_silence_seconds", words, value=silence_s)


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
    name: str, words: str, label: str, metric: str, labels: Iterable[str], totals: Totals
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, words, labels=[label])
    for value_of in labels:
        family.add_metric([value_of], totals.get((metric, value_of), 0))
    return family


def _count_by(query: Any) -> dict[str, int]:
    return {str(name): int(count) for name, count in db.session.execute(query)}
