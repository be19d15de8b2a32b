"""Watch the processor time and the memory of every process of a run, read from /proc."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
EVERY_S, MEMORY_EVERY = 1.0, 5
PSS = re.compile(r"^Pss:\s+(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Moment:
    """What was seen at one time: processor seconds so far and memory in MB, by part; busy seconds of all."""

    at: float
    spent_s: Mapping[str, float]
    memory_mb: Mapping[str, float]
    machine_s: float
    connections: int


class Watcher(threading.Thread):
    """A thread that looks once a second, until it is stopped."""

    def __init__(
        self, parts: Mapping[str, Sequence[int]], count_connections: Callable[[], int] = lambda: 0
    ) -> None:
        super().__init__(daemon=True)
        self._parts, self._count, self._ended = parts, count_connections, threading.Event()
        self.moments: list[Moment] = []

    def run(self) -> None:
        """Look until the end."""
        turn, memory, connections = 0, {}, 0
        while not self._ended.is_set():
            trees = {part: _trees(pids) for part, pids in self._parts.items()}
            if turn % MEMORY_EVERY == 0:
                memory = {part: sum(map(_memory_mb, pids)) for part, pids in trees.items()}
                connections = self._count()
            spent = {part: sum(map(_spent_s, pids)) for part, pids in trees.items()}
            self.moments.append(Moment(time.time(), spent, memory, _machine_s(), connections))
            turn += 1
            self._ended.wait(EVERY_S)

    def stop(self) -> None:
        """Stop looking."""
        self._ended.set()
        self.join()

    def between(self, start: float, end: float) -> list[Moment]:
        """Return what was seen between two times."""
        return [each for each in self.moments if start <= each.at <= end]


def cores_used(moments: Sequence[Moment]) -> dict[str, float]:
    """Return how many cores each part used on average, and what else on this machine used."""
    seconds = moments[-1].at - moments[0].at
    used = {}
    for part in moments[0].spent_s:
        # A process that ended takes its time with it, so only what was added is counted.
        steps = (after.spent_s[part] - before.spent_s[part] for before, after in pairwise(moments))
        used[part] = sum(max(step, 0.0) for step in steps) / seconds
    busy = (moments[-1].machine_s - moments[0].machine_s) / seconds
    return used | {"others on this machine": max(busy - sum(used.values()), 0.0)}


def memory_growth(moments: Sequence[Moment]) -> dict[str, tuple[float, float]]:
    """Return for each part its mean memory in MB in the first and the last fifth of the time."""
    fifth = max(len(moments) // 5, 1)
    return {
        part: (_mean_mb(part, moments[:fifth]), _mean_mb(part, moments[-fifth:]))
        for part in moments[0].memory_mb
    }


def _mean_mb(part: str, moments: Sequence[Moment]) -> float:
    return sum(each.memory_mb[part] for each in moments) / len(moments)


def _trees(roots: Sequence[int]) -> list[int]:
    """Return the processes with these ids and all below them."""
    found, waiting = [], list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            with suppress(OSError):
                waiting += map(int, path.read_text().split())
    return found


def _spent_s(pid: int) -> float:
    """Return the processor seconds of a process and of its children that ended."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / TICKS
    return 0.0


def _memory_mb(pid: int) -> float:
    """Return the memory of a process; what several share is divided among them."""
    with suppress(OSError):
        found = PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
        return int(found[1]) / 1024 if found else 0.0
    return 0.0


def _machine_s() -> float:
    """Return the seconds that all cores together were busy since the machine started."""
    fields = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS
