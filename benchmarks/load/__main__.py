"""Run the load model against the product, with more and more producers, until something is saturated.

python -m benchmarks.load --backend sqlite|services --producers 20,60,120 --minutes 3 --json FILE
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import create_engine, text

from benchmarks.load.activities import THINK_S
from benchmarks.load.points import Point, Processes, load_points, point_tables, save_points
from benchmarks.load.stage import Stage, open_stage
from benchmarks.load.watching import Moment, Watcher, cores_used, memory_growth
from benchmarks.tables import add_document_option, show_tables
from tests.live import ROOT

SPAWN_S = 20  # everybody has come after this time
DRAIN_S = 120
ENDED = (
    "SELECT purpose, state, count(*) FROM processing_jobs "
    "WHERE finished_at >= :start AND state IN ('completed', 'failed') GROUP BY purpose, state"
)
WAITING = "SELECT count(*) FROM processing_jobs WHERE state NOT IN ('completed', 'failed', 'cancelled')"
UPLOADS, UPLOAD_THINK_S = "upload_folder", 5.0
GENERATOR = "producers (Locust)"


class Step(NamedTuple):
    """How many producers work at once, the one activity they have if not all, and the time between two."""

    producers: int
    only: str | None
    think_s: float


def main() -> int:
    """Run each number of producers, print the tables, and return 1 if a request failed."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that what was started is stopped
    steps = [Step(int(each), None, THINK_S) for each in options.producers.split(",")]
    steps += [Step(options.uploaders, UPLOADS, UPLOAD_THINK_S)] if options.uploaders else []
    points: list[Point] = []
    with TemporaryDirectory() as scratch:
        folder, most = options.folder or Path(scratch), max(each.producers for each in steps)
        with open_stage(folder, options.backend, most, options.web, options.workers) as stage:
            for step in steps:
                if points:
                    _wait_for_jobs(stage)
                points.append(_measure(stage, options, step, folder))
    if options.json:
        save_points(options.json, points)
    known = load_points([options.json]) if options.json else points
    show_tables(point_tables(known), options.document)
    for error in sorted({error for point in points for error in point.errors}):
        print(f"error: {error}", file=sys.stderr)
    return 1 if any(point.errors for point in points) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=("sqlite", "services"), default="sqlite")
    parser.add_argument(
        "--producers", default="20,60,120", help="how many work at once, one step after another"
    )
    parser.add_argument("--minutes", type=float, default=3.0, help="of each step")
    parser.add_argument("--uploaders", type=int, default=0, help="then so many who only upload folders")
    parser.add_argument("--web", type=int, default=1, help="web processes")
    parser.add_argument("--workers", type=int, default=1, help="worker processes")
    parser.add_argument("--locust", default=sys.executable, help="a Python that has requirements/load.txt")
    parser.add_argument("--folder", type=Path, help="for the data and the logs; else they are removed")
    parser.add_argument("--json", type=Path, help="add the figures to this file")
    add_document_option(parser)
    return parser


def _measure(stage: Stage, options: argparse.Namespace, step: Step, folder: Path) -> Point:
    producers = step.producers
    figures = folder / f"figures-{producers}-{step.only}.json"
    plan = folder / "plan.json"
    told = {
        "sessions": stage.sessions,
        "direct": stage.has_bucket,
        "bare_url": stage.bare_url,
        "figures": str(figures),
        "only": step.only,
        "think_s": step.think_s,
    }
    plan.write_text(json.dumps(told))
    command = [
        options.locust, "-m", "locust", "-f", "benchmarks/load/producers.py", "--headless", "--only-summary",
        "--host", stage.url, "--users", str(producers + 1), "--spawn-rate", str(max(producers / SPAWN_S, 1)),
        "--run-time", f"{round(60 * options.minutes) + SPAWN_S}s", "--reset-stats", "--stop-timeout", "10",
    ]  # fmt: skip
    env = os.environ | {"LOAD_PLAN": str(plan), "PYTHONPATH": str(ROOT)}
    with (folder / "locust.log").open("ab") as log:
        locust = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
        watcher = Watcher(stage.parts | {GENERATOR: [locust.pid]}, _connection_counter(stage))
        watcher.start()
        try:
            locust.wait()
        finally:
            locust.terminate()
            watcher.stop()
    if not figures.exists():
        sys.exit(f"Locust measured nothing:\n{(folder / 'locust.log').read_text()[-3000:]}")
    measured = json.loads(figures.read_text())
    moments = watcher.between(measured["start"], measured["end"] - 1)
    return _as_point(stage, options, step, measured, moments)


def _as_point(
    stage: Stage, options: argparse.Namespace, step: Step, measured: dict[str, Any],
    moments: Sequence[Moment],
) -> Point:  # fmt: skip
    start = datetime.fromtimestamp(measured["start"], UTC)
    engine = create_engine(stage.settings.sqlalchemy_url)
    with engine.connect() as connection:
        rows = connection.execute(text(ENDED), {"start": start}).all()
    engine.dispose()
    return Point(
        backend=options.backend,
        producers=step.producers,
        processes=Processes(options.web, options.workers),
        seconds=moments[-1].at - moments[0].at,
        requests=measured["requests"],
        errors=measured["errors"],
        cores=cores_used(moments),
        memory_mb=memory_growth(moments),
        jobs={f"{purpose} {state}": count for purpose, state, count in rows},
        only=step.only,
        connections=max(each.connections for each in moments),
    )


def _connection_counter(stage: Stage) -> Any:
    """Return a function that counts the connections to the database; SQLite has none."""
    url = stage.settings.database_url
    if url is None:
        return lambda: 0
    own = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
    counted = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    def count() -> int:
        found = own.execute(counted).fetchone()
        return int(found[0]) if found else 0

    return count


def _wait_for_jobs(stage: Stage) -> None:
    """Let the jobs of a step end before the next one, for some time."""
    engine, until = create_engine(stage.settings.sqlalchemy_url), time.monotonic() + DRAIN_S
    while time.monotonic() < until:
        with engine.connect() as connection:
            if not connection.execute(text(WAITING)).scalar_one():
                break
        time.sleep(1)
    engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
