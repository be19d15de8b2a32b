"""Compute the bars of the queue's graphs, as coordinates for an SVG."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from app.admin import queue_figures
from app.admin.queue_figures import TimeBucket

WIDTH, HEIGHT = 480, 96
GRAPH_SPANS = {
    "24h": ("24 hours", timedelta(hours=24), timedelta(minutes=30)),
    "7d": ("7 days", timedelta(days=7), timedelta(hours=3)),
}
GRAPH_KINDS = (
    ("done", "Throughput", "jobs done"),
    ("wait_s", "Wait", "seconds, mean"),
    ("run_s", "Run time", "seconds, mean"),
    ("failed", "Failures", "attempts failed or refused"),
)


@dataclass(frozen=True)
class GraphBar:
    """One bar in SVG units, with its value in the title."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class QueueGraph:
    """One graph; its highest value is written next to it."""

    name: str
    label: str
    unit: str
    span: str
    most: float
    values: list[float]
    bars: list[GraphBar]

    @property
    def most_words(self) -> str:
        """The highest value, for a person."""
        return f"{self.most:,.0f}" if self.most >= 10 or self.most == int(self.most) else f"{self.most:.2f}"


def all_graphs() -> list[QueueGraph]:
    """Return every graph of the queue over every span, from one query for each span."""
    found = []
    for words, span, step in GRAPH_SPANS.values():
        counted = queue_figures.time_buckets(span, step)
        found += [_graph(name, label, unit, words, counted) for name, label, unit in GRAPH_KINDS]
    return found


def _graph(name: str, label: str, unit: str, span: str, counted: list[TimeBucket]) -> QueueGraph:
    values = [float(getattr(bucket, name) or 0) for bucket in counted]
    most, width = max(values, default=0.0), WIDTH / max(len(values), 1)
    bars = [
        GraphBar(
            x=round(number * width + 0.5, 2),
            y=round(HEIGHT * (1 - value / most), 2),
            width=round(width - 1, 2),
            height=round(HEIGHT * value / most, 2),
            title=f"{bucket.start:%-d %b %H:%M} UTC: {value:g}",
        )
        for number, (value, bucket) in enumerate(zip(values, counted, strict=True))
        if value > 0
    ]
    return QueueGraph(name, label, unit, span, most, values, bars)
