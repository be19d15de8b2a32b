"""Count requests by status and time them by address, over all web processes of one gunicorn.

Each process counts in a file of the folder PROMETHEUS_MULTIPROC_DIR, which `gunicorn.conf.py` makes, and any
of them adds up all files for a scrape. Without the folder, as in tests, a process counts for itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
DURATION_BUCKETS_S = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

_own = CollectorRegistry()
_requests = Counter(
    "sp404_http_requests", "Requests by the status of their answer.", ["status"], registry=_own
)
_durations = Histogram(
    "sp404_http_request_seconds",
    "How long requests took until their answer began, by method and address.",
    ["address"],
    buckets=DURATION_BUCKETS_S,
    registry=_own,
)


def count_request(address: str, status: int, duration_s: float) -> None:
    """Count an answered request."""
    _requests.labels(str(status)).inc()
    _durations.labels(address).observe(duration_s)


def collect_requests() -> Iterable[Metric]:
    """Return the counts of all processes."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder is None:
        return _own.collect()
    collector: Any = MultiProcessCollector  # the library has no types here
    found: Iterable[Metric] = collector(None, folder).collect()
    return found
