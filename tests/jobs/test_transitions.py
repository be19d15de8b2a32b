"""After each end of an attempt: the job's state, its next try, its charge and its stored files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.audio.result import Measurement
from app.billing import quota
from app.engine import dispatch
from app.engine.contract import EngineAnswer
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.jobs import claims, run, transitions
from app.jobs.attempt_log import MAX_DETAIL
from app.jobs.lease import Claim
from app.models import Attempt, Job, OutboxMessage, User, WebhookDelivery, WebhookEndpoint
from app.models.base import transaction, utcnow
from app.models.webhook_endpoint import JOB_COMPLETED, JOB_FAILED
from app.notify.message_kinds import BATCH_DONE, WEBHOOK
from tests.postgres_statements import sent_to_postgres
from tests.queue.entries import MEASURED
from tests.support import Browser, kick, uploaded_job, waiting_jobs
from tests.upload.test_upload import files_kept

MINUTE = timedelta(minutes=1)
LONG = "the start " + "x" * MAX_DETAIL + " the end"


@pytest.fixture(autouse=True)
def shortest_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spread no retries: each comes as early as it may."""

    class Early:
        def uniform(self, low: float, high: float) -> float:
            assert low < 1 < high
            return low

    monkeypatch.setattr(transitions, "SystemRandom", Early)


def held_job(user: User, **values: object) -> tuple[Claim, Job]:
    """Claim a job that was charged and has stored all it can."""
    (job_id,) = waiting_jobs(user, 1, **values)
    job = db.session.get_one(Job, job_id)
    with transaction():
        quota.charge_upload(user, job)
    source = settings().data_dir / "source"
    source.write_bytes(b"bytes")
    for key in (job.incoming_key, job.original_key, job.sp404_key, job.made_key):
        open_store(settings()).put(str(key), source, "audio/wav")
    source.unlink()
    held = claims.claim_next()
    assert held is not None
    return held, db.session.get_one(Job, job_id)


def kept_names(job: Job) -> set[str]:
    """Return which files of a job are still in the store."""
    store = settings().data_dir / "store"
    keys = {
        "incoming": job.incoming_key,
        "original": job.original_key,
        "wav": job.sp404_key,
        "made": job.made_key,
    }
    found = {path.relative_to(store).as_posix() for path in files_kept()}
    return {name for name, key in keys.items() if key in found}


def in_the_future(seconds: float) -> Callable[[object], bool]:
    """Return whether a time is this far away, within the time that a test may take."""
    return lambda at: -60 < (at - utcnow()).total_seconds() - seconds <= 0  # type: ignore[operator]  # a time


def charged_uploads(user: User) -> int:
    db.session.expire_all()
    return quota.plan_usage(user).uploads


def listen(user: User) -> None:
    """Let an endpoint of the user hear of each job that ends."""
    events = [JOB_COMPLETED, JOB_FAILED]
    with transaction() as session:
        session.add(
            WebhookEndpoint(user_id=user.id, url="https://a.example/", secret="whsec_", events=events)
        )


def test_a_job_that_is_done_keeps_its_sample_and_nothing_that_was_sent(
    as_owner: Browser, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(*_: object, **__: object) -> EngineAnswer:
        return EngineAnswer(Measurement.from_dict(MEASURED))

    monkeypatch.setattr(dispatch, "process_file", measured)
    with transaction() as session:
        session.add(
            WebhookEndpoint(
                user_id=owner.id, url="https://a.example/", secret="whsec_", events=[JOB_COMPLETED]
            )
        )
    job = uploaded_job(as_owner, "kick.wav", kick())
    with sent_to_postgres() as sent:
        ending = run.run_next()
    assert ending is not None
    db.session.refresh(job)
    assert (ending.state, job.state, job.results) == ("completed", "completed", {})
    assert job.sample_id is not None
    assert "incoming" not in kept_names(job)
    assert charged_uploads(owner) == 1
    assert db.session.scalars(select(Attempt.outcome)).one() == "completed"
    assert db.session.scalars(select(WebhookDelivery.event)).one() == JOB_COMPLETED
    assert set(db.session.scalars(select(OutboxMessage.kind))) == {WEBHOOK, BATCH_DONE}
    locks = [sql for sql in sent if "FROM users" in sql and sql.endswith("FOR NO KEY UPDATE")]
    assert len(locks) == 2, "to claim it, and to end it"


def test_a_retry_comes_after_half_a_minute_and_then_after_two() -> None:
    waits = [transitions.retry_delay(attempt).total_seconds() for attempt in (1, 2, 3, 9)]
    assert waits == [24, 96, 96, 96]


def test_retries_are_spread_by_a_fifth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transitions, "SystemRandom", lambda: Late)
    assert transitions.retry_delay(1) == timedelta(seconds=36)


class Late:
    @staticmethod
    def uniform(_: float, high: float) -> float:
        return high


@pytest.mark.parametrize(("before", "is_last"), [(0, False), (1, False), (2, True)])
def test_a_broken_job_is_tried_three_times_and_its_file_kept(owner: User, before: int, is_last: bool) -> None:
    held, job = held_job(owner, attempt=before, results={"analysis": {}})
    ending = transitions.retry_or_fail(held, "The engine broke.", LONG, -11)
    assert job.error_detail == LONG[-MAX_DETAIL:]
    attempt = db.session.scalars(select(Attempt)).one()
    assert (attempt.outcome, attempt.exit_status) == ("failed" if is_last else "retry", -11)
    assert job.results == {"analysis": {}}
    if not is_last:
        assert (ending.state, job.state, job.run_at) == ("pending", "pending", ending.retry_at)
        assert in_the_future(24 if before == 0 else 96)(job.run_at)
        assert kept_names(job) == {"incoming", "original", "wav", "made"}
        assert charged_uploads(owner) == 1
        return
    assert (ending.state, ending.retry_at, job.state) == ("failed", None, "failed")
    assert (job.error or "").startswith("The engine broke. We tried 3 times. ")
    assert in_the_future(3 * 86400)(job.kept_until)
    assert kept_names(job) == {"incoming", "wav", "made"}
    assert charged_uploads(owner) == 0


@pytest.mark.parametrize("age", [timedelta(days=3) - 5 * MINUTE, timedelta(days=3) + MINUTE])
def test_a_job_waits_for_three_days_without_losing_a_try(owner: User, age: timedelta) -> None:
    held, job = held_job(owner, created_at=utcnow() - age, results={"analysis": {}}, attempt=1)
    ending = transitions.postpone(held, LONG)
    assert job.error_detail == LONG[-MAX_DETAIL:]
    if age < timedelta(days=3):
        assert (ending.state, job.state, job.attempt) == ("pending", "pending", 1)
        assert job.run_at == ending.retry_at
        assert in_the_future(24)(job.run_at)
        assert charged_uploads(owner) == 1
        return
    assert (ending.state, job.state, job.kept_until, job.results) == ("failed", "failed", None, {})
    assert (job.error or "").startswith("We couldn't get the file back from our storage. ")
    assert charged_uploads(owner) == 0


def test_a_file_that_can_not_be_used_is_neither_kept_nor_charged(owner: User) -> None:
    listen(owner)
    held, job = held_job(owner, results={"analysis": {}})
    assert transitions.refuse(held, "It has no channels.").state == "failed"
    assert (job.state, job.kept_until, job.results, job.error_detail) == ("failed", None, {}, None)
    assert (job.error or "").startswith("It has no channels.")
    assert db.session.scalars(select(WebhookDelivery.event)).one() == JOB_FAILED
    assert kept_names(job) == {"original"}
    assert charged_uploads(owner) == 0


@pytest.mark.parametrize(("before", "is_last"), [(0, False), (4, False), (5, True)])
def test_a_job_whose_worker_is_gone_goes_back_until_six_were_lost(
    owner: User, before: int, is_last: bool
) -> None:
    held, job = held_job(owner, attempt=before)
    transitions.end_abandoned(job.id, "another token")
    assert job.state == "processing"
    transitions.end_abandoned(job.id, held.token)
    assert job.attempt == before + 1
    assert db.session.scalars(select(Attempt.outcome)).one() == "abandoned"
    if not is_last:
        assert job.state == "pending"
        assert in_the_future(0)(job.run_at)
        assert charged_uploads(owner) == 1
        return
    assert job.state == "failed"
    assert in_the_future(3 * 86400)(job.kept_until)
    assert kept_names(job) == {"incoming", "wav", "made"}
    assert charged_uploads(owner) == 0


def test_a_job_whose_worker_is_told_to_stop_loses_no_try(owner: User) -> None:
    held, job = held_job(owner, attempt=1)
    transitions.end_interrupted(job.id, "another token")
    assert job.state == "processing"
    for _ in range(2):
        transitions.end_interrupted(job.id, held.token)
        assert (job.state, job.attempt) == ("pending", 1)
    assert in_the_future(0)(job.run_at)
    assert db.session.scalars(select(Attempt.outcome)).one() == "waiting"


def test_only_what_waits_or_runs_is_cancelled(owner: User) -> None:
    held, running = held_job(owner, results={"analysis": {}})
    waiting, failed = (
        db.session.get_one(Job, waiting_jobs(owner, 1, state=state, incoming_key=f"incoming/{state}.wav")[0])
        for state in ("pending", "failed")
    )
    for job in (waiting, failed):
        source = settings().data_dir / "source"
        source.write_bytes(b"bytes")
        for key in (job.incoming_key, job.original_key):
            open_store(settings()).put(str(key), source, "audio/wav")
        Path(source).unlink()
    [other_id] = waiting_jobs(owner, 1)
    assert transitions.cancel_jobs([running.id, waiting.id, failed.id, "nothing"]) == 2
    assert db.session.get_one(Job, other_id).state == "pending"
    assert [job.state for job in (running, waiting, failed)] == ["cancelled", "cancelled", "failed"]
    assert (running.results, running.error) == ({}, None)
    # One that never ran has stored only what was sent, so the store is asked for nothing else.
    assert [kept_names(job) for job in (running, waiting, failed)] == [
        set(),
        {"original"},
        {"incoming", "original"},
    ]
    assert charged_uploads(owner) == 0
    assert db.session.scalars(select(Attempt.outcome)).one() == "cancelled"
    assert (transitions.cancel(running.id), transitions.cancel("nothing")) == (False, False)
    assert transitions.end_lost(held).state == "lost"
    assert db.session.scalars(select(Attempt.exit_status)).one() is None
    transitions.end_lost(held, -9)
    assert db.session.scalars(select(Attempt.exit_status)).one() == -9


def test_a_job_whose_sample_was_deleted_is_cancelled_and_leaves_nothing(owner: User) -> None:
    held, job = held_job(owner, results={"analysis": {}})
    assert transitions.end_deleted(held).state == "cancelled"
    assert (job.state, job.results) == ("cancelled", {})
    assert job.error
    assert kept_names(job) == {"original"}
    assert charged_uploads(owner) == 0
    assert db.session.scalars(select(Attempt.outcome)).one() == "cancelled"


def test_what_was_not_written_yet_is_kept_by_a_try_that_breaks_and_not_by_one_that_lost(owner: User) -> None:
    held, job = held_job(owner)
    held.unsaved.update(step="analysed", results={"analysis": {"bpm": 93}})
    held.step_times["analysed"] = 0.5
    transitions.retry_or_fail(held, "It broke.", "where")
    assert (job.step, job.results) == ("analysed", {"analysis": {"bpm": 93}})
    assert db.session.scalars(select(Attempt.steps)).one() == {"analysed": 0.5}
    with transaction() as session:
        session.execute(update(Job).values(run_at=utcnow()))
    again = claims.claim_next()
    assert again is not None
    assert dict(again.results) == {"analysis": {"bpm": 93}}


def test_a_job_that_runs_without_a_lease_is_put_back_alone_and_only_while_it_runs(owner: User) -> None:
    """Such as one whose row was changed by hand: its token is as empty as that of a job which has ended."""
    jobs = waiting_jobs(owner, 3, state="processing", attempt=1)
    [failed] = waiting_jobs(owner, 1, state="failed", attempt=1)
    for _ in range(2):
        transitions.end_abandoned(jobs[1], None)
        transitions.end_interrupted(jobs[2], None)
        for end in (transitions.end_abandoned, transitions.end_interrupted):
            end(failed, None)
    found = {job.id: (job.state, job.attempt) for job in db.session.scalars(select(Job))}
    assert [found[each] for each in jobs] == [("processing", 1), ("pending", 1), ("pending", 0)]
    assert found[failed] == ("failed", 1)
