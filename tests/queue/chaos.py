"""Kill everything that can be killed while jobs run, and check what is left.

`benchmarks/chaos.py` is the command for longer runs.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from random import Random

from sqlalchemy import func, select

from app.extensions import db
from app.models import Attempt, Job, OutboxMessage, Sample, Usage
from tests.live import EngineProcess
from tests.queue.lab import Lab, is_alive, lab, member, states, upload, wait_for

CONSUMERS = 2
SETTLE_S = 240
# A job that loses its worker six times is given up by design, so the last few jobs are spared.
SPARED_JOBS = 15
# A worker's own child ends with it. An engine elsewhere notices when it sends its next lines.
ENGINE_RELEASE_S = 2.0


def run_chaos(
    folder: Path,
    backend: str,
    *,
    seconds: float,
    jobs: int,
    housekeeping: bool = True,
    engines: int = 0,
    seed: int = 1,
    settle_s: float = SETTLE_S,
) -> dict[str, object]:
    """Run jobs under failures, and return what was done and found.

    Raise AssertionError when anything is lost, done twice or left behind.
    """
    with lab(folder, backend, "busy", engines=engines) as (here, _):
        upload(member("chaos@example.com"), jobs)
        for _ in range(CONSUMERS):
            here.add_consumer(housekeeping)
        start = time.monotonic()
        done = _cause_failures(here, seconds, Random(seed))
        left = {"states": states()}
        wait_for(lambda: states() == {"completed": jobs}, settle_s, f"all done; {left} then {states()}")
        took_s = time.monotonic() - start
        wait_for(lambda: _count_unsent() == 0, 60, "every mail sent")
        for consumer in here.consumers:
            consumer.stop()
        told = _check_result(here, jobs)
    kind = {"backend": backend, "housekeeping": housekeeping, "engines": engines}
    return kind | done | told | {"took_s": round(took_s, 1)}


def _cause_failures(here: Lab, seconds: float, random: Random) -> Counter[str]:
    """Kill and restart parts at random until the time is up or few jobs are left; return how often."""
    done: Counter[str] = Counter()
    troubles: dict[str, Callable[[], None]] = {
        "workers killed": lambda: _kill_workers(here, 1, random),
        "all workers killed": lambda: _kill_workers(here, CONSUMERS, random),
        "queue flushed": here.flush_queue,
    }
    if here.engines:
        troubles["engine killed"] = lambda: _kill_engine(random.choice(here.engines), random)
    if here.redis is not None and here.database is not None:
        redis, database = here.redis, here.database
        troubles["Redis killed"] = lambda: redis.restart(signal.SIGKILL)
        troubles["database restarted"] = lambda: database.restart(signal.SIGINT)
    until = time.monotonic() + seconds
    order = ["engine killed"] if here.engines else []  # first, so that every run includes it
    twice = ["workers killed", *order]
    while time.monotonic() < until:
        order = order or random.sample([*twice, *troubles], len(twice) + len(troubles))
        if sum(states().get(state, 0) for state in ("pending", "processing")) <= SPARED_JOBS:
            break
        name = order.pop()
        with suppress(AssertionError):  # wait for something to hit, but not for ever
            wait_for(lambda: states().get("processing"), 15, "something runs")
        troubles[name]()
        done[name] += 1
        time.sleep(random.uniform(0.5, 2))
    return done


def _kill_workers(here: Lab, count: int, random: Random) -> None:
    """Kill workers with SIGKILL, and start others in their place a moment later."""
    victims = random.sample(here.consumers, count)
    for victim in victims:
        victim.kill()
    time.sleep(random.uniform(0.2, 1))
    for victim in victims:
        victim.start()


def _kill_engine(engine: EngineProcess, random: Random) -> None:
    """Kill the engine with SIGKILL and start it again a moment later."""
    engine.kill()
    time.sleep(random.uniform(0.2, 1))
    engine.start()


def _check_result(here: Lab, jobs: int) -> dict[str, object]:
    """Check what must be true at the end, and return the attempts by outcome and the mails."""
    db.session.rollback()
    charges = select(func.count()).where(Usage.kind == "upload")
    assert db.session.scalar(charges) == jobs, "one row of usage a job"
    assert db.session.scalar(select(func.count()).select_from(Sample)) == jobs
    stored = db.session.scalar(select(func.sum(Usage.quantity)).where(Usage.kind == "storage"))
    assert stored == db.session.scalar(select(func.sum(Sample.size_bytes)))
    attempts = db.session.scalars(select(Attempt).order_by(Attempt.job_id, Attempt.number)).all()
    for earlier, later in pairwise(attempts):
        assert earlier.ended_at is not None
        assert earlier.job_id != later.job_id or earlier.ended_at <= later.started_at, "attempts overlap"
    for job_id, spans in here.journal().items():
        for (_, ended), (started, _) in pairwise(spans):
            assert ended <= started + (ENGINE_RELEASE_S if here.engines else 0), (
                f"{job_id} ran twice at the same time"
            )
    alive = {pid for pid in here.journal_pids() if is_alive(pid)}
    assert alive == set(), f"left behind: {alive}"
    outcomes = Counter(attempt.outcome for attempt in attempts)
    return {"attempts": dict(outcomes)} | _check_mails(here)


def _check_mails(here: Lab) -> dict[str, object]:
    """Check that each message was sent; one that was sent twice has the same Message-ID."""
    keys = db.session.scalars(select(OutboxMessage.key)).all()
    sent = Counter(str(message["Message-ID"]) for message in here.inbox.messages)
    assert len(keys) == len(sent) == db.session.scalar(select(func.count(Job.batch_id.distinct())))
    return {"mails": len(sent), "sent twice": sum(count - 1 for count in sent.values())}


def _count_unsent() -> int:
    """Return how many outbox messages were not sent yet."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(OutboxMessage.sent_at.is_(None))) or 0
