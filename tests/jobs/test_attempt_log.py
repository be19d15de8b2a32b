"""How long jobs of a purpose take, by the attempts of late."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from app.jobs import attempt_log
from app.models import Attempt, User
from app.models.base import transaction, utcnow
from app.models.job_attempt import COMPLETED, FAILED
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
