"""The tasks: a wake-up signal runs the best job, and housekeeping takes up whatever was left undone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

import tasks
from app.extensions import db, settings
from app.jobs import claims, cleanup, workers
from app.library import trash
from app.models import Job, OutboxMessage, Sample, User
from app.models.base import transaction, utcnow
from app.models.worker_process import PAUSED, RUNNING
from app.notify.message_kinds import BATCH_DONE
from app.queue import HOUSE_PRIORITY, PAID_PRIORITY, huey
from tests.support import Browser, finished_job, kick, uploaded_job


@pytest.fixture(autouse=True)
def empty_queue() -> None:
    huey.flush()


def queued() -> list[str]:
    return [task.name for task in huey.pending()]


def test_an_upload_leaves_one_wake_up_signal(as_owner: Browser) -> None:
    uploaded_job(as_owner, "kick.wav", kick())
    assert queued() == ["run_job"]


def test_a_wake_up_signal_runs_the_job_and_sends_the_mail(as_owner: Browser) -> None:
    job = uploaded_job(as_owner, "kick.wav", kick())
    tasks.run_job.call_local()
    db.session.refresh(job)
    assert job.state == "completed"
    assert db.session.scalars(select(OutboxMessage)).one().sent_at is not None


def test_a_wake_up_signal_without_a_job_does_nothing(as_owner: Browser) -> None:
    tasks.run_job.call_local()
    assert db.session.scalar(select(func.count()).select_from(Job)) == 0


def test_a_worker_that_may_not_run_a_job_passes_its_wake_up_signal_on(
    as_owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a paused worker would swallow the wake-up signals of the others."""
    monkeypatch.setattr(tasks, "HAND_ON_PAUSE_S", 0)
    workers.send_heartbeat()
    workers.set_mode(workers.own_worker_id(), PAUSED)
    job = uploaded_job(as_owner, "kick.wav", kick())
    huey.flush()
    tasks.run_job.call_local()
    assert queued() == ["run_job"]
    workers.set_mode(workers.own_worker_id(), RUNNING)
    huey.flush()
    tasks.run_job.call_local()
    db.session.refresh(job)
    assert job.state == "completed"
    assert queued() == []


def test_a_queue_that_is_down_loses_no_upload(as_owner: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huey, "enqueue", lambda *_: (_ for _ in ()).throw(ConnectionError("no Redis")))
    job = uploaded_job(as_owner, "kick.wav", kick())
    assert job.state == "pending"
    monkeypatch.undo()
    assert queued() == []
    tasks.run_housekeeping.call_local()
    assert queued() == ["run_job"]


def test_housekeeping_wakes_delayed_jobs_when_they_are_due(as_freeloader: Browser) -> None:
    uploaded_job(as_freeloader, "kick.wav", kick())
    huey.flush()
    tasks.run_housekeeping.call_local()
    assert queued() == []
    with transaction() as session:
        session.execute(update(Job).values(run_at=utcnow() - timedelta(seconds=1)))
    tasks.run_housekeeping.call_local()
    assert queued() == ["run_job"]


def test_a_chore_that_fails_does_not_stop_the_others(
    as_owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded_job(as_owner, "kick.wav", kick())
    held = claims.claim_next()
    assert held is not None
    with transaction() as session:
        session.execute(update(Job).values(lease_until=utcnow() - timedelta(seconds=1)))
    huey.flush()

    def broken() -> None:
        raise RuntimeError("no store")

    monkeypatch.setattr(trash, "purge_deleted", broken)
    monkeypatch.setattr(tasks, "settle_abandoned", broken)
    tasks.run_housekeeping.call_local()
    assert queued() == ["run_job"]


def test_housekeeping_runs_before_any_backlog() -> None:
    assert HOUSE_PRIORITY > PAID_PRIORITY
    tasks.wake_for_job("pro-tier")
    tasks.run_housekeeping()
    first = huey.dequeue()
    assert first is not None
    assert first.name == "run_housekeeping"


def test_resending_a_message_does_no_housekeeping(as_owner: Browser, owner: User) -> None:
    with transaction() as session:
        owner.is_admin = True
        failed = OutboxMessage(key="k", user_id=owner.id, kind=BATCH_DONE, payload={"batch_id": "b"})
        failed.last_error = "refused"
        session.add(failed)
    assert as_owner.post(f"/admin/outbox/{failed.id}/resend").status_code == 303
    assert queued() == ["send_outbox"]
    tasks.send_outbox.call_local()
    db.session.refresh(failed)
    assert failed.sent_at is not None


def test_a_task_wakes_a_worker_with_its_own_priority() -> None:
    tasks.wake(tasks.send_webhooks)
    tasks.wake(tasks.send_mails)
    assert queued() == ["send_mails", "send_webhooks"]


def test_removing_orphans_leaves_everything_else(as_owner: Browser) -> None:
    import os

    waiting = uploaded_job(as_owner, "waiting.wav", kick())
    with transaction() as session:
        session.execute(update(Job).values(run_at=utcnow() + timedelta(hours=1)))
    finished_job(as_owner, "done.wav", kick())
    store = settings().data_dir / "store"
    user_id = waiting.user_id
    orphans = [store / "incoming" / user_id / "gone.wav", store / "samples" / user_id / "GONE" / "sp404.wav"]
    for path in orphans:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    assert cleanup.remove_orphans() == 0  # young: somebody may be busy with it
    kept = [path for path in store.rglob("*") if path.is_file() and path not in orphans]
    for path in [*kept, *orphans]:
        os.utime(path, (0, 0))
    assert [cleanup.remove_orphans(), cleanup.remove_orphans()] == [2, 0]
    assert sorted(path for path in store.rglob("*") if path.is_file()) == sorted(kept)
    assert len(kept) == 3


def test_only_old_temporary_files_are_removed(as_owner: Browser) -> None:
    import os

    folder = settings().data_dir / "tmp"
    old, young = folder / "job-x", folder / "upload-y"
    (old / "deep").mkdir(parents=True)
    young.write_bytes(b"x")
    os.utime(old, (0, 0))
    cleanup.remove_temporary_files()
    assert list(Path(folder).iterdir()) == [young]


def test_purging_from_two_places_is_safe(as_owner: Browser) -> None:
    job = finished_job(as_owner, "kick.wav", kick())
    sample = db.session.get_one(Sample, job.sample_id)
    trash.delete_sample(sample)
    with transaction() as session:
        session.execute(update(Sample).values(deleted_at=utcnow() - timedelta(hours=2)))
    trash.purge_deleted()
    trash.purge_deleted()
    db.session.expire_all()
    assert db.session.get_one(Job, job.id).sample_id is None
