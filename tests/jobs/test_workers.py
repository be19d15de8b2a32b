"""What the table of workers says of one process beside others, and which jobs each of them holds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.extensions import db
from app.jobs import reconcile, workers
from app.models import Job, User, Worker
from app.models.base import transaction, utcnow
from app.models.worker_process import PAUSED, RUNNING
from tests.support import waiting_jobs

OTHER = "another:1"
LATELY = timedelta(seconds=5)


@pytest.fixture
def other(owner: User) -> Worker:
    """Return the row of another worker, which was alive a few seconds ago."""
    beat_at = utcnow() - LATELY
    with transaction() as session:
        session.add(Worker(id=OTHER, host="another", pid=1, slots=8, beat_at=beat_at))
    return db.session.get_one(Worker, OTHER)


def test_a_worker_tells_of_itself_alone(other: Worker) -> None:
    beat_at = other.beat_at
    for _ in range(2):  # the first registers it
        workers.send_heartbeat()
    assert workers.set_mode(workers.own_worker_id(), PAUSED)
    with transaction():
        own, slots = workers.lock_own_worker()
    assert own is not None
    assert (own.id, own.mode, slots) == (workers.own_worker_id(), PAUSED, 8)
    db.session.refresh(other)
    assert (other.beat_at, other.mode) == (beat_at, RUNNING)
    workers.unregister()
    assert db.session.scalars(select(Worker.id)).all() == [OTHER]


def test_a_worker_holds_what_it_runs_now(owner: User, other: Worker) -> None:
    workers.send_heartbeat()
    own = db.session.get_one(Worker, workers.own_worker_id())
    here = f"{own.id}:thread"
    waiting_jobs(owner, 1, state="completed", worker=here)
    assert workers.slots_and_work() == (own.slots + other.slots, False)
    theirs = waiting_jobs(owner, 2, state="processing", worker=f"{OTHER}:thread")
    mine = waiting_jobs(owner, 1, state="processing", worker=here)
    assert workers.slots_and_work() == (own.slots + other.slots, True)
    assert [[job.id for job in workers.running_jobs(worker)] for worker in (own, other)] == [mine, theirs]
    assert workers.free_slots() == own.slots - 1


def test_a_worker_that_stops_gives_back_only_its_own_jobs(owner: User, other: Worker) -> None:
    here = f"{workers.own_worker_id()}:thread"
    [mine] = waiting_jobs(owner, 1, state="processing", worker=here, attempt=1)
    [theirs] = waiting_jobs(owner, 1, state="processing", worker=f"{OTHER}:thread", attempt=1)
    [ended] = waiting_jobs(owner, 1, state="completed", worker=here, attempt=1)
    reconcile.release_own_jobs()
    found = {job.id: (job.state, job.attempt) for job in db.session.scalars(select(Job))}
    assert found == {mine: ("pending", 0), theirs: ("processing", 1), ended: ("completed", 1)}
