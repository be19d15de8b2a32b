"""Which jobs are queued, when they start, and what mails, webhooks and cards say of them."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

from flask import Flask
from sqlalchemy import select, update

from app.extensions import db
from app.jobs import actions, attempt_log, reprocess, run
from app.models import Job, OutboxMessage, Sample, User, WebhookDelivery
from app.models.base import transaction, utcnow
from app.notify import batch_mail
from app.reprocessing.reprocess_purposes import ANALYSE, DESCRIBE
from app.webhooks import endpoints
from tests.reprocessing.support import BOTH, due_now, queued, ran
from tests.support import Browser, drum_loop, uploaded_job


def test_a_sample_has_one_unfinished_job_of_each_purpose(
    as_owner: Browser, owner: User, sample: Sample
) -> None:
    assert len(queued(as_owner, DESCRIBE, sample)) == 1
    assert len(queued(as_owner, DESCRIBE, sample)) == 1
    assert len(queued(as_owner, ANALYSE, sample)) == 1


def test_many_requests_at_once_queue_one_job(app: Flask, owner: User, sample: Sample) -> None:
    made: list[int] = []
    sample_id, user_id = sample.id, owner.id

    def ask() -> None:
        with app.app_context():
            made.append(len(reprocess.queue_jobs(db.session.get_one(User, user_id), [sample_id], DESCRIBE)))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [0, 0, 0, 0, 0, 1]


def test_a_failed_job_is_not_retried_while_another_does_the_same(as_owner: Browser, sample: Sample) -> None:
    [job] = queued(as_owner, DESCRIBE, sample)
    with transaction() as session:
        session.execute(
            update(Job)
            .where(Job.id == job.id)
            .values(state="failed", kept_until=utcnow() + timedelta(days=1))
        )
    queued(as_owner, DESCRIBE, sample)
    assert not actions.retry(job.id)


def test_on_the_free_plan_analysing_waits_and_describing_does_not(
    as_freeloader: Browser, freeloader: User
) -> None:
    uploaded_job(as_freeloader, "break.wav", drum_loop(93))
    due_now()
    run.run_next()
    sample = db.session.scalars(select(Sample)).one()
    [words], [ear] = (queued(as_freeloader, purpose, sample) for purpose in (DESCRIBE, ANALYSE))
    assert (words.is_delayed, ear.is_delayed) == (False, True)
    assert (words.tier, words.priority) == (ear.tier, ear.priority) == ("free-tier", 20)
    assert "On the Free plan, analyses wait" in as_freeloader.get("/jobs").text


@BOTH
def test_webhooks_mails_and_cards_say_what_was_done(
    as_owner: Browser, owner: User, sample: Sample, purpose: str
) -> None:
    endpoints.add_endpoint(owner, "https://receiver.example/hook", ["job.completed", "job.failed"])
    [job] = queued(as_owner, purpose, sample)
    assert {DESCRIBE: "New description requested", ANALYSE: "New analysis requested"}[
        purpose
    ] in as_owner.get("/jobs").text
    run.run_next()
    told = json.loads(db.session.scalars(select(WebhookDelivery.body)).one())
    assert (told["type"], told["data"]["purpose"], told["data"]["sample_id"]) == (
        "job.completed", purpose, sample.id,
    )  # fmt: skip
    key = OutboxMessage.key.startswith(f"batch:{job.batch_id}")
    mail = batch_mail.compose(db.session.scalars(select(OutboxMessage).where(key)).one())
    assert mail is not None
    assert mail.subject == f"Your sample was {'described' if purpose == DESCRIBE else 'analysed'} again"
    assert mail.subject in mail.html


def test_run_times_are_measured_by_purpose(as_owner: Browser, sample: Sample) -> None:
    upload_s = attempt_log.mean_run_s("upload")
    ran(as_owner, DESCRIBE, sample)
    assert attempt_log.mean_run_s("upload") == upload_s
    assert attempt_log.mean_run_s(DESCRIBE) != upload_s


def test_an_operator_sees_the_purpose(as_owner: Browser, owner: User, sample: Sample) -> None:
    with transaction():
        owner.is_admin = True
    job = ran(as_owner, ANALYSE, sample)
    assert "<td>analyse</td>" in as_owner.get("/admin/queues?tab=done").text
    assert f"analyse, sample <code>{sample.id}</code>" in as_owner.get(f"/admin/jobs/{job.id}").text
