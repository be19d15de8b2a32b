"""Measure what the queue itself costs: jobs a second with an empty engine, beside bare Huey's no-op tasks.

python -m benchmarks.queue_overhead [--jobs 400] [--backend sqlite]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.tables import Table, add_document_option, show_tables
from tests.live import ROOT
from tests.queue.lab import BACKENDS, EMBEDDED, SERVICES, SLOTS, Lab, lab, member, states, upload, wait_for

BARE_TASKS = 5_000


def main() -> None:
    """Print both rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=400)
    parser.add_argument("--backend", choices=BACKENDS, default=SERVICES)
    add_document_option(parser)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        lab(Path(folder), options.backend, "nothing", USER_RUNNING_MAX="64") as (here, _),
    ):
        bare = bare_huey_per_s(here)
        ours = jobs_per_s(here, options.jobs)
    backend = "SQLite + SqliteHuey" if options.backend == EMBEDDED else "PostgreSQL + Redis"
    header = (backend, "jobs a second", "bare Huey, tasks a second", "ratio")
    row = ("one worker of two threads", ours, bare, f"1 : {bare / ours:.0f}")
    show_tables([Table(f"overhead-{options.backend}", header, [row])], options.document)


def jobs_per_s(here: Lab, jobs: int) -> float:
    """Return whole jobs a second, from claim to sample and mail, with files in the store."""
    upload(member("p@example.com"), jobs, a_batch=jobs, are_distinct=True)
    here.add_consumer()
    wait_for(lambda: states().get("completed", 0) >= 20, 60, "the worker is warm")
    first, start = states()["completed"], time.monotonic()
    wait_for(lambda: states().get("completed", 0) == jobs, 600, "all done")
    return (jobs - first) / (time.monotonic() - start)


def bare_huey_per_s(here: Lab) -> float:
    """Return no-op tasks a second through Huey alone, with as many threads as one of our workers."""
    given = {"BARE_FILE": str(here.folder / "bare.db"), "BARE_TASKS": str(BARE_TASKS)}
    given |= {"BARE_REDIS_URL": here.redis_url} if here.redis_url else {}
    env = os.environ | given
    subprocess.run([sys.executable, "-m", "tests.queue.bare_huey"], cwd=ROOT, env=env, check=True)
    consumer = [str(Path(sys.executable).parent / "huey_consumer"), "tests.queue.bare_huey.huey"]
    with (here.folder / "bare.log").open("wb") as log:
        process = subprocess.Popen(
            [*consumer, "--workers", str(SLOTS), "--worker-type", "thread"],
            cwd=ROOT, env=env, stdout=log, stderr=log,
        )  # fmt: skip
    wait_for(lambda: _count_executed(here) >= 20, 60, "bare Huey is warm")
    first, start = _count_executed(here), time.monotonic()
    wait_for(lambda: _count_executed(here) >= BARE_TASKS, 60, "bare Huey is done")
    took_s = time.monotonic() - start
    process.kill()
    process.wait()
    return (BARE_TASKS - first) / took_s


def _count_executed(here: Lab) -> int:
    """Return how many tasks the log says were executed."""
    return (here.folder / "bare.log").read_text().count(" executed in ")


if __name__ == "__main__":
    main()
