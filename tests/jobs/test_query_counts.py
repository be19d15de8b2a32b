"""One poll of the cards asks the database as often with fifty jobs as with five."""

from __future__ import annotations

import pytest

from app.extensions import db
from app.jobs import reprocess
from app.models import Job, User
from app.models.base import transaction
from app.models.job import UPLOAD
from app.reprocessing.reprocess_purposes import ANALYSE, DESCRIBE
from tests.query_counter import counted_queries
from tests.search.test_text_conditions import shelve
from tests.support import Browser, waiting_jobs

HTMX = {"HX-Request": "true"}
MAX_QUERIES = 25


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
