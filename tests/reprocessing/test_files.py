"""No job about a sample touches its files, and a deleted sample ends its jobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.billing import quota
from app.extensions import db, settings
from app.jobs import claims, cleanup, lease, purposes, reconcile, reprocess, run, transitions
from app.jobs.purposes import Results
from app.library import trash
from app.models import Job, OutboxMessage, Sample, User, WebhookDelivery
from app.models.base import transaction, utcnow
from app.models.job import MAX_ATTEMPTS_WHEN_LOST
from app.reprocessing.reprocess_purposes import ANALYSE, DESCRIBE
from app.webhooks import endpoints
from tests.fake_openrouter import FakeOpenRouter
from tests.reprocessing.support import BOTH, SMALL, choose, due_now, queued, ran
from tests.support import Browser
from tests.upload.test_upload import files_kept


class TestFiles:
    """The files of a sample stay, however a job about it ends."""

    @pytest.fixture(autouse=True)
    def kept(self, sample: Sample) -> list[Path]:
        files = files_kept()
        assert len(files) == 2
        return files

    @BOTH
    @pytest.mark.parametrize("is_held", [False, True])
    def test_cancelling_leaves_them(
        self, as_owner: Browser, sample: Sample, kept: list[Path], purpose: str, is_held: bool
    ) -> None:
        [job] = queued(as_owner, purpose, sample)
        if is_held:
            assert claims.claim_next() is not None
        as_owner.post(f"/jobs/{job.id}/cancel")
        db.session.refresh(job)
        assert (job.state, files_kept()) == ("cancelled", kept)
        assert "Cancelled. The sample has not changed." in as_owner.get("/jobs").text
        assert as_owner.get(f"/samples/{sample.id}/audio").status_code == 302

    @BOTH
    def test_failing_for_good_leaves_them_and_trying_again_is_not_charged(
        self,
        as_owner: Browser,
        owner: User,
        sample: Sample,
        fake: FakeOpenRouter,
        kept: list[Path],
        purpose: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        before = quota.plan_usage(owner)
        choose(as_owner, SMALL)
        [job] = queued(as_owner, purpose, sample)
        with monkeypatch.context() as patched:
            row = purposes.find_purpose(purpose)
            broken = replace(row, finish=lambda *_: (_ for _ in ()).throw(RuntimeError("boom")))
            patched.setattr(purposes, "find_purpose", lambda _: broken)
            for _ in range(3):
                due_now()
                run.run_next()
        db.session.refresh(job)
        assert job.state == "failed"
        assert "The sample has not changed." in (job.error or "")
        assert files_kept() == kept
        asked = len(fake.asked)
        assert as_owner.post(f"/jobs/{job.id}/retry").status_code == 303
        run.run_next()
        db.session.refresh(job)
        assert (job.state, files_kept()) == ("completed", kept)
        assert len(fake.asked) == asked  # what was paid for was kept
        assert quota.plan_usage(owner) == before

    @BOTH
    def test_a_worker_that_dies_each_time_leaves_them(
        self, as_owner: Browser, sample: Sample, kept: list[Path], purpose: str
    ) -> None:
        [job] = queued(as_owner, purpose, sample)
        for _ in range(MAX_ATTEMPTS_WHEN_LOST):
            assert claims.claim_next() is not None
            with transaction() as session:
                session.execute(update(Job).values(lease_until=utcnow() - timedelta(seconds=1)))
            reconcile.requeue_abandoned()
        db.session.refresh(job)
        assert (job.state, files_kept()) == ("failed", kept)

    def test_a_file_that_the_engine_refuses_now_leaves_them(
        self, as_owner: Browser, sample: Sample, kept: list[Path]
    ) -> None:
        original = settings().data_dir / "store" / sample.original_key
        original.write_bytes(original.read_bytes()[:44])
        job = ran(as_owner, ANALYSE, sample)
        assert (job.state, files_kept()) == ("failed", kept)
        assert job.error

    def test_removing_orphans_keeps_them(
        self, as_owner: Browser, sample: Sample, kept: list[Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ran(as_owner, ANALYSE, sample)
        ran(as_owner, DESCRIBE, sample)
        monkeypatch.setattr(cleanup, "MIN_OBJECT_AGE", timedelta(seconds=-60))
        assert cleanup.remove_orphans() == 0
        assert files_kept() == kept


def test_a_job_fails_at_once_when_the_original_is_missing(as_owner: Browser, sample: Sample) -> None:
    before = dict(sample.described), sample.bpm
    (settings().data_dir / "store" / sample.original_key).unlink()
    job = ran(as_owner, ANALYSE, sample)
    assert (job.state, job.may_be_retried) == ("failed", False)
    assert job.error == "The original file is no longer in our storage. The sample has not changed."
    assert (dict(sample.described), sample.bpm) == before


def deleted(sample: Sample) -> None:
    trash.delete_sample(sample)


def purged(sample: Sample) -> None:
    trash.delete_sample(sample)
    with transaction() as session:
        session.execute(update(Sample).values(deleted_at=utcnow() - timedelta(hours=2)))
    trash.purge_deleted()
    db.session.commit()


@BOTH
@pytest.mark.parametrize("away", [deleted, purged])
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_deleted_sample_cancels_its_job_and_nothing_is_restored(
    as_owner: Browser,
    owner: User,
    sample: Sample,
    fake: FakeOpenRouter,
    purpose: str,
    away: Callable[[Sample], None],
    when: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    choose(as_owner, SMALL)
    endpoints.add_endpoint(owner, "https://receiver.example/hook", ["job.failed"])
    [job] = queued(as_owner, purpose, sample)
    if when == "before":
        away(sample)
    else:
        complete = transitions.complete

        def late(claim: lease.Claim, results: Results) -> transitions.Transition:
            away(sample)
            return complete(claim, results)

        monkeypatch.setattr(transitions, "complete", late)
    ending = run.run_next()
    assert ending is not None
    assert ending.state == "cancelled"
    db.session.refresh(job)
    assert (job.state, job.error) == ("cancelled", reprocess.SAMPLE_DELETED)
    assert reprocess.SAMPLE_DELETED.replace("'", "&#39;") in as_owner.get("/jobs").text
    told = json.loads(db.session.scalars(select(WebhookDelivery.body)).one())["data"]
    assert (told["status"], told["error"]) == ("cancelled", reprocess.SAMPLE_DELETED)
    assert len(files_kept()) == (2 if away is deleted else 0)
    assert as_owner.get(f"/samples/{job.sample_id or 'x'}").status_code == 404
    mails = select(OutboxMessage.key).where(OutboxMessage.key.startswith(f"batch:{job.batch_id}"))
    assert db.session.scalars(mails).all() == []
