"""Simulate producers, web processes, a database and workers as queues, with measured processor times.

A request takes turns of `slice_s`: it needs its process's lock (Python runs one thread at a time) and a core.
Producers think, ask, and think again when they have the answer. Jobs wait for a slot of a worker. Source:
a closed queueing network with shared processors, see L. Kleinrock, Queueing Systems, volume 2, 1976.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import simpy

SLICE_S = 0.005  # after this time Python lets another thread of the process run
Steps = Iterator[Any]


@dataclass(frozen=True)
class Request:
    """A kind of request: its share of all, and the processor seconds it takes in each part."""

    name: str
    share: float
    web_s: float
    database_s: float = 0.0
    beside_s: float = 0.0  # in programs beside: the store, Redis, and whoever asks
    makes_job: bool = False


@dataclass(frozen=True)
class Site:
    """What runs where. `cores` of each part; without `database_cores` all parts share `web_cores`."""

    producers: int
    think_s: float
    web: int
    slots: int
    web_cores: int
    database_cores: int = 0
    worker_cores: int = 0
    turn_wait_s: float = 0.0  # mean wait of a turn for a core that other programs use
    job_s: float = 0.0  # processor seconds of a job in a worker, and in the database
    job_database_s: float = 0.0
    claim_s: float = 0.0  # for how long a claim keeps every other claim out
    shape: float = 4.0  # of the gamma distribution of all times: 1 is exponential
    slice_s: float = SLICE_S


@dataclass
class Outcome:
    """What a simulation found, in seconds; `busy` is the share of each part's cores that was used."""

    seconds: float
    times_s: list[float] = field(default_factory=list)
    job_waits_s: list[float] = field(default_factory=list)
    busy_s: dict[str, float] = field(default_factory=dict)
    connections: int = 0
    jobs_done: int = 0

    @property
    def per_s(self) -> float:
        """Requests a second."""
        return len(self.times_s) / self.seconds

    @property
    def mean_s(self) -> float:
        """The mean time of a request."""
        return sum(self.times_s) / len(self.times_s)

    @property
    def p95_s(self) -> float:
        """The time that 95 % of the requests do not exceed."""
        return sorted(self.times_s)[int(0.95 * (len(self.times_s) - 1))]

    @property
    def job_wait_s(self) -> float:
        """The mean time a job waits for a slot."""
        return sum(self.job_waits_s) / max(len(self.job_waits_s), 1)


class _Cores:
    """Cores that are given out in turns, and how long they were used after the warm-up."""

    def __init__(self, model: _Model, name: str, count: int) -> None:
        self.model, self.name = model, name
        self._cores = simpy.Resource(model.env, max(count, 1))

    def use(self, amount_s: float, lock: simpy.Resource | None = None) -> Steps:
        """Take turns until the amount is used up; with a lock, only one holder at a time."""
        env, rest = self.model.env, amount_s
        while rest > 0:
            turn = min(self.model.site.slice_s, rest)
            held = lock.request() if lock is not None else None
            if held is not None:
                yield held
            if self.model.site.turn_wait_s:
                yield env.timeout(self.model.rng.expovariate(1 / self.model.site.turn_wait_s))
            with self._cores.request() as core:
                yield core
                yield env.timeout(turn)
            if held is not None and lock is not None:
                lock.release(held)
            rest -= turn
            self.model.count_busy(self.name, turn)


class _Model:
    """One run of a site."""

    def __init__(self, site: Site, requests: Sequence[Request], warm_s: float, seed: int) -> None:
        self.env, self.site, self.warm_s, self.rng = simpy.Environment(), site, warm_s, Random(seed)
        self.requests, self._shares = requests, [each.share for each in requests]
        self.outcome = Outcome(0.0)
        self.web = _Cores(self, "web", site.web_cores)
        is_shared = not site.database_cores
        self.database = self.web if is_shared else _Cores(self, "database", site.database_cores)
        self.workers = self.web if is_shared else _Cores(self, "workers", site.worker_cores)
        self.is_shared = is_shared
        self.locks = [simpy.Resource(self.env, 1) for _ in range(site.web)]
        self.open, self.most_open = [0] * site.web, [0] * site.web
        self.slots = simpy.Resource(self.env, max(site.slots, 1))
        self.claim_lock = simpy.Resource(self.env, 1)

    def count_busy(self, name: str, amount_s: float) -> None:
        """Add used time, once the warm-up is over."""
        if self.env.now > self.warm_s:
            busy = self.outcome.busy_s
            busy[name] = busy.get(name, 0.0) + amount_s

    def draw(self, mean_s: float) -> float:
        """Return a time around a mean."""
        return self.rng.gammavariate(self.site.shape, mean_s / self.site.shape) if mean_s else 0.0

    def producer(self) -> Steps:
        """Think and ask, for ever."""
        yield self.env.timeout(self.rng.uniform(0, self.site.think_s))
        while True:
            yield self.env.timeout(self.rng.expovariate(1 / self.site.think_s))
            (kind,) = self.rng.choices(self.requests, self._shares)
            started = self.env.now
            yield from self.ask(kind)
            if self.env.now > self.warm_s:
                self.outcome.times_s.append(self.env.now - started)
            if kind.makes_job:
                self.env.process(self.job())

    def ask(self, kind: Request) -> Steps:
        """Go through a web process and the database, which keeps a connection all the time."""
        process = self.rng.randrange(self.site.web)
        lock, half_s = self.locks[process], self.draw(kind.web_s) / 2
        self.open[process] += 1
        self.most_open[process] = max(self.most_open[process], self.open[process])
        yield from self.web.use(half_s, lock)
        yield from self.database.use(self.draw(kind.database_s))
        yield from self.web.use(half_s, lock)
        self.open[process] -= 1
        beside_s = self.draw(kind.beside_s)
        if self.is_shared:
            yield from self.web.use(beside_s)
        elif beside_s:
            yield self.env.timeout(beside_s)

    def job(self) -> Steps:
        """Wait for a slot, claim, and work."""
        started = self.env.now
        with self.slots.request() as slot:
            yield slot
            with self.claim_lock.request() as claim:
                yield claim
                claim_s = self.draw(self.site.claim_s)
                yield self.env.timeout(claim_s)
                self.count_busy("claims", claim_s)
            if self.env.now > self.warm_s:
                self.outcome.job_waits_s.append(self.env.now - started)
            yield from self.database.use(self.draw(self.site.job_database_s))
            yield from self.workers.use(self.draw(self.site.job_s))
        self.outcome.jobs_done += self.env.now > self.warm_s


def simulate(
    site: Site, requests: Sequence[Request], seconds: float, warm_s: float = 20.0, seed: int = 404
) -> Outcome:
    """Return what producers see during `seconds`, after a warm-up."""
    model = _Model(site, requests, warm_s, seed)
    for _ in range(site.producers):
        model.env.process(model.producer())
    model.env.run(until=warm_s + seconds)
    model.outcome.seconds = seconds
    model.outcome.connections = sum(model.most_open)
    return model.outcome
