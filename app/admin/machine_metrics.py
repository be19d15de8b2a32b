"""Measure what the web process itself depends on: the disk of DATA_DIR and the store."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily

from app.extensions import settings
from app.integrations.storage import StorageError, open_store

# A store that is away makes a scrape wait for seconds, so it is asked only now and then.
STORE_ASKED_EVERY_S = 15.0

_lock = threading.Lock()
_last_answer: tuple[float, float] | None = None  # when the store was asked, and 1 if it answered


def collect_machine() -> Iterator[GaugeMetricFamily]:
    """Yield the figures of this machine."""
    disk = shutil.disk_usage(settings().data_dir)
    yield GaugeMetricFamily("sp404_disk_free_bytes", "Free space on the disk of DATA_DIR.", value=disk.free)
    yield GaugeMetricFamily("sp404_disk_size_bytes", "Size of the disk of DATA_DIR.", value=disk.total)
    words = "Whether the store answered this web process (1) or not (0)."
    yield GaugeMetricFamily("sp404_store_reachable", words, value=_is_store_reachable())


def _is_store_reachable() -> float:
    """Return the store's last answer, asking again when it is old."""
    global _last_answer
    with _lock:
        if _last_answer is None or time.monotonic() - _last_answer[0] > STORE_ASKED_EVERY_S:
            _last_answer = time.monotonic(), _ask_store()
        return _last_answer[1]


def _ask_store() -> float:
    try:
        open_store(settings()).check_reachable()
    except StorageError:
        return 0.0
    return 1.0
