"""The figures of one run, read and written as JSON and shown as tables."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.load.activities import ACTIVITIES
from benchmarks.tables import Cell, Table

PING, BARE_PING = "ping: /healthz", "ping: bare Flask app"
OTHERS = "others on this machine"
FULL = 0.9  # of a core, or of all cores: nothing is left


class Processes(NamedTuple):
    """How many processes of each kind ran."""

    web: int
    workers: int


@dataclass(frozen=True)
class Point:
    """A number of producers and what was measured while they worked."""

    backend: str
    producers: int
    processes: Processes
    seconds: float
    requests: dict[str, dict[str, float]]
    errors: list[str]
    cores: dict[str, float]
    memory_mb: dict[str, tuple[float, float]]
    jobs: dict[str, int]
    connections: int
    only: str | None = None  # the one activity, if not the whole model

    @property
    def asked(self) -> dict[str, dict[str, float]]:
        """The requests of producers, without the pings."""
        return {name: each for name, each in self.requests.items() if name not in (PING, BARE_PING)}

    @property
    def per_s(self) -> float:
        """Requests a second of all producers."""
        return sum(each["count"] for each in self.asked.values()) / self.seconds

    @property
    def mean_s(self) -> float:
        """The mean time of a request of a producer."""
        count = sum(each["count"] for each in self.asked.values())
        return sum(each["count"] * each["mean_ms"] for each in self.asked.values()) / count / 1000

    @property
    def full(self) -> str:
        """Which part has no processor time left."""
        used = sum(self.cores.values())
        found = []
        if self.cores["web"] >= FULL * self.processes.web:
            found.append("web (one core a process, because of Python's lock)")
        if used >= FULL * (os.cpu_count() or 1):
            most = max(self.cores, key=lambda part: self.cores[part])
            found.append(f"the machine; {most} uses most")
        return ", ".join(found) or "–"


def save_points(path: Path, points: Sequence[Point]) -> None:
    """Add points to a file, in the place of older ones of the same kind."""
    known = {_kind(each): each for each in [*load_points([path]), *points]}
    path.write_text(json.dumps([asdict(each) for each in known.values()], indent=1) + "\n")


def load_points(paths: Iterable[Path]) -> list[Point]:
    """Return the points of some files; a file that does not exist has none."""
    found = []
    for path in paths:
        for each in json.loads(path.read_text()) if path.exists() else []:
            found.append(Point(**each | {"processes": Processes(*each["processes"])}))
    return found


def _kind(point: Point) -> tuple[object, ...]:
    return point.backend, point.only, point.producers, point.processes, round(point.seconds / 600)


def point_tables(points: Sequence[Point]) -> list[Table]:
    """Return the tables of throughput, of each address, of the processes and of memory."""
    points = [each for each in points if each.only is None]
    model = [(each.words, each.an_hour) for each in ACTIVITIES]
    tables = [Table("load model", ("what", "times an hour"), model)]
    tables.append(Table("load steps", STEPS, [_step(each) for each in points]))
    for backend in dict.fromkeys(each.backend for each in points):
        some = [each for each in points if each.backend == backend]
        tables.append(_addresses(f"load by address, {backend}", some))
        tables.append(_parts(f"load by process, {backend}", some))
    return tables


STEPS = (
    "backend", "producers", "web", "workers", "minutes", "requests/s", "mean ms", "ping p95 ms", "errors",
    "sounds made/min", "connections", "no processor time left",
)  # fmt: skip


def _step(point: Point) -> tuple[Cell, ...]:
    made = point.jobs.get("upload completed", 0) / point.seconds * 60
    return (
        point.backend, point.producers, *point.processes, point.seconds / 60, point.per_s,
        1000 * point.mean_s, point.requests[PING]["p95_ms"], len(point.errors), made,
        point.connections or "–", point.full,
    )  # fmt: skip


def _addresses(name: str, points: Sequence[Point]) -> Table:
    """Return the p95 of each address, at each number of producers."""
    header = ("address", *(f"{_label(each)}: p95 ms" for each in points), "requests, last step")
    rows: list[tuple[Cell, ...]] = []
    for address in sorted({name for each in points for name in each.requests}):
        cells = [each.requests.get(address, {}).get("p95_ms", "–") for each in points]
        rows.append((address, *cells, int(points[-1].requests.get(address, {}).get("count", 0))))
    return Table(name, header, rows)


def _parts(name: str, points: Sequence[Point]) -> Table:
    """Return the cores each part used, and its memory at the start and at the end."""
    header = (
        "process",
        *(f"{_label(each)}: cores" for each in points),
        "MB, first to last fifth of the last step",
    )
    rows: list[tuple[Cell, ...]] = []
    for part in points[-1].cores:
        memory = points[-1].memory_mb.get(part)
        grown = f"{memory[0]:.0f} to {memory[1]:.0f}" if memory else "–"
        rows.append((part, *(f"{each.cores.get(part, 0):.2f}" for each in points), grown))
    return Table(name, header, rows)


def _label(point: Point) -> str:
    return f"{point.producers} on {point.processes.web}+{point.processes.workers}"
