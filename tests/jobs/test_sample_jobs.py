"""Which jobs about samples there are: of one user, of one purpose, and not ended or not too old."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from app.jobs import reprocess
from app.library import trash
from app.models import Job, User
from app.models.base import transaction, utcnow
from app.reprocessing.reprocess_purposes import ANALYSE, DESCRIBE
from tests.search.test_text_conditions import shelve
from tests.support import waiting_jobs

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def ids_of(jobs: list[Job]) -> list[str]:
    return [job.id for job in jobs]


def test_jobs_of_a_purpose_are_neither_of_others_nor_of_another_purpose(owner: User, stranger: User) -> None:
    since = utcnow() - DAY
    values = {"created_at": since, "kept_until": utcnow() + MINUTE}
    for user, purpose in ((stranger, ANALYSE), (owner, DESCRIBE)):
        for state in ("pending", "failed"):
            waiting_jobs(user, 1, purpose=purpose, state=state, **values)
    mine = {
        state: waiting_jobs(owner, 1, purpose=ANALYSE, state=state, **values)
        for state in ("pending", "processing", "failed")
    }
    waiting_jobs(owner, 1, purpose=ANALYSE, state="failed", created_at=since - MINUTE, kept_until=utcnow())
    unfinished = ids_of(reprocess.unfinished_jobs_for(owner, ANALYSE))
    assert unfinished == [*mine["pending"], *mine["processing"]]
    assert ids_of(reprocess.retriable_jobs_for(owner, ANALYSE)) == mine["failed"]
    lately = set(ids_of(reprocess.jobs_since(owner, ANALYSE, since)))
    assert lately == {*mine["pending"], *mine["processing"], *mine["failed"]}


def test_a_sample_has_one_unfinished_job_of_a_purpose(owner: User) -> None:
    shelf = shelve(owner, {"one": {}, "two": {}})
    one, two = shelf["one"].id, shelf["two"].id
    waiting_jobs(owner, 1, purpose=ANALYSE, sample_id=one, state="completed")
    waiting_jobs(owner, 1, purpose=DESCRIBE, sample_id=one)
    assert reprocess.unfinished_jobs([one, two], ANALYSE) == {}
    [job] = reprocess.queue_jobs(owner, [one], ANALYSE)
    assert reprocess.unfinished_jobs([one, two], ANALYSE) == {one: job.id}
    assert [each.sample_id for each in reprocess.queue_jobs(owner, [one, two], ANALYSE)] == [two]
    assert reprocess.queue_job(owner, one, ANALYSE).id == job.id


def test_a_sample_in_the_trash_or_of_somebody_else_gets_no_job(owner: User, stranger: User) -> None:
    mine, theirs = shelve(owner, {"kept": {}, "gone": {}}), shelve(stranger, {"theirs": {}})
    trash.delete_sample(mine["gone"])
    ids = [each.id for each in (*mine.values(), *theirs.values())]
    assert [job.sample_id for job in reprocess.queue_jobs(owner, ids, ANALYSE)] == [mine["kept"].id]
    about_gone = Job(id="job", sample_id=mine["gone"].id)
    with pytest.raises(reprocess.SampleGoneError), transaction():
        reprocess.lock_sample(about_gone)
    about_kept = Job(id="job", sample_id=mine["kept"].id)
    with transaction():
        assert reprocess.lock_sample(about_kept).id == mine["kept"].id


@pytest.mark.parametrize(("age", "is_counted"), [(DAY - MINUTE, True), (DAY, False)])
def test_a_limit_counts_the_jobs_of_a_day(owner: User, age: timedelta, is_counted: bool) -> None:
    before = reprocess.left_today(owner, ANALYSE)
    created_at: datetime = utcnow() - age
    waiting_jobs(owner, 3, purpose=ANALYSE, created_at=created_at)
    assert before - reprocess.left_today(owner, ANALYSE) == (3 if is_counted else 0)
