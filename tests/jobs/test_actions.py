"""The actions of a person on a job, what is recorded of each attempt, and the progress of a batch."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.billing import quota
from app.engine import dispatch
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.jobs import actions, claims, cleanup, progress, reconcile, run, transitions
from app.models import Attempt, Batch, Job, OutboxMessage, Usage, User
from app.models.base import transaction, utcnow
from app.models.job import UPLOAD
from app.sandbox.errors import EngineCancelled, EngineCrashed
from app.upload.demo_jobs import DEMO
from app.upload.zip_purpose import UNPACK
from tests.support import Browser, drum_loop, finished_job, kick, uploaded_job, waiting_jobs
from tests.upload.test_upload import files_kept


def attempts_of(job: Job) -> list[Attempt]:
    return list(db.session.scalars(select(Attempt).where(Attempt.job_id == job.id).order_by(Attempt.number)))


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> None:
        raise EngineCrashed("signal 11\nwhere it was", -11)

    monkeypatch.setattr(dispatch, "process_file", crash)


def failed_job(browser: Browser) -> Job:
    job = uploaded_job(browser, "kick.wav", kick())
    for _ in range(3):
        with transaction() as session:
            session.execute(update(Job).where(Job.id == job.id).values(run_at=utcnow()))
        run.run_next()
    db.session.refresh(job)
    assert job.state == "failed"
    return job


def test_every_attempt_is_recorded_with_its_outcome(as_owner: Browser, broken: None) -> None:
    found = attempts_of(failed_job(as_owner))
    assert [(a.number, a.outcome, a.exit_words) for a in found] == [
        (1, "retry", "signal 11 (SIGSEGV)"),
        (2, "retry", "signal 11 (SIGSEGV)"),
        (3, "failed", "signal 11 (SIGSEGV)"),
    ]
    assert "where it was" in (found[0].detail or "")
    for earlier, later in pairwise(found):
        assert earlier.ended_at is not None
        assert earlier.ended_at <= later.started_at


def test_an_attempt_records_when_each_step_was_done(as_owner: Browser) -> None:
    (attempt,) = attempts_of(finished_job(as_owner, "loop.wav", drum_loop()))
    assert attempt.outcome == "completed"
    assert attempt.run_s is not None
    times = list(attempt.steps.values())
    assert list(attempt.steps) == ["decoded", "analysed", "described"]
    assert times == sorted(times)
    assert 0 < times[-1] <= attempt.run_s + 0.1
    assert attempt.wait_s >= 0


def test_an_abandoned_attempt_is_recorded_apart_from_the_next(as_owner: Browser) -> None:
    job = uploaded_job(as_owner, "kick.wav", kick())
    claims.claim_next()
    with transaction() as session:
        session.execute(update(Job).values(lease_until=utcnow() - timedelta(seconds=1)))
    reconcile.requeue_abandoned()
    run.run_next()
    assert [a.outcome for a in attempts_of(job)] == ["abandoned", "completed"]


def test_a_waiting_job_is_cancelled_at_once(as_owner: Browser, owner: User) -> None:
    job = uploaded_job(as_owner, "kick.wav", kick())
    for _ in range(2):
        answer = as_owner.post(f"/jobs/{job.id}/cancel")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/jobs")
    db.session.refresh(job)
    assert job.state == "cancelled"
    assert (quota.plan_usage(owner).uploads, quota.plan_usage(owner).storage_bytes) == (0, 0)
    assert files_kept() == []
    assert db.session.scalar(select(func.count()).select_from(OutboxMessage)) == 0
    assert "Cancelled. It does not count" in as_owner.get("/jobs").text
    assert run.run_next() is None


def test_another_users_job_can_be_neither_cancelled_nor_retried(
    as_owner: Browser, as_stranger: Browser
) -> None:
    job = uploaded_job(as_owner, "kick.wav", kick())
    for verb in ("cancel", "retry"):
        assert as_stranger.post(f"/jobs/{job.id}/{verb}").status_code == 404
    db.session.refresh(job)
    assert job.state == "pending"


def test_a_running_job_is_killed_soon_after_it_is_cancelled(
    app: Flask, as_owner: Browser, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the real sandbox, with a child that sleeps: its process group is gone within two seconds."""
    from app.sandbox.runner import Sandbox

    monkeypatch.setattr(dispatch, "WORKER_SANDBOX", Sandbox("tests.jobs.entries:sleep_and_tell"))
    job = uploaded_job(as_owner, "kick.wav", kick())
    told = settings().data_dir.resolve() / "pid"

    def cancel_when_it_runs() -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until and not list(told.parent.rglob("pid-*")):
            time.sleep(0.05)
        with app.app_context():
            actions.cancel(job.id)
            cancelled.append(time.monotonic())

    cancelled: list[float] = []
    thread = threading.Thread(target=cancel_when_it_runs)
    thread.start()
    ending = run.run_next()
    took_s = time.monotonic() - cancelled[0]
    thread.join()
    dispatch.WORKER_SANDBOX.close()
    assert ending is not None
    assert ending.state == "lost"
    assert took_s < 2.5
    db.session.expire_all()
    assert job.state == "cancelled"
    (attempt,) = attempts_of(job)
    assert (attempt.outcome, attempt.exit_words) == ("cancelled", "signal 9 (SIGKILL)")
    assert quota.plan_usage(owner).uploads == 0
    assert files_kept() == []


def test_the_mail_leaves_out_cancelled_jobs(as_owner: Browser) -> None:
    batch = "2b1f8f0e-6a53-4b3c-9a54-0a54d6f4c001"
    for name in ("a.wav", "b.wav"):
        assert as_owner.upload((name, kick()), batch=batch, batch_files="2").status_code == 201
    first, second = db.session.scalars(select(Job).order_by(Job.id)).all()
    actions.cancel(first.id)
    run.run_next()
    assert db.session.scalars(select(OutboxMessage)).one().payload == {"batch_id": batch}
    db.session.refresh(second)
    assert second.state == "completed"


def test_a_failed_job_can_be_retried_without_another_upload(
    as_owner: Browser, owner: User, broken: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = failed_job(as_owner)
    assert "Try again" in as_owner.get("/jobs").text
    assert quota.plan_usage(owner).uploads == 0
    monkeypatch.undo()
    assert as_owner.post(f"/jobs/{job.id}/retry").status_code == 303
    assert as_owner.post(f"/jobs/{job.id}/retry").status_code == 409  # it is under way
    assert quota.plan_usage(owner).uploads == 1
    run.run_next()
    db.session.refresh(job)
    assert (job.state, job.retries, job.attempt) == ("completed", 1, 1)
    assert (quota.plan_usage(owner).uploads, quota.plan_usage(owner).storage_bytes) == (1, job.size_bytes)
    assert [a.number for a in attempts_of(job)] == [1, 2, 3, 4]
    keys = db.session.scalars(select(OutboxMessage.key).order_by(OutboxMessage.id)).all()
    assert len(keys) == len(set(keys)) == 2  # it failed, and later it was ready


def test_a_retry_that_is_cancelled_returns_its_own_charge(
    as_owner: Browser, owner: User, broken: None
) -> None:
    job = failed_job(as_owner)
    actions.retry(job.id)
    actions.cancel(job.id)
    assert (quota.plan_usage(owner).uploads, quota.plan_usage(owner).storage_bytes) == (0, 0)
    charges = select(func.count()).where(Usage.kind == "upload", Usage.quantity == 1)
    assert db.session.scalar(charges) == 2


def test_a_retry_needs_room_in_the_plan(as_owner: Browser, owner: User, broken: None) -> None:
    job = failed_job(as_owner)
    with transaction() as session:
        session.add(Usage(user_id=owner.id, kind="upload", entry_key="used", quantity=1000))
    answer = as_owner.post(f"/jobs/{job.id}/retry")
    assert answer.status_code == 303
    assert "You have used all 1,000 uploads for this month." in as_owner.get("/jobs").text
    db.session.refresh(job)
    assert job.state == "failed"


@pytest.mark.parametrize("refused", [True, False])
def test_only_a_job_whose_file_is_kept_can_be_retried(as_owner: Browser, broken: None, refused: bool) -> None:
    job = failed_job(as_owner)
    with transaction() as session:
        past = None if refused else utcnow() - timedelta(seconds=1)
        session.execute(update(Job).values(kept_until=past))
    assert not actions.retry(job.id)
    assert "Try again" not in as_owner.get("/jobs").text


def test_only_a_purpose_that_charges_an_upload_charges_its_retry(owner: User, freeloader: User) -> None:
    kept = {"state": "failed", "kept_until": utcnow() + timedelta(hours=1)}
    for purpose in (UPLOAD, UNPACK, DEMO):
        (job_id,) = waiting_jobs(owner, 1, purpose=purpose, **kept)
        assert actions.retry(job_id), purpose
        assert quota.plan_usage(owner).uploads == 1, purpose
    (free_id,) = waiting_jobs(freeloader, 1, tier="pro", **kept)
    assert actions.retry(free_id)
    assert db.session.get_one(Job, free_id).tier == "free-tier", "its account has another plan by now"


def test_a_kept_file_is_removed_only_after_its_time(as_owner: Browser, broken: None) -> None:
    import os

    job = failed_job(as_owner)
    for path in files_kept():
        os.utime(path, (0, 0))
    assert cleanup.remove_orphans() == 0
    with transaction() as session:
        session.execute(update(Job).values(kept_until=utcnow() - timedelta(seconds=1)))
    assert cleanup.remove_orphans() == 1
    assert not (settings().data_dir / "store" / str(job.incoming_key)).exists()


def test_a_retry_does_not_repeat_finished_steps(as_owner: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file was measured before the job broke three times: the retry continues from there."""
    store_put = transitions.complete
    monkeypatch.setattr(transitions, "complete", lambda *_: (_ for _ in ()).throw(RuntimeError("boom")))
    job = failed_job(as_owner)
    monkeypatch.setattr(transitions, "complete", store_put)
    monkeypatch.setattr(dispatch, "process_file", lambda *_, **__: pytest.fail("measured again"))
    assert actions.retry(job.id)
    run.run_next()
    db.session.refresh(job)
    assert job.state == "completed"
    open_store(settings()).fetch(job.sp404_key, Path(settings().data_dir) / "there")


def test_a_job_can_be_started_before_its_time(as_freeloader: Browser) -> None:
    job = uploaded_job(as_freeloader, "kick.wav", kick())
    assert [actions.run_now(job.id), actions.run_now(job.id)] == [True, False]
    held = claims.claim_next()
    assert held is not None
    assert held.job_id == job.id
    cancelled = uploaded_job(as_freeloader, "again.wav", drum_loop())
    assert actions.cancel(cancelled.id)
    assert not actions.run_now(cancelled.id)


def test_a_batch_shows_how_far_it_is_and_how_long_it_takes(as_owner: Browser, owner: User) -> None:
    waiting_jobs(owner, 200)
    assert "0</span> of <span" in as_owner.get("/jobs").text
    assert progress.active_batches(owner.id)[0].left_words == ""  # nothing was measured yet
    for _ in range(38):
        held = claims.claim_next()
        assert held is not None
        with transaction() as session:
            session.execute(update(Attempt).values(outcome="completed", run_s=1.48, ended_at=utcnow()))
            session.execute(update(Job).where(Job.id == held.job_id).values(state="completed"))
    (whole,) = progress.active_batches(owner.id)
    assert (whole.done, whole.total, whole.left_words) == (38, 200, "about 4 minutes left")
    assert ", about 4 minutes left" in as_owner.get("/jobs").text


def test_a_delayed_batch_says_when_it_starts(freeloader: User) -> None:
    due = utcnow() + timedelta(hours=12)
    waiting_jobs(freeloader, 3, run_at=due)
    (whole,) = progress.active_batches(freeloader.id)
    assert (whole.starts_at, whole.left_words) == (due, "")


def test_a_lost_lease_records_how_the_child_was_killed(
    as_owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        transitions.cancel(job.id)
        raise EngineCancelled("given up", -9)

    job = uploaded_job(as_owner, "kick.wav", kick())
    monkeypatch.setattr(dispatch, "process_file", killed)
    run.run_next()
    assert [(a.outcome, a.exit_status) for a in attempts_of(job)] == [("cancelled", -9)]
    assert db.session.scalar(select(func.count()).select_from(Batch)) == 1
