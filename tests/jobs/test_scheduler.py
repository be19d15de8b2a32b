"""Which job is next: paid before free, in order, and no user takes every slot while another waits."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

import tasks
from app.auth import accounts
from app.billing.plans import PLANS
from app.extensions import db, settings
from app.jobs import claim_statements, claims, purposes, scheduler, transitions, workers
from app.jobs.workers import OwnWorker
from app.models import Job, Subscription, User, Worker
from app.models.base import transaction, utcnow
from app.models.worker_process import PAUSED, RUNNING
from app.queue import huey
from tests.support import PASSWORD, Browser, kick, uploaded_job, waiting_jobs


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | {"USER_RUNNING_MAX": "3", "WORKER_SLOTS": "4"}


def claimed(most: int = 20) -> list[str]:
    """Claim jobs one after another until there is none, and return their ids."""
    found: list[str] = []
    while len(found) < most and (held := claims.claim_next()) is not None:
        found.append(held.job_id)
    return found


def finish(job_id: str) -> None:
    transitions.cancel(job_id)


def test_a_thousand_free_jobs_wait_for_five_paid_ones(owner: User, freeloader: User) -> None:
    waiting_jobs(freeloader, 1000)
    paid = waiting_jobs(owner, 5)
    order = []
    for _ in range(5):
        (job_id,) = claimed(1)
        order.append(job_id)
        finish(job_id)
    assert order == paid


def test_no_user_has_more_jobs_running_than_the_cap(owner: User, stranger: User) -> None:
    mine, theirs = waiting_jobs(owner, 500), waiting_jobs(stranger, 1)
    assert claimed() == [*mine[:3], *theirs]
    finish(mine[0])
    assert claimed() == [mine[3]]


def test_a_plan_limits_how_many_jobs_of_a_user_run_at_once(owner: User, freeloader: User) -> None:
    """Free has two slots, fewer than the cap for every user here."""
    mine, free = waiting_jobs(owner, 3), waiting_jobs(freeloader, 5)
    assert claimed() == [*mine, *free[:2]]
    finish(free[0])
    assert claimed() == [free[2]]


def test_one_user_does_not_hold_every_slot_while_another_waits(owner: User, stranger: User) -> None:
    """With two slots in all, the owner holds both only until another user has a job."""
    workers.send_heartbeat()
    with transaction() as session:
        session.execute(update(Worker).values(slots=2))
    mine = waiting_jobs(owner, 500)
    assert claimed(2) == mine[:2]
    theirs = waiting_jobs(stranger, 1)
    finish(mine[0])
    assert claimed(1) == theirs


def test_a_user_at_the_limit_with_many_waiting_jobs_is_skipped(
    owner: User, stranger: User, freeloader: User
) -> None:
    """With more rows than are read one by one, the index finds the next user, earliest due first."""
    third = accounts.register_user("third@example.com", PASSWORD, "UTC")
    fourth = accounts.register_user("fourth@example.com", PASSWORD, "UTC")
    waiting_jobs(owner, claim_statements.MAX_ROWS_READ + 10)
    assert len(claimed(3)) == 3
    expected = []
    for user, ago_s in ((third, 9), (fourth, 6), (stranger, 3)):  # neither as they came nor the reverse
        paid = {"priority": 10, "tier": "pro-tier", "run_at": utcnow() - timedelta(seconds=ago_s)}
        expected += sorted(waiting_jobs(user, 2, **paid))
    not_due = utcnow() + timedelta(hours=1)
    waiting_jobs(freeloader, 1, priority=10, tier="pro-tier", run_at=not_due)
    long_ago = utcnow() - timedelta(hours=2)
    waiting_jobs(stranger, 1, priority=10, tier="pro-tier", run_at=long_ago, state="completed")
    free = waiting_jobs(freeloader, 1, run_at=long_ago)
    assert claimed() == [*expected, *free]


def test_free_jobs_leave_a_slot_to_paid_ones(owner: User, freeloader: User) -> None:
    workers.send_heartbeat()
    other = accounts.register_user("free2@example.com", PASSWORD, "UTC")
    free = waiting_jobs(freeloader, 3) + waiting_jobs(other, 3)
    assert claimed() == [*free[:2], free[3]]
    paid = waiting_jobs(owner, 1)
    assert claimed() == paid


def test_a_worker_of_one_slot_reserves_nothing(freeloader: User) -> None:
    workers.send_heartbeat()
    with transaction() as session:
        session.execute(update(Worker).values(slots=1))
    jobs = waiting_jobs(freeloader, 2)
    assert claimed(1) == jobs[:1]


@pytest.mark.parametrize("mode", ["paused", "draining"])
def test_a_paused_or_draining_worker_claims_nothing(owner: User, mode: str) -> None:
    workers.send_heartbeat()
    job_id, rest = waiting_jobs(owner, 2)
    assert claimed(1) == [job_id]
    assert workers.set_mode(workers.own_worker_id(), mode)
    workers.send_heartbeat()  # a heartbeat does not change its mode
    assert claimed() == []
    (worker,) = db.session.scalars(select(Worker)).all()
    finish(job_id)
    assert claimed() == []
    workers.set_mode(worker.id, RUNNING)
    assert claimed() == [rest]


def test_the_slots_of_silent_and_paused_workers_do_not_count(app: Flask) -> None:
    workers.send_heartbeat()
    with transaction() as session:
        session.add(Worker(id="a:1", host="a", pid=1, slots=8, beat_at=utcnow() - timedelta(minutes=1)))
        session.add(Worker(id="b:1", host="b", pid=1, slots=8, mode=PAUSED))
        session.add(Worker(id="c:1", host="c", pid=1, slots=8, beat_at=utcnow() - timedelta(hours=1)))
    assert workers.total_slots() == 4
    assert workers.free_slots() == 4
    workers.remove_silent()
    workers.remove_silent()
    assert set(db.session.scalars(select(Worker.id))) == {workers.own_worker_id(), "a:1", "b:1"}
    workers.unregister()
    assert workers.free_slots() == 0


def test_the_cap_holds_however_many_claim_at_once(app: Flask, owner: User, stranger: User) -> None:
    waiting_jobs(owner, 50)
    waiting_jobs(stranger, 1)
    found: list[str] = []

    def take() -> None:
        with app.app_context():
            for _ in range(3):
                held = claims.claim_next()
                if held is not None:
                    found.append(held.job_id)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.commit()
    counts = select(Job.user_id, func.count()).where(Job.state == "processing").group_by(Job.user_id)
    rows = db.session.execute(counts).all()
    assert {row[0]: row[1] for row in rows} == {owner.id: 3, stranger.id: 1}
    assert len(found) == len(set(found)) == 4


def test_an_upgrade_makes_waiting_jobs_paid_and_due_at_once(as_freeloader: Browser, freeloader: User) -> None:
    job = uploaded_job(as_freeloader, "kick.wav", kick())
    tried = uploaded_job(as_freeloader, "tried.wav", kick())
    again_at = utcnow() + timedelta(minutes=2)
    with transaction() as session:
        session.execute(update(Job).where(Job.id == tried.id).values(attempt=1, run_at=again_at))
        freeloader.subscription = Subscription(plan="pro", status="active")
    huey.flush()
    tasks.move_to_plan(freeloader)
    assert len(huey.pending()) == 1
    db.session.refresh(job)
    db.session.refresh(tried)
    assert (job.tier, job.priority) == (tried.tier, tried.priority) == ("pro-tier", 10)
    assert job.run_at <= utcnow()
    assert tried.run_at == again_at
    assert claimed() == [job.id]


def test_a_downgrade_makes_waiting_jobs_free_without_a_new_delay(owner: User) -> None:
    waiting_jobs(owner, 2)
    with transaction():
        assert owner.subscription is not None
        owner.subscription.status = "canceled"
    assert scheduler.move_to_plan(owner) == 2
    tiers = select(Job.tier, Job.priority).where(Job.run_at <= utcnow()).distinct()
    assert [tuple(row) for row in db.session.execute(tiers)] == [("free-tier", 20)]


@pytest.mark.parametrize(("due_in_s", "is_claimed"), [(-1, True), (30, False)])
def test_a_job_is_claimed_once_it_is_due(owner: User, due_in_s: int, is_claimed: bool) -> None:
    (job_id,) = waiting_jobs(owner, 1, run_at=utcnow() + timedelta(seconds=due_in_s))
    assert claimed() == ([job_id] if is_claimed else [])
    assert scheduler.ready_tiers(5) == []


def test_a_job_of_a_purpose_this_version_does_not_know_is_left_alone(owner: User) -> None:
    waiting_jobs(owner, 1, purpose="of the next version")
    (known,) = waiting_jobs(owner, 1)
    assert scheduler.ready_tiers(5) == ["pro-tier"]
    assert claimed() == [known]


def test_the_tiers_that_are_due_are_listed_best_first_up_to_a_number(owner: User, freeloader: User) -> None:
    waiting_jobs(freeloader, 2)
    waiting_jobs(owner, 2)
    waiting_jobs(owner, 1, run_at=utcnow() + timedelta(minutes=1))
    assert [scheduler.ready_tiers(limit) for limit in (1, 3, 9)] == [
        ["pro-tier"],
        ["pro-tier", "pro-tier", "free-tier"],
        ["pro-tier", "pro-tier", "free-tier", "free-tier"],
    ]


def test_jobs_of_one_user_go_by_the_time_they_are_due_and_then_by_age(owner: User) -> None:
    at = utcnow() - timedelta(minutes=10)
    late, early = (waiting_jobs(owner, 1, run_at=at + timedelta(seconds=s))[0] for s in (5, 0))
    same = waiting_jobs(owner, 2, run_at=at + timedelta(seconds=2))
    order = []
    while found := claimed(1):
        order += found
        finish(found[0])
    assert order == [early, *same, late]


@pytest.mark.parametrize(
    ("slots", "limits"),
    [(1, [3]), (2, [1, 3]), (3, [2, 3]), (4, [3])],
    ids=lambda value: str(value),
)
def test_one_slot_stays_free_for_others_while_there_are_few(
    app: Flask, slots: int, limits: list[int]
) -> None:
    """The cap is three. With up to three slots a user first gets all but one of them."""
    assert scheduler._running_limits(slots) == limits


@pytest.mark.parametrize(
    ("slots", "running", "takes_free"), [(4, 2, True), (4, 3, False), (2, 0, True), (2, 1, False)]
)
def test_the_last_slot_of_a_worker_is_kept_for_paid_jobs(
    owner: User, freeloader: User, slots: int, running: int, takes_free: bool
) -> None:
    workers.send_heartbeat()
    with transaction() as session:
        session.execute(update(Worker).values(slots=slots))
    for number in range(running):
        user = accounts.register_user(f"{number}@example.com", PASSWORD, "UTC")
        waiting_jobs(user, 1, state="processing", worker=f"{workers.own_worker_id()}:thread")
    waiting_jobs(freeloader, 1)
    worker = db.session.get_one(Worker, workers.own_worker_id())
    candidate = scheduler.next_candidate(OwnWorker(worker.id, worker.slots, worker.mode), slots)
    assert (candidate is not None) is takes_free
    (paid,) = waiting_jobs(owner, 1)
    assert claimed(1) == [paid]


def test_only_a_free_job_that_is_not_shown_at_once_is_delayed(app: Flask) -> None:
    delay = timedelta(seconds=settings().free_tier_delay_s)
    assert delay > timedelta(minutes=1)
    known = [purposes.find_purpose(name) for name in purposes.known_purposes()]
    kinds = {purpose.is_delayed_on_free: purpose for purpose in known}
    for plan, is_delayed, wait in (
        ("free", True, delay),
        ("free", False, timedelta()),
        ("pro", True, timedelta()),
    ):
        before = utcnow()
        due = scheduler.first_run_time(PLANS[plan], kinds[is_delayed])
        assert before <= due - wait <= utcnow(), (plan, is_delayed)


def test_moving_a_plan_touches_only_waiting_jobs_of_that_user(owner: User, freeloader: User) -> None:
    later = utcnow() + timedelta(hours=5)
    running, waiting = waiting_jobs(freeloader, 2, run_at=utcnow() - timedelta(hours=1))
    (delayed,) = waiting_jobs(freeloader, 1, run_at=later)
    (foreign,) = waiting_jobs(accounts.register_user("b@example.com", PASSWORD, "UTC"), 1, run_at=later)
    with transaction() as session:
        session.execute(update(Job).where(Job.id == running).values(state="processing"))
    due_before = db.session.get_one(Job, waiting).run_at
    with transaction():
        freeloader.subscription = Subscription(plan="pro", status="active")
    assert scheduler.move_to_plan(freeloader) == 2
    db.session.expire_all()
    jobs = {job_id: db.session.get_one(Job, job_id) for job_id in (running, waiting, delayed, foreign)}
    assert [jobs[each].priority for each in (running, waiting, delayed, foreign)] == [20, 10, 10, 20]
    assert jobs[waiting].run_at == due_before, "its place in line stays"
    assert jobs[delayed].run_at <= utcnow()
    assert jobs[foreign].run_at == later
