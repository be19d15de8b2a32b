"""Measure what 80 sign-ins at once do to the web process: answers, connections, and the time of /healthz.

python -m benchmarks.sign_in_flood [--rounds 5]
"""

from __future__ import annotations

import argparse
import http.client
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from urllib.parse import urlsplit

from tests.queue.lab import SERVICES, lab
from tests.services.sign_in_flood import AT_ONCE, ConnectionWatch, flood, web_on_postgres

MOST_RATIO, MOST_CONNECTIONS = 10.0, 10
IDLE_S = 5.0


def main() -> int:
    """Print the figures; return 1 if a bound is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each of the 80 signs in")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        lab(Path(folder), SERVICES, "nothing") as (here, _),
        web_on_postgres(Path(folder), here.values["DATABASE_URL"]) as url,
    ):
        with health_times(url) as idle:
            time.sleep(IDLE_S)
        with ConnectionWatch(here.values["DATABASE_URL"]) as watch, health_times(url) as busy:
            started = time.monotonic()
            statuses = flood(url, options.rounds)
            seconds = time.monotonic() - started
    ratio = statistics.median(busy) / statistics.median(idle)
    print(f"{AT_ONCE} x {options.rounds} sign-ins in {seconds:.1f} s: {dict(statuses)}")
    print(f"connections: {watch.most} at most, {watch.most_idle_in_transaction} idle in transaction")
    print(f"healthz idle: {_describe(idle)}; in the flood: {_describe(busy)}; ratio of medians {ratio:.1f}")
    return 0 if ratio <= MOST_RATIO and watch.most <= MOST_CONNECTIONS else 1


@contextmanager
def health_times(url: str) -> Iterator[list[float]]:
    """Ask for /healthz from a process of its own until the block ends; the list then holds the seconds."""
    stop, (ours, theirs) = multiprocessing.Event(), multiprocessing.Pipe()
    asker = multiprocessing.Process(target=_ask, args=(url, stop, theirs))
    asker.start()
    ours.recv()
    times: list[float] = []
    yield times
    stop.set()
    times += ours.recv()
    asker.join()


def _ask(url: str, stop: Event, out: multiprocessing.connection.Connection) -> None:
    host, times = urlsplit(url).netloc, []
    out.send("ready")
    while not stop.is_set():
        started = time.perf_counter()
        connection = http.client.HTTPConnection(host, timeout=60)
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b"ok\n"
        connection.close()
        times.append(time.perf_counter() - started)
        time.sleep(0.02)
    out.send(times)


def _describe(times: list[float]) -> str:
    ordered = sorted(1000 * each for each in times)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    return (
        f"median {statistics.median(ordered):.1f} ms, p95 {p95:.1f}, most {ordered[-1]:.1f} ({len(ordered)})"
    )


if __name__ == "__main__":
    sys.exit(main())
