"""Which jobs a worker claims, and what becomes of jobs whose worker died."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import event, text, update

from app.billing import quota
from app.extensions import db
from app.jobs import claims, reconcile, run, workers
from app.models import Job, Sample, User
from app.models.base import transaction, utcnow
from tests.postgres_statements import sent_to_postgres
from tests.support import Browser, kick, uploaded_job, waiting_jobs


def test_paid_jobs_go_first_and_then_the_oldest(as_owner: Browser, as_freeloader: Browser) -> None:
    free = uploaded_job(as_freeloader, "free.wav", kick())
    first, second = (uploaded_job(as_owner, name, kick()) for name in ("first.wav", "second.wav"))
    with transaction() as session:
        session.execute(update(Job).where(Job.id == free.id).values(run_at=utcnow() - timedelta(hours=1)))
    order = [claimed.job_id for claimed in iter(claims.claim_next, None)]
    assert order == [first.id, second.id, free.id]


def test_a_delayed_job_is_not_claimed(as_freeloader: Browser) -> None:
    uploaded_job(as_freeloader, "free.wav", kick())
    assert claims.claim_next() is None


def test_a_claim_carries_where_the_bytes_are_and_locks_the_account(owner: User) -> None:
    (job_id,) = waiting_jobs(owner, 1)
    with sent_to_postgres() as sent:
        own = claims.claim_next()
    assert [sql for sql in sent if "FROM users" in sql and sql.endswith("FOR NO KEY UPDATE")]
    assert own is not None
    assert own.source_key == own.incoming_key == f"incoming/{owner.id}/0.wav"
    assert (own.wav_key, own.sample_id, own.choices) == (f"samples/{owner.id}/{job_id}/sp404.wav", None, {})
    assert (own.content_sha256, own.attempt, own.retries, len(own.token)) == ("", 1, 0, 32)
    names = ("name", "filename", "format", "content_sha256", "search_text")
    keys = {"original_key": "samples/1/original.wav", "sp404_key": "samples/1/sp404.wav"}
    with transaction() as session:
        sample = Sample(
            **dict.fromkeys(names, ""), **keys, user_id=owner.id, size_bytes=1, duration_s=1.0, kind="loop",
            bars=b"",
        )  # fmt: skip
        session.add(sample)
    about = {"incoming_key": None, "content_sha256": None, "choices": {"bpm": 93}, "retries": 2}
    for sample_id in (sample.id, None):
        waiting_jobs(owner, 1, sample_id=sample_id, **about)
        claim = claims.claim_next()
        assert claim is not None
        found = keys if sample_id else {"original_key": "", "sp404_key": ""}
        assert (claim.source_key, claim.wav_key) == (found["original_key"], found["sp404_key"])
        assert (claim.incoming_key, claim.content_sha256) == ("", "")
        assert (claim.choices, claim.retries) == ({"bpm": 93}, 2)


def test_no_ended_job_is_read_however_many_there_are(owner: User) -> None:
    """SQLite counts what an index has, and would rather group all jobs of a library by user than sort few."""
    waiting_jobs(owner, 500, state="completed")
    db.session.execute(text("ANALYZE"))
    waiting_jobs(owner, 3)
    plans: list[str] = []

    def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "WITH", "UPDATE")):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in cursor.fetchall())

    event.listen(db.engine, "before_cursor_execute", explain)
    try:
        assert [claims.claim_next() is not None for _ in range(4)] == [True, True, True, False]
    finally:
        event.remove(db.engine, "before_cursor_execute", explain)
    assert [plan for plan in plans if "SEARCH processing_jobs" in plan]
    assert [plan for plan in plans if "SCAN processing_jobs" in plan] == []


def test_an_abandoned_job_is_requeued(as_owner: Browser) -> None:
    job = uploaded_job(as_owner, "kick.wav", kick())
    claims.claim_next()
    assert reconcile.requeue_abandoned() == 0
    with transaction() as session:
        session.execute(update(Job).values(lease_until=utcnow() - timedelta(seconds=1)))
    assert reconcile.requeue_abandoned() == 1
    assert reconcile.requeue_abandoned() == 0
    run.run_next()
    db.session.refresh(job)
    assert (job.state, job.attempt) == ("completed", 2)


def test_a_job_whose_worker_died_here_does_not_wait_for_its_lease(as_owner: Browser) -> None:
    uploaded_job(as_owner, "kick.wav", kick())
    claims.claim_next()
    with transaction() as session:
        session.execute(update(Job).values(worker=f"{workers.machine_id()}:999999999:gone"))
    assert reconcile.requeue_abandoned() == 1


def test_a_job_that_loses_its_worker_six_times_fails(as_owner: Browser, owner: User) -> None:
    job = uploaded_job(as_owner, "poison.wav", kick())
    for start in range(1, 7):
        assert claims.claim_next() is not None
        db.session.refresh(job)
        assert (job.state, job.attempt) == ("processing", start)
        with transaction() as session:
            session.execute(update(Job).values(lease_until=utcnow() - timedelta(seconds=1)))
        reconcile.requeue_abandoned()
    db.session.refresh(job)
    assert job.state == "failed"
    assert "unexpectedly 6 times" in (job.error or "")
    assert quota.plan_usage(owner).uploads == 0
