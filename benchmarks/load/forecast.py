"""Calibrate the simulation by one measured point, check it by the others, and run it out to many machines.

python -m benchmarks.load.forecast --measured FILE --calibrate services,60,2,1 [--document docs/load.md]
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.load.activities import HOUR_S, REQUEST_THINK_S
from benchmarks.load.points import OTHERS, Point, load_points, point_tables
from benchmarks.load.simulation import Outcome, Request, Site, simulate
from benchmarks.tables import Cell, Table, add_document_option, show_tables

SLOTS = 2  # of a worker
JOB_REQUESTS = ("upload: file", "upload: job", "card: order")
STORE_REQUESTS = ("audition: sound", "upload: file to the store", "card: download")
POLL = "library: what is new"
LOADING = ("web", "worker", "database", OTHERS)
MAX_ERROR = 0.15
CHECK_S, GROWTH_S, GROWTH_WARM_S = 600.0, 6.0, 5.0
MAX_TURN_WAIT_S, FIT_S, FIT_STEPS = 0.2, 300.0, 9
GROWTH_SLICE_S = 0.05  # each process has a core of its own, so finer turns only take longer
# A million samples a day, of which the busiest hour has 2.5 times the mean: 12 sounds an hour and producer.
SAMPLES_A_DAY, PEAK, SOUNDS_AN_HOUR = 1_000_000, 2.5, 12
MANY = Site(round(SAMPLES_A_DAY / 24 * PEAK / SOUNDS_AN_HOUR), 1.0, web=100, slots=200 * SLOTS, web_cores=100)
CLAIM_S = 0.02  # docs/queue.md; on SQLite every claim keeps the others out, on PostgreSQL only of one account


@dataclass(frozen=True)
class Costs:
    """What requests and jobs cost in processor seconds, and the time between two requests of a producer."""

    requests: tuple[Request, ...]
    think_s: float
    job_s: float
    job_database_s: float
    turn_wait_s: float = 0.0  # mean wait of a turn for a core that other programs use


def calibrate(point: Point, uploads: Point | None) -> Costs:
    """Return the costs by the point of the whole model, and those of a job by a point of uploads alone."""
    total = sum(each["count"] for each in point.asked.values())
    weights = {
        name: 0.0 if _goes_to_store(point, name) else each["count"] * max(each["median_ms"], 1)
        for name, each in point.asked.items()
    }
    whole = sum(weights.values())
    beside_s = (
        sum(cores for part, cores in point.cores.items() if part not in LOADING) * point.seconds / total
    )
    job_s, job_database_s = _job_costs(point, uploads or point)
    database_s = point.cores.get("database", 0.0) * point.seconds - job_database_s * _jobs(point)
    requests = tuple(
        Request(
            name,
            each["count"] / total,
            web_s=point.cores["web"] * point.seconds * weights[name] / whole / each["count"],
            database_s=database_s * weights[name] / whole / each["count"],
            beside_s=beside_s,
            makes_job=name in JOB_REQUESTS,
        )
        for name, each in point.asked.items()
        if each["count"]
    )
    return Costs(requests, REQUEST_THINK_S, job_s, job_database_s)


def _goes_to_store(point: Point, name: str) -> bool:
    """Return whether a request never reaches a web process."""
    return point.backend != "sqlite" and name in STORE_REQUESTS


def _job_costs(point: Point, uploads: Point) -> tuple[float, float]:
    """Return the processor seconds of a job in its worker and in the database.

    A request is taken to cost the database as much in both points; the rest of the uploads is their jobs.
    """
    jobs = max(_jobs(uploads), 1)
    job_s = uploads.cores["worker"] * uploads.seconds / jobs
    per_web_s = point.cores.get("database", 0.0) / point.cores["web"]
    rest = uploads.cores.get("database", 0.0) - per_web_s * uploads.cores["web"]
    return job_s, max(rest, 0.0) * uploads.seconds / jobs


def _jobs(point: Point) -> int:
    return sum(count for what, count in point.jobs.items() if what.endswith("completed"))


def fit_waits(point: Point, costs: Costs) -> Costs:
    """Return the costs with the waits for a core with which the simulation has this point's mean time."""
    low, high = 0.0, MAX_TURN_WAIT_S
    for _ in range(FIT_STEPS):
        middle = (low + high) / 2
        tried = replace(costs, turn_wait_s=middle)
        is_slower = simulate(site_of(point, tried), costs.requests, FIT_S).mean_s > point.mean_s
        low, high = (low, middle) if is_slower else (middle, high)
    return replace(costs, turn_wait_s=(low + high) / 2)


def site_of(point: Point, costs: Costs) -> Site:
    """Return this machine as it was at a measured point."""
    return Site(
        point.producers, costs.think_s, point.processes.web, SLOTS * point.processes.workers,
        web_cores=os.cpu_count() or 1, job_s=costs.job_s, job_database_s=costs.job_database_s,
        turn_wait_s=costs.turn_wait_s,
    )  # fmt: skip


def check_table(costs: Costs, calibrated: Point, points: Sequence[Point], seconds: float = CHECK_S) -> Table:
    """Return what was measured and what the simulation says, for each point."""
    rows: list[tuple[Cell, ...]] = []
    for point in points:
        found = simulate(site_of(point, costs), costs.requests, seconds)
        rate, time = found.per_s / point.per_s - 1, found.mean_s / point.mean_s - 1
        verdict = "calibrated here" if point is calibrated else _verdict(rate, time)
        rows.append(
            (
                point.backend, point.producers, *point.processes, f"{point.cores[OTHERS]:.2f}",
                point.per_s, found.per_s, f"{100 * rate:+.0f} %",
                1000 * point.mean_s, 1000 * found.mean_s, f"{100 * time:+.0f} %", verdict,
            )
        )  # fmt: skip
    header = (
        "backend", "producers", "web", "workers", "cores used by others", "requests/s", "simulated", "error",
        "mean ms", "simulated", "error", "within 15 %",
    )  # fmt: skip
    return Table("simulation beside the measurement", header, rows)


def _verdict(rate: float, time: float) -> str:
    within = [name for name, error in (("rate", rate), ("time", time)) if abs(error) <= MAX_ERROR]
    return " and ".join(within) or "neither"


def growth_table(costs: Costs) -> Table:
    """Return the simulation from a few processes to many, then with what moves the first limit."""
    rows = []
    costs = with_planned_uploads(costs)
    for share in (0.02, 0.1, 0.5, 1.0):
        rows.append(_grown(f"{share:.0%} of it", costs, share, 8))
    rows.append(_grown("all, database of 32 cores", costs, 1.0, 32))
    slower = with_fewer(costs, POLL, 4)
    rows.append(_grown("all, the open library asks every 16 s", slower, 1.0, 8))
    rows.append(_grown("all, both", slower, 1.0, 32))
    header = (
        "what", "producers", "web", "workers", "database cores", "requests/s", "asked for", "p95 ms",
        "web busy", "database busy", "job waits s", "connections in use", "claims, if one at a time",
    )  # fmt: skip
    return Table("simulation of many machines", header, rows)


def with_fewer(costs: Costs, name: str, divisor: float) -> Costs:
    """Return the costs when one kind of request comes less often by a divisor."""
    lost = sum(each.share for each in costs.requests if each.name == name) * (1 - 1 / divisor)
    requests = tuple(
        replace(each, share=each.share / divisor) if each.name == name else each for each in costs.requests
    )
    return replace(costs, requests=requests, think_s=costs.think_s / (1 - lost))


def with_planned_uploads(costs: Costs) -> Costs:
    """Return the costs with as many uploads as the model has; a short run has more or fewer by chance."""
    planned = SOUNDS_AN_HOUR / HOUR_S * costs.think_s
    measured = sum(each.share for each in costs.requests if each.name in ("upload: file", "upload: job"))
    for each in costs.requests:
        if measured and each.name.startswith(("upload", "jobs")):
            costs = with_fewer(costs, each.name, measured / planned)
    return costs


def _grown(what: str, costs: Costs, share: float, database_cores: int) -> tuple[Cell, ...]:
    web, workers = max(round(MANY.web * share), 1), max(round(MANY.slots / SLOTS * share), 1)
    site = replace(
        MANY, producers=round(MANY.producers * share), think_s=costs.think_s, web=web, web_cores=web,
        slots=workers * SLOTS, worker_cores=workers * SLOTS, database_cores=database_cores, job_s=costs.job_s,
        job_database_s=costs.job_database_s, slice_s=GROWTH_SLICE_S,
    )  # fmt: skip
    found = simulate(site, costs.requests, GROWTH_S, GROWTH_WARM_S)
    jobs_per_s = len(found.job_waits_s) / GROWTH_S
    return (
        what, site.producers, web, workers, database_cores, found.per_s, site.producers / costs.think_s,
        1000 * found.p95_s, _busy(found, "web", web), _busy(found, "database", database_cores),
        f"{found.job_wait_s:.2f}", found.connections, f"{100 * jobs_per_s * CLAIM_S:.0f} %",
    )  # fmt: skip


def _busy(found: Outcome, part: str, cores: int) -> str:
    return f"{100 * found.busy_s.get(part, 0.0) / found.seconds / cores:.0f} %"


def costs_table(costs: Costs) -> Table:
    """Return the processor time of each kind of request and of a job."""
    rows: list[tuple[Cell, ...]] = [
        (each.name, f"{100 * each.share:.1f} %", 1000 * each.web_s, 1000 * each.database_s)
        for each in sorted(costs.requests, key=lambda each: -each.share * each.web_s)
    ]
    rows.append(("a job, in its worker", "–", 1000 * costs.job_s, 1000 * costs.job_database_s))
    return Table("simulation costs", ("request", "share", "web ms", "database ms"), rows)


def main() -> int:
    """Print the tables; return 1 if fewer than two other points are within the bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measured", type=Path, nargs="+", required=True)
    parser.add_argument(
        "--calibrate", required=True, help="backend,producers,web,workers of the point to use"
    )
    add_document_option(parser)
    options = parser.parse_args()
    points = load_points(options.measured)
    backend, *numbers = options.calibrate.split(",")
    producers, web, workers = map(int, numbers)
    same = [each for each in points if each.backend == backend]
    whole = [each for each in same if each.only is None]
    wanted = producers, (web, workers)
    chosen = next(each for each in whole if (each.producers, each.processes) == wanted)
    costs = calibrate(chosen, next((each for each in same if each.only == "upload_folder"), None))
    costs = fit_waits(chosen, costs)
    check = check_table(costs, chosen, whole)
    show_tables([*point_tables(points), costs_table(costs), check], options.document)
    show_tables([growth_table(costs)], options.document)
    return 0 if sum("rate and time" in str(row[-1]) for row in check.rows) >= 2 else 1


if __name__ == "__main__":
    sys.exit(main())
