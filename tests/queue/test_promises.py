"""The promises of the queue, with real workers that are killed, on SQLite and on PostgreSQL with Redis."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.ai import budget
from app.billing import plans, quota
from app.extensions import db
from app.jobs import claims, workers
from app.models import Attempt, Batch, Job, Sample, Usage, User
from app.models.base import transaction, utcnow
from app.upload import intake
from tests.queue import chaos
from tests.queue.lab import BACKENDS, EMBEDDED, SERVICES, Lab, is_alive, lab, member, states, upload, wait_for
from tests.support import kick, waiting_jobs

pytestmark = pytest.mark.services
Opened = tuple[Lab, Flask]


@pytest.mark.timeout(400)
@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_is_lost_or_done_twice_whatever_is_killed(tmp_path: Path, backend: str) -> None:
    """No periodic task runs at all: the heartbeats of the workers are enough."""
    told = chaos.run_chaos(tmp_path, backend, seconds=8, jobs=30, housekeeping=False)
    assert told["mails"] == 3


@pytest.mark.timeout(400)
def test_nothing_is_lost_when_the_engine_is_killed_too(tmp_path: Path) -> None:
    """A process of its own, killed in the middle of files and started again, beside the workers; with
    housekeeping."""
    told = chaos.run_chaos(tmp_path, SERVICES, seconds=8, jobs=40, engines=1)
    assert told["engine killed"]
    assert told["mails"] == 4


@pytest.fixture(params=BACKENDS)
def idle(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """Set up the queue without a worker."""
    with lab(tmp_path, request.param, "busy", USER_RUNNING_MAX="4") as opened:
        yield opened


def started(ids: set[str] | None = None) -> list[str]:
    """Return the ids of the jobs in the order of their attempts."""
    db.session.rollback()
    order = select(Attempt.job_id).order_by(Attempt.started_at)
    return [job_id for job_id in db.session.scalars(order) if ids is None or job_id in ids]


@pytest.mark.timeout(300)
def test_five_paid_jobs_start_before_a_thousand_free_ones_and_in_order(idle: Opened) -> None:
    here, _ = idle
    free = member("free@example.com", None)
    waiting_jobs(free, 1000)
    here.add_consumer()
    wait_for(lambda: len(started()) >= 1, 60, "a free job starts")
    paid = upload(member("paid@example.com"), 5)
    all_there = utcnow()
    wait_for(lambda: len(started(set(paid))) == 5, 60, "the paid jobs start")
    assert started(set(paid)) == paid
    last = select(Attempt.started_at).where(Attempt.job_id == paid[-1]).scalar_subquery()
    between = select(Attempt.job_id).where(Attempt.started_at > all_there, Attempt.started_at < last)
    assert set(db.session.scalars(between)) <= set(paid)


@pytest.mark.timeout(300)
def test_one_file_does_not_wait_for_another_users_five_hundred(idle: Opened) -> None:
    here, _ = idle
    upload(member("many@example.com"), 30)
    waiting_jobs(db.session.scalars(select(User)).one(), 470, run_at=utcnow())  # behind the thirty
    here.add_consumer()
    wait_for(lambda: states().get("completed", 0) >= 3, 60, "the line moves")
    (single,) = upload(member("one@example.com"), 1)
    wait_for(lambda: single in started(), 60, "the single one starts")
    came_at = select(Job.created_at).where(Job.id == single).scalar_subquery()
    started_at = select(Attempt.started_at).where(Attempt.job_id == single).scalar_subquery()
    finishes = select(func.count()).where(Attempt.ended_at > came_at, Attempt.ended_at <= started_at)
    assert (db.session.scalar(finishes) or 0) <= 2


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("backend", "entry"), [(EMBEDDED, "stubborn"), (SERVICES, "long_c_call")])
def test_a_job_that_will_not_end_is_killed_at_the_limit_three_times(
    tmp_path: Path, backend: str, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time, all its processes are killed within a second of the limit; then it fails with a sentence."""
    limit_s = 2.0
    with lab(tmp_path, backend, entry, JOB_LIMIT_S=str(limit_s)) as (here, _):
        (job_id,) = upload(member("p@example.com"), 1)
        here.add_consumer()
        for number in (1, 2, 3):
            wait_for(partial(_has_ended, number), 90, f"attempt {number} ends")
            wait_for(lambda: not any(map(is_alive, here.journal_pids())), 1, "its processes are gone")
            with transaction() as session:  # not after 30 and 120 seconds
                session.execute(update(Job).where(Job.state == "pending").values(run_at=func.now()))
        for ran_s in db.session.scalars(select(Attempt.run_s)):
            assert ran_s is not None
            assert limit_s - 0.1 <= ran_s <= limit_s + 1
        assert [a.exit_words for a in db.session.scalars(select(Attempt))] == 3 * ["signal 9 (SIGKILL)"]
        spans = here.journal()[job_id]
        assert len(spans) == 3
        job = db.session.get_one(Job, job_id)
        assert job.state == "failed"
        assert (job.error or "").startswith("It took longer than 2 seconds. We tried 3 times.")


def _has_ended(number: int) -> bool:
    db.session.rollback()
    ended = select(func.count()).where(Attempt.ended_at.is_not(None))
    return db.session.scalar(ended) == number


@pytest.mark.timeout(200)
@pytest.mark.parametrize("limit", ["uploads", "storage"])
def test_one_of_fifty_uploads_at_once_gets_the_last_place(idle: Opened, limit: str) -> None:
    _, app = idle
    user = member("p@example.com")
    plan, size = plans.plan_for_user(user), len(kick())
    with transaction() as session:
        batch = Batch(id="b", user_id=user.id, expected=50)
        left = plan.uploads - 1 if limit == "uploads" else plan.storage_bytes - size
        kind = "upload" if limit == "uploads" else "storage"
        session.add_all([batch, Usage(user_id=user.id, kind=kind, entry_key="used", quantity=left)])
    user_id, told = user.id, []
    barrier = threading.Barrier(50)

    def send(number: int) -> None:
        with app.app_context():
            owner = db.session.get_one(User, user_id)
            db.session.commit()
            barrier.wait()
            try:
                intake.accept_upload(owner, BytesIO(kick()), f"{number}.wav", "b")
                told.append("in")
            except intake.UploadRefusedError:
                told.append("refused")

    threads = [threading.Thread(target=send, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    assert sorted(told) == ["in"] + ["refused"] * 49
    assert db.session.scalar(select(func.count()).select_from(Job)) == 1
    stored = db.session.scalar(select(func.sum(Usage.quantity)).where(Usage.kind == "storage"))
    files = [path for path in (here_data(app) / "store").rglob("*") if path.is_file()]
    assert (stored or 0) - (left if limit == "storage" else 0) == size
    assert [path.stat().st_size for path in files] == [size]
    assert quota.plan_usage(db.session.get_one(User, user_id)).uploads_left <= plan.uploads - 1


def here_data(app: Flask) -> Path:
    return Path(app.config["SETTINGS"].data_dir)


@pytest.mark.timeout(200)
def test_the_cap_holds_under_parallel_claims(idle: Opened) -> None:
    """Sixteen threads claim for two users, each with a cap of four."""
    _, app = idle
    names = [member(f"{name}@example.com").id for name in ("a", "b")]
    for user_id in names:
        waiting_jobs(db.session.get_one(User, user_id), 100)
    found: list[str] = []
    barrier = threading.Barrier(16)

    def take() -> None:
        with app.app_context():
            barrier.wait()
            for _ in range(4):
                held = claims.claim_next()
                if held is not None:
                    found.append(held.job_id)

    threads = [threading.Thread(target=take) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    running = select(Job.user_id, func.count()).where(Job.state == "processing").group_by(Job.user_id)
    assert sorted(row[1] for row in db.session.execute(running)) == [4, 4]
    assert len(found) == len(set(found)) == 8


@pytest.mark.timeout(200)
def test_a_drained_worker_finishes_and_another_goes_on(idle: Opened) -> None:
    here, _ = idle
    upload(member("p@example.com"), 30)
    first = here.add_consumer()
    wait_for(lambda: states().get("processing"), 60, "the first worker works")
    assert first.process is not None
    worker = f"{workers.machine_id()}:{first.process.pid}"
    assert workers.set_mode(worker, "draining")
    wait_for(lambda: not states().get("processing"), 30, "it has finished what it had")
    done = states()["completed"]
    time.sleep(6)  # longer than a beat
    assert states()["completed"] == done
    here.add_consumer()
    wait_for(lambda: states() == {"completed": 30}, 120, "the second one does the rest")
    told = select(func.count()).where(Attempt.worker.startswith(f"{worker}:"))
    assert db.session.scalar(told) == done
    assert db.session.scalar(select(func.count()).select_from(Sample)) == 30


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("backend", "of_user", "of_all"),
    [(EMBEDDED, "0.05", "1"), (SERVICES, "0.05", "1"), (SERVICES, "1", "0.05")],
)
def test_many_questions_at_once_reserve_no_more_than_the_budget(
    tmp_path: Path, backend: str, of_user: str, of_all: str
) -> None:
    """No model is asked here: the processes only race for the reservation."""
    with lab(
        tmp_path, backend, "busy",
        OPENROUTER_API_KEY="a key", AI_USER_DAY_USD=of_user, AI_SERVICE_MONTH_USD=of_all,
    ) as (_, app):  # fmt: skip
        user_id, held = member("p@example.com").id, list[bool]()
        barrier = threading.Barrier(16)

        def put_aside(number: int) -> None:
            with app.app_context():
                barrier.wait()
                held.append(budget.reserve_budget(user_id, f"ai:job{number}", Decimal("0.02")) is not None)

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(put_aside, range(16)))
        db.session.rollback()
        assert sorted(held) == [False] * 14 + [True] * 2
        assert budget.spent_usd(budget.DAY) == Decimal("0.04")
