"""Measure how long a ping takes beside 50 uploads of 10 MB at once: ours, and a plain Flask app's.

python -m benchmarks.ping_beside_uploads [--rounds 3] [--document docs/queue.md]
"""

from __future__ import annotations

import argparse
import os
import statistics
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.sign_in_flood import health_times
from benchmarks.tables import Cell, Table, add_document_option, show_tables
from benchmarks.web_rates import web_process
from tests.support import kick
from tests.web_process import Web

UPLOADS, SIZE_BYTES = 50, 10 * 10**6
HEADER = ("50 × 10 MB at once", "pings", "ping, median ms", "ping, p95 ms", "all stored after s", "answers")


def main() -> None:
    """Print and document the pings beside uploads, in rounds that take turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    add_document_option(parser)
    options = parser.parse_args()
    with TemporaryDirectory() as name:
        ours, plain = Web(Path(name)), {"DATA_DIR": name, "WEB_CONCURRENCY": "1"}
        no_settings = Path(name) / "plain.conf.py"
        no_settings.touch()  # without it, gunicorn would find ours
        ours.start()
        try:
            app = f"benchmarks.plain_flask:app --config {no_settings}"
            with web_process(Path(name), app, **plain) as plain_url:
                takes = {"ours": (ours.url, ours.headers), "a plain Flask app": (plain_url, {})}
                rows = _measure(takes, options.rounds)
        finally:
            ours.stop()
    ratio = float(rows[0][3]) / float(rows[1][3])
    show_tables([Table("ping-beside-uploads", HEADER, [*rows, _ratio_row(ratio)])], options.document)


def _measure(takes: dict[str, tuple[str, dict[str, str]]], rounds: int) -> list[tuple[Cell, ...]]:
    pings: dict[str, list[float]] = {name: [] for name in takes}
    seconds: dict[str, list[float]] = {name: [] for name in takes}
    statuses: dict[str, Counter[int]] = {name: Counter() for name in takes}
    for number in range(rounds):
        for name, (url, headers) in takes.items():
            with health_times(url) as times:
                started = time.monotonic()
                statuses[name].update(_upload_all(url, headers, number))
                seconds[name].append(time.monotonic() - started)
            pings[name] += times
    return [
        (
            name,
            len(pings[name]),
            1000 * statistics.median(pings[name]),
            1000 * statistics.quantiles(pings[name], n=20)[-1],
            statistics.median(seconds[name]),
            ", ".join(f"{count} × {status}" for status, count in sorted(statuses[name].items())),
        )
        for name in takes
    ]


def _upload_all(url: str, headers: dict[str, str], number: int) -> list[int]:
    """Send every file at the same moment, and return the statuses."""
    sound = bytearray(kick()[:44])
    sound[4:8], sound[40:44] = ((SIZE_BYTES - less).to_bytes(4, "little") for less in (8, 44))
    content = bytes(sound) + os.urandom(SIZE_BYTES - len(sound))
    ready = threading.Barrier(UPLOADS)
    send = partial(_upload, url, headers, content, ready, number)
    with ThreadPoolExecutor(UPLOADS) as pool:
        return list(pool.map(send, range(UPLOADS)))


def _upload(
    url: str, headers: dict[str, str], content: bytes, ready: threading.Barrier, number: int, file: int
) -> int:
    own = headers | {"Idempotency-Key": f"{number}-{file}"}
    with httpx.Client(timeout=300) as http:
        ready.wait()
        sent = {"audio": (f"{number}-{file}.wav", content)}
        return http.post(f"{url}/api/upload", files=sent, headers=own).status_code


def _ratio_row(ratio: float) -> tuple[Cell, ...]:
    return "ratio of p95", "", "", f"{ratio:.2f}", "", ""


if __name__ == "__main__":
    main()
