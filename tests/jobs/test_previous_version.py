"""While a new version is deployed, jobs of the previous and of the next version wait in the same table."""

from __future__ import annotations

import pytest

import tasks
from app.extensions import db
from app.jobs import claims, transitions
from app.jobs.purposes import DESCRIPTION
from app.jobs.reconcile import requeue_abandoned
from app.models import Job, User
from app.models.base import transaction, utcnow
from app.models.job import PROCESSING, REQUEST_ID
from app.queue import huey
from app.reprocessing.reprocess_purposes import DESCRIBE, finish_description
from app.vibe.sound_description import BY_RULES
from tests.search.test_text_conditions import DULL, shelve
from tests.support import ApiScript, drum_loop, kick, waiting_jobs


def test_the_previous_versions_wish_for_no_model_is_respected(owner: User) -> None:
    sample = shelve(owner, {"Break": DULL | {"source": "acme/words"}})["Break"]
    job = Job(purpose=DESCRIBE, sample_id=sample.id, ai_allowed=True, results={"wants_model": False})
    finish_description(job, {DESCRIPTION: DULL | {"source": BY_RULES}})
    assert sample.described["source"] == BY_RULES
    allowed = Job(purpose=DESCRIBE, sample_id=sample.id, ai_allowed=True, results={"wants_model": True})
    sample.describe(DULL | {"source": "acme/words"})
    finish_description(allowed, {DESCRIPTION: DULL | {"source": BY_RULES}})
    assert sample.described["source"] == "acme/words"


def test_a_worker_of_the_previous_version_sees_that_no_description_is_wanted(script: ApiScript) -> None:
    assert script.upload("kick.wav", kick(), ai_analysis="false").status_code == 202
    assert script.upload("loop.wav", drum_loop(), ai_analysis="true").status_code == 202
    wanted = {
        job.ai_analysis: {name: found for name, found in job.results.items() if name != REQUEST_ID}
        for job in db.session.query(Job)
    }
    assert wanted == {False: {DESCRIPTION: {}}, True: {}}


def test_a_purpose_of_the_next_version_is_left_to_its_workers(owner: User) -> None:
    waiting_jobs(owner, 1, purpose="export")
    assert claims.claim_next() is None
    known = waiting_jobs(owner, 1)
    claim = claims.claim_next()
    assert claim is not None
    assert [claim.job_id] == known


def test_one_job_that_cannot_be_requeued_does_not_stop_the_others(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, fine = waiting_jobs(owner, 2)
    with transaction():
        for job in db.session.query(Job):
            job.state, job.lease_token, job.lease_until = PROCESSING, f"token-{job.id}"[:32], utcnow()
    end_abandoned = transitions.end_abandoned

    def break_on_one(job_id: str, token: str | None) -> None:
        if job_id == broken:
            raise KeyError("export")
        end_abandoned(job_id, token)

    monkeypatch.setattr(transitions, "end_abandoned", break_on_one)
    requeue_abandoned()
    db.session.expire_all()
    assert db.session.get_one(Job, broken).state == PROCESSING
    assert db.session.get_one(Job, fine).state != PROCESSING


@pytest.mark.parametrize("name", ["work", "keep_house", "sweep"])
def test_messages_of_the_previous_version_are_understood(name: str) -> None:
    assert huey._registry.string_to_task(f"{tasks.__name__}.{name}").__name__ == name
