"""The record of an attempt, and the mean time that the latest jobs of a purpose took."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from app.extensions import db
from app.jobs import attempt_log, claims
from app.models import Attempt, Job, User
from app.models.base import transaction, utcnow
from app.models.job_attempt import CANCELLED, COMPLETED, FAILED
from tests.support import waiting_jobs


def ended_attempts(user: User, purpose: str, outcome: str, *seconds: float) -> None:
    """Insert attempts of a purpose that took so long and end now, one after another."""
    for run_s in seconds:
        [job_id] = waiting_jobs(user, 1, purpose=purpose, state="completed")
        now = utcnow()
        row = {
            "job_id": job_id, "number": 1, "token": job_id, "tier": "pro-tier", "worker": "w", "wait_s": 0.0,
            "started_at": now, "ended_at": now, "run_s": run_s, "outcome": outcome, "steps": {},
        }  # fmt: skip
        with transaction() as session:
            session.execute(insert(Attempt), [row])


def test_a_purpose_takes_as_long_as_its_jobs_of_late(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    assert attempt_log.mean_run_s("upload") is None
    ended_attempts(owner, "describe", COMPLETED, 9.0)
    ended_attempts(owner, "upload", COMPLETED, 100.0, 1.0, 3.0)
    ended_attempts(owner, "upload", FAILED, 50.0)
    assert attempt_log.mean_run_s("upload") == pytest.approx(104 / 3)
    assert attempt_log.mean_run_s("describe") == 9.0
    monkeypatch.setattr(attempt_log, "LATEST_ATTEMPTS", 3)  # the failed one, and the two quick ones
    assert attempt_log.mean_run_s("upload") == 2.0
    assert attempt_log.mean_run_s("describe") is None


def test_what_is_recorded_of_an_attempt_says_nothing_of_another_and_its_end_stays(owner: User) -> None:
    waiting_jobs(owner, 2)
    claim, other = claims.claim_next(), claims.claim_next()
    assert claim is not None
    assert other is not None
    job = db.session.get_one(Job, claim.job_id)
    with transaction():
        attempt_log.record_steps(claim.token, {"decoded": 1.0})
        attempt_log.record_end(job, CANCELLED)
        for exit_status in (-9, 1):
            attempt_log.record_exit_status(claim.token, exit_status)
        attempt_log.record_end(job, COMPLETED)
    columns = (Attempt.number, Attempt.outcome, Attempt.exit_status, Attempt.steps)
    found = db.session.execute(select(Attempt.token, *columns)).all()
    assert {token: tuple(rest) for token, *rest in found} == {
        claim.token: (1, CANCELLED, -9, {"decoded": 1.0}),
        other.token: (1, None, None, {}),
    }
