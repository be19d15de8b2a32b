"""A lease is kept while a job runs, and without it nothing is written."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from app.audio.errors import UnreadableAudio
from app.audio.result import Measurement
from app.engine import dispatch
from app.engine.contract import EngineAnswer
from app.extensions import db
from app.jobs import claims, describe_step, lease, run, transitions
from app.jobs.lease import LeaseLostError
from app.models import Attempt, Job
from app.models.base import transaction
from app.models.job import REQUEST_ID
from tests.queue.entries import MEASURED
from tests.queue.lab import wait_for
from tests.support import Browser, kick, uploaded_job

WAIT_S = 30


def test_a_refusal_after_the_lease_is_lost_does_not_count(
    as_owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        with transaction() as session:
            session.execute(update(Job).values(lease_token="somebody else's"))
        raise UnreadableAudio("No.")

    monkeypatch.setattr(dispatch, "process_file", refused)
    job = uploaded_job(as_owner, "kick.wav", kick())
    ending = run.run_next()
    assert ending is not None
    assert ending.state == "lost"
    db.session.refresh(job)
    assert job.state == "processing"


def test_the_lease_is_extended_while_something_slow_runs(
    as_owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_S", 0.05)
    job = uploaded_job(as_owner, "kick.wav", kick())
    held = claims.claim_next()
    assert held is not None
    first = db.session.get_one(Job, job.id).lease_until
    db.session.commit()
    assert first is not None

    def is_later() -> bool:
        db.session.rollback()
        return (db.session.get_one(Job, job.id).lease_until or first) > first

    with lease.keep_lease(held) as still_ours:
        wait_for(is_later, WAIT_S, "the lease is extended")
        assert still_ours()
        with transaction() as session:
            session.execute(update(Job).values(lease_token="somebody else's"))
        wait_for(lambda: not still_ours(), WAIT_S, "the lease is lost")


def test_a_worker_without_the_lease_changes_nothing(
    as_owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = uploaded_job(as_owner, "kick.wav", kick())
    held = claims.claim_next()
    assert held is not None
    assert lease.is_lease_held(held)
    with transaction() as session:
        session.execute(update(Job).values(lease_token="somebody else's"))
    assert not lease.is_lease_held(held)
    assert not lease.extend_lease(held)
    with pytest.raises(LeaseLostError):
        lease.save_step(held, "analysed", {"analysis": {}})
    with pytest.raises(LeaseLostError):
        transitions.complete(held, {})
    with pytest.raises(LeaseLostError):
        transitions.refuse(held, "x")
    with pytest.raises(LeaseLostError):
        transitions.retry_or_fail(held, "x", "y")
    with pytest.raises(LeaseLostError):
        transitions.postpone(held, "x")
    db.session.refresh(job)
    assert (job.state, job.step) == ("processing", "stored")


def test_results_that_were_not_written_yet_are_kept_by_an_attempt_that_fails(
    as_owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quick measurement is written with whatever comes next, which here is the end of a broken attempt."""
    answer = EngineAnswer(Measurement.from_dict(MEASURED))
    monkeypatch.setattr(dispatch, "process_file", lambda *_: answer)
    monkeypatch.setattr(describe_step, "describe_by_rules", broken)
    job = uploaded_job(as_owner, "kick.wav", kick())
    ending = run.run_next()
    assert ending is not None
    assert ending.state == "pending"
    db.session.refresh(job)
    assert job.step == "analysed"
    assert set(job.results) == {"analysis", REQUEST_ID}
    attempt = db.session.scalars(select(Attempt)).one()
    assert list(attempt.steps) == ["analysed"]


def broken(*_: object) -> None:
    raise RuntimeError("broken")
