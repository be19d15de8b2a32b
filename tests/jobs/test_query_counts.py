"""How often polls of the cards, claims and whole jobs ask the database."""

from __future__ import annotations

import pytest

from app.audio.result import Measurement
from app.auth import login_sessions
from app.engine import dispatch
from app.engine.contract import EngineAnswer
from app.extensions import db
from app.jobs import claims, reprocess, run
from app.models import Job, User
from app.models.base import transaction
from app.models.job import UPLOAD
from app.reprocessing.reprocess_purposes import ANALYSE, DESCRIBE
from tests.jobs.test_cards import poll_address
from tests.query_counter import counted_queries
from tests.queue.entries import MEASURED
from tests.search.test_text_conditions import shelve
from tests.support import Browser, kick, uploaded_job, waiting_jobs

HTMX = {"HX-Request": "true"}
MAX_QUERIES = 25
MAX_OF_CLAIM, MAX_OF_JOB = 8, 26


def queue_jobs(user: User, purpose: str, count: int) -> None:
    if purpose == UPLOAD:
        waiting_jobs(user, count)
        return
    shelf = shelve(user, {f"{purpose} {count} {number}": {} for number in range(count)})
    reprocess.queue_jobs(user, [sample.id for sample in shelf.values()], purpose)


def poll_queries(browser: Browser) -> int:
    with counted_queries() as sent:
        assert browser.get("/jobs?version=old", headers=HTMX).status_code in {200, 286}
    return len(sent)


def without_begin(sent: list[str]) -> list[str]:
    """Leave out what only SQLite is sent as a statement of its own."""
    return [statement for statement in sent if not statement.startswith("BEGIN")]


@pytest.mark.parametrize("purpose", [UPLOAD, ANALYSE, DESCRIBE])
def test_a_poll_costs_the_same_for_five_and_for_fifty_waiting_jobs(
    as_owner: Browser, owner: User, purpose: str
) -> None:
    queue_jobs(owner, purpose, 5)
    few = poll_queries(as_owner)
    queue_jobs(owner, purpose, 45)
    many = poll_queries(as_owner)
    assert many == few <= MAX_QUERIES


def test_a_poll_costs_the_same_for_five_and_for_fifty_finished_jobs(as_owner: Browser, owner: User) -> None:
    found = []
    for count in (5, 45):
        shelf = shelve(owner, {f"{count} {number}": {} for number in range(count)})
        jobs = [db.session.get_one(Job, job_id) for job_id in waiting_jobs(owner, count)]
        with transaction():
            for sample, job in zip(shelf.values(), jobs, strict=True):
                job.complete(sample)
        found.append(poll_queries(as_owner))
    assert found[0] == found[1] <= MAX_QUERIES


def test_an_unchanged_poll_is_one_statement_until_a_job_changes(as_owner: Browser, owner: User) -> None:
    waiting_jobs(owner, 5)
    address = poll_address(as_owner.get("/jobs").text)
    assert as_owner.get(address, headers=HTMX).status_code == 204
    with counted_queries() as sent:
        assert as_owner.get(address, headers=HTMX).status_code == 204
    assert len(without_begin(sent)) == 1
    assert claims.claim_next() is not None
    assert as_owner.get(address, headers=HTMX).status_code == 200


def test_an_unchanged_poll_of_a_session_that_ended_leads_to_the_sign_in(
    as_owner: Browser, owner: User
) -> None:
    waiting_jobs(owner, 5)
    address = poll_address(as_owner.get("/jobs").text)
    assert as_owner.get(address, headers=HTMX).status_code == 204
    with transaction():
        login_sessions.delete_sessions(owner)
    assert "/sign-in" in as_owner.get(address, headers=HTMX).headers["HX-Redirect"]


def test_a_claim_asks_as_often_with_two_hundred_waiting_jobs_as_with_two(owner: User) -> None:
    found = []
    for count in (2, 200):
        waiting_jobs(owner, count)
        with counted_queries() as sent:
            assert claims.claim_next() is not None
        found.append(len(without_begin(sent)))
    assert max(found) <= MAX_OF_CLAIM


def test_a_whole_job_with_an_engine_that_does_nothing_needs_few_statements(
    as_owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = EngineAnswer(Measurement.from_dict(MEASURED))
    monkeypatch.setattr(dispatch, "process_file", lambda *_: answer)
    uploaded_job(as_owner, "kick.wav", kick())
    with counted_queries() as sent:
        ending = run.run_next()
    assert ending is not None
    assert ending.state == "completed"
    assert len(without_begin(sent)) <= MAX_OF_JOB
