"""The table of job purposes: a new kind of job is a row in it, and the queue knows none by its name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app.billing import plans, quota
from app.extensions import db
from app.jobs import claims, purposes, reprocess, run, scheduler
from app.jobs.purposes import DailyLimit, Purpose, Results, Stage, Step, StepInput, Wording
from app.models import Batch, Job, OutboxMessage, Sample, User, WebhookDelivery
from app.models.base import transaction
from app.models.job import DECODED, UPLOAD
from app.notify import batch_mail
from app.notify.batch_mail import BatchWording
from app.notify.message_kinds import BATCH_DONE
from app.reprocessing.reprocess_purposes import ANALYSE, DESCRIBE
from app.webhooks import endpoints
from tests.search.test_text_conditions import shelve
from tests.support import Browser, waiting_jobs

ROOT = Path(__file__).resolve().parents[2]


def count_letters(work: StepInput) -> int:
    return len(work.claim.filename)


def tag_with_count(job: Job, results: Results) -> Sample:
    sample = reprocess.lock_sample(job)
    sample.retag([f"{results['letters']} letters"])
    return sample


COUNT_PURPOSE = Purpose(
    name="count",
    steps=(Step((Stage("counted", "Counting the letters of its name."),), "letters", count_letters),),
    finish=tag_with_count,
    wording=Wording(
        waiting="To be counted",
        completed="Counted",
        unsuccessful="Asked to be counted",
        cancelled="Cancelled. Nothing was counted.",
        plural="counts",
        file_refused="",
        tries_used_up="Count it again later.",
        file_unavailable="",
        mail=BatchWording("sample", "counted", "counted", ("was", "were")),
    ),
    is_about_sample=True,
    priority_offset=5,
    daily_limit=DailyLimit(lambda plan: 2, "{plan} counts {allowed} samples a day; {left} are left."),
)


@pytest.fixture
def count_purpose(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Purpose:
    """A purpose that only these tests know."""
    monkeypatch.setattr(purposes, "_rows", dict(purposes._rows))
    monkeypatch.setattr(batch_mail, "WORDING_BY_PURPOSE", dict(batch_mail.WORDING_BY_PURPOSE))
    purposes.register(COUNT_PURPOSE)
    return COUNT_PURPOSE


@pytest.fixture
def sample(owner: User) -> Sample:
    return shelve(owner, {"Break": {}})["Break"]


def test_a_purpose_of_its_own_runs_from_the_queue_to_the_mail(
    as_owner: Browser, owner: User, sample: Sample, count_purpose: Purpose
) -> None:
    endpoints.add_endpoint(owner, "https://receiver.example/hook", ["job.completed"])
    before = quota.plan_usage(owner)
    job = reprocess.queue_job(owner, sample.id, "count")
    page = as_owner.get("/jobs").text
    assert "To be counted" in page
    assert ">Counted</li>" in page
    ending = run.run_next()
    assert ending is not None
    assert ending.state == "completed"
    db.session.refresh(job)
    assert (job.state, job.step, job.sample_id) == ("completed", "ready", sample.id)
    db.session.refresh(sample)
    assert sample.tag_names == [f"{len(sample.filename)} letters"]
    assert "Counted · " in as_owner.get("/jobs").text
    message = db.session.scalars(select(OutboxMessage).where(OutboxMessage.kind == BATCH_DONE)).one()
    mail = batch_mail.compose(message)
    assert mail is not None
    assert mail.subject == "Your sample was counted"
    assert '"purpose":"count"' in db.session.scalars(select(WebhookDelivery.body)).one().replace(" ", "")
    assert quota.plan_usage(owner) == before


def test_a_job_without_a_file_leaves_the_columns_of_uploads_empty(
    as_owner: Browser, owner: User, sample: Sample, count_purpose: Purpose
) -> None:
    with transaction() as session:
        session.add(Batch(id="b", user_id=owner.id, expected=1))
        session.flush()
        job = Job(purpose="count", user_id=owner.id, batch_id="b", sample_id=sample.id, filename="x")
        job.tier, job.priority = "pro-tier", 15
        session.add(job)
    assert (job.format, job.size_bytes, job.content_sha256, job.incoming_key) == (None, None, None, None)
    assert (job.original_key, job.sp404_key) == ("", "")
    assert as_owner.get("/jobs").status_code == 200
    run.run_next()
    db.session.refresh(job)
    assert job.state == "completed"


def test_a_finished_step_is_not_run_again(
    owner: User, sample: Sample, count_purpose: Purpose, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = reprocess.queue_job(owner, sample.id, "count")
    with transaction():
        job.results = {"letters": 7}
    run.run_next()
    db.session.refresh(sample)
    assert sample.tag_names == ["7 letters"]


def test_its_priority_lets_other_jobs_of_the_tier_go_first(
    owner: User, freeloader: User, sample: Sample, count_purpose: Purpose
) -> None:
    job = reprocess.queue_job(owner, sample.id, "count")
    free, [paid] = waiting_jobs(freeloader, 1), waiting_jobs(owner, 1)
    order = [claim.job_id for claim in iter(claims.claim_next, None)]
    assert order == [paid, job.id, *free]


def test_a_change_of_plan_keeps_its_distance(owner: User, sample: Sample, count_purpose: Purpose) -> None:
    job, [other] = reprocess.queue_job(owner, sample.id, "count"), waiting_jobs(owner, 1)
    with transaction():
        assert owner.subscription is not None
        owner.subscription.status = "canceled"
    scheduler.move_to_plan(owner)
    found = {job.id: job.priority for job in db.session.scalars(select(Job))}
    assert found == {job.id: plans.FREE.priority + 5, other: plans.FREE.priority}


def test_its_limit_counts_its_own_jobs_only(owner: User, count_purpose: Purpose) -> None:
    shelf = shelve(owner, {name: {} for name in ("a", "b", "c")})
    reprocess.queue_job(owner, shelf["a"].id, DESCRIBE)
    reprocess.queue_jobs(owner, [shelf["a"].id, shelf["b"].id], "count")
    with pytest.raises(reprocess.DailyLimitError, match="Pro counts 2 samples a day; 0 are left"):
        reprocess.queue_job(owner, shelf["c"].id, "count")
    assert reprocess.queue_job(owner, shelf["c"].id, ANALYSE).purpose == ANALYSE


def test_its_limit_counts_nothing_of_others(owner: User, stranger: User, count_purpose: Purpose) -> None:
    theirs = shelve(stranger, {name: {} for name in ("a", "b")})
    reprocess.queue_jobs(stranger, [each.id for each in theirs.values()], "count")
    mine = shelve(owner, {"c": {}})["c"]
    assert len(reprocess.queue_jobs(owner, [mine.id], "count")) == 1


def test_an_unwanted_step_is_left_out(owner: User, app: Flask) -> None:
    """An upload whose owner wants no description: the flag is a column and not a result."""
    [job_id] = waiting_jobs(owner, 1, ai_analysis=False)
    claim = claims.claim_next()
    assert claim is not None
    assert claim.job_id == job_id
    steps = purposes.find_purpose(UPLOAD).steps
    assert [step.is_wanted(claim) for step in steps] == [True, False]


def test_the_next_stage_is_what_a_job_works_towards(app: Flask) -> None:
    upload, describe = purposes.find_purpose(UPLOAD), purposes.find_purpose(DESCRIBE)
    assert upload.stage_names == ("stored", "decoded", "analysed", "described", "ready")
    assert describe.stage_names == ("stored", "described", "ready")
    assert upload.next_stage(DECODED).name == "analysed"
    assert upload.next_stage("ready").name == "ready"


def test_nothing_asks_which_purpose_a_job_has() -> None:
    """A purpose is a row that its feature registers; the feature itself may select its own jobs."""
    asks = re.compile(
        r"""\bis_upload\b|(?<!for )(?<!MailLink\.)(?<!Job\.)\bpurpose (==|!=|in|not in) [A-Z"'({]"""
    )
    # A page that asks for one purpose in its address is about that purpose.
    offer = {ROOT / "app/reprocessing/routes.py", ROOT / "templates/reprocessing/offer.html"}
    for path in {*(ROOT / "app").rglob("*.py"), *(ROOT / "templates").rglob("*.html")} - offer:
        assert asks.search(path.read_text()) is None, path
