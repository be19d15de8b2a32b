"""Which running jobs count against the slots of a worker that free jobs may use."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from app.auth import accounts
from app.jobs import purposes, scheduler, workers
from app.jobs.workers import OwnWorker
from app.models import User, Worker
from app.models.base import transaction
from tests.support import PASSWORD, waiting_jobs

SLOTS = 4


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | {"USER_RUNNING_MAX": "8", "PAID_SLOTS": "1", "WORKER_SLOTS": str(SLOTS)}


@pytest.mark.parametrize(
    ("which", "takes_free"), [("paid here", True), ("free elsewhere", True), ("first free here", False)]
)
def test_only_free_jobs_of_the_same_worker_count(
    owner: User, freeloader: User, which: str, takes_free: bool
) -> None:
    """Three of four slots are taken, and the last is kept for paid jobs while free ones have the others."""
    workers.send_heartbeat()
    with transaction() as session:
        session.execute(update(Worker).values(slots=SLOTS))
        worker = session.get_one(Worker, workers.own_worker_id())
    here = f"{worker.id}:thread"
    values = {
        "paid here": {"worker": here, "priority": 10},
        "free elsewhere": {"worker": "another:1:thread", "priority": 20},
        "first free here": {"worker": here, "priority": purposes.first_free_priority()},
    }[which]
    for number in range(3):
        user = accounts.register_user(f"{number}@example.com", PASSWORD, "UTC")
        waiting_jobs(user, 1, state="processing", **values)
    waiting_jobs(freeloader, 1, priority=purposes.first_free_priority())
    candidate = scheduler.next_candidate(OwnWorker(worker.id, worker.slots, worker.mode), SLOTS)
    assert (candidate is not None) is takes_free
    waiting_jobs(owner, 1)
    candidate = scheduler.next_candidate(OwnWorker(worker.id, worker.slots, worker.mode), SLOTS)
    assert candidate is not None
    assert candidate.user_id == owner.id
