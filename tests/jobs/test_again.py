"""Analysing and describing again: what changes, what it costs, and that the files outlive all of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

import tasks
from app.billing import ai, quota
from app.extensions import db, settings
from app.integrations import asking, prompt, vibe, vibe_schema
from app.jobs import again, attempts, describe, endings, outcomes, reconcile, run, steer, sweeps
from app.jobs import claim as claims
from app.library import trash
from app.models import AiCall, Job, OutboxMessage, Sample, Usage, User, WebhookDelivery
from app.models.base import transaction, utcnow
from app.models.job import ANALYSE, DESCRIBE
from app.notify import letters, webhooks
from tests.fake_openrouter import KEY, Market
from tests.support import Browser, drum_loop, finished_job, uploaded_job
from tests.upload.test_upload import files_kept

LARGE, SMALL = "qwen/qwen3-235b-a22b-2507", "qwen/qwen3-8b"
BOTH = pytest.mark.parametrize("purpose", [DESCRIBE, ANALYSE])


@pytest.fixture
def environ(environ: dict[str, str], fake: Market) -> dict[str, str]:
    return environ | {"OPENROUTER_API_KEY": KEY, "OPENROUTER_BASE_URL": fake.url}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody rests between two tries."""
    monkeypatch.setattr(asking, "PAUSES_S", (0.0, 0.0))


@pytest.fixture
def sample(as_owner: Browser) -> Sample:
    return db.session.get_one(Sample, finished_job(as_owner, "Dusty break.wav", drum_loop(93)).id)


def queued(browser: Browser, purpose: str, *samples: Sample) -> list[Job]:
    ids = [sample.id for sample in samples]
    assert browser.post("/again/jobs", purpose=purpose, sample=ids).status_code == 303
    wanted = select(Job).where(Job.purpose == purpose, Job.sample_id.in_(ids)).order_by(Job.id)
    return list(db.session.scalars(wanted))


def ran(browser: Browser, purpose: str, sample: Sample) -> Job:
    job = queued(browser, purpose, sample)[-1]
    run.run_next()
    db.session.refresh(job)
    db.session.refresh(sample)
    return job


def choose(browser: Browser, model: str) -> None:
    assert browser.post("/settings/ai", ai_allowed="y", ai_model=model).status_code == 303


def due_now() -> None:
    with transaction() as session:
        session.execute(update(Job).values(run_at=utcnow() - timedelta(seconds=1)))


def ledger() -> Decimal:
    calls = select(func.sum(Usage.cost_usd)).join(AiCall, AiCall.usage_id == Usage.id)
    return Decimal(str(db.session.scalar(calls)))


def test_another_model_finds_other_words_and_the_ledger_is_the_bill(
    as_owner: Browser, owner: User, sample: Sample, fake: Market
) -> None:
    with transaction():
        sample.retag(["vinyl"])
    choose(as_owner, SMALL)
    fake.answer = fake.answer | {"genres": [{"name": "trap", "weight": 0.5}]}
    job = ran(as_owner, DESCRIBE, sample)
    assert (job.state, job.step, job.sample_id) == ("completed", "ready", sample.id)
    assert [asked["model"] for asked in fake.asked] == [LARGE, SMALL]
    assert (sample.vibe["source"], sample.vibe["genres"][0]["name"]) == (SMALL, "trap")
    assert '"vinyl"' in fake.asked[1]["messages"][1]["content"]
    assert abs(ledger() - fake.billed_usd) < Decimal("0.000002")
    assert abs(ai.spent(ai.DAY, owner.id) - ledger()) < Decimal("0.000001")
    assert "trap" in sample.search_text


def test_the_same_question_again_is_free(as_owner: Browser, sample: Sample, fake: Market) -> None:
    before = dict(sample.vibe)
    assert ran(as_owner, DESCRIBE, sample).state == "completed"
    assert len(fake.asked) == 1
    assert sample.vibe == before


@BOTH
def test_corrections_stay_in_force(as_owner: Browser, sample: Sample, fake: Market, purpose: str) -> None:
    with transaction():
        sample.correct(bpm=186.0, moods=["sunny"])
    choose(as_owner, SMALL)
    assert ran(as_owner, purpose, sample).state == "completed"
    assert (sample.bpm, sample.bpm_source, sample.vibe["moods"]) == (186.0, "user", ["sunny"])


@BOTH
def test_it_is_no_upload_and_is_charged_as_none(
    as_owner: Browser, owner: User, sample: Sample, purpose: str
) -> None:
    before = quota.standing(owner)
    job = ran(as_owner, purpose, sample)
    with transaction():
        quota.give_back(job)
    assert quota.standing(owner) == before


def test_analysing_measures_and_renders_anew_and_leaves_a_models_words(
    as_owner: Browser, sample: Sample, fake: Market
) -> None:
    words, bars = dict(sample.described), sample.bars
    with transaction():
        sample.features.engine_version = "0.1"
        sample.features.measured = sample.features.measured | {"bpm": 1.0}
        sample.bars = bytes(64)
    wav = settings().data_dir / "store" / sample.sp404_key
    rendered = wav.read_bytes()
    wav.write_bytes(b"old")
    job = ran(as_owner, ANALYSE, sample)
    assert (job.state, job.step) == ("completed", "ready")
    assert sample.features.engine_version != "0.1"
    assert sample.bpm == pytest.approx(93, abs=0.5)
    assert sample.bars == bars
    assert wav.read_bytes() == rendered
    assert sample.described == words
    assert len(fake.asked) == 1


def test_words_by_rules_follow_a_new_measurement(as_owner: Browser, fake: Market) -> None:
    fake.script = ["400"]
    sample = db.session.get_one(Sample, finished_job(as_owner, "break.wav", drum_loop(93)).id)
    right = dict(sample.described)
    with transaction():
        sample.describe(right | {"energy": 1, "moods": ["bleak"]})
    ran(as_owner, ANALYSE, sample)
    assert sample.described == right


class TestFiles:
    """Of a sample; nothing that becomes of a job about it may touch them."""

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
            assert claims.next_job() is not None
        as_owner.post(f"/jobs/{job.id}/cancel")
        db.session.refresh(job)
        assert (job.state, files_kept()) == ("cancelled", kept)
        assert "Cancelled. The sample is as it was." in as_owner.get("/jobs").text
        assert as_owner.get(f"/samples/{sample.id}/audio").status_code == 302

    @BOTH
    def test_failing_for_good_leaves_them_and_trying_again_is_not_charged(
        self,
        as_owner: Browser,
        owner: User,
        sample: Sample,
        fake: Market,
        kept: list[Path],
        purpose: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        before = quota.standing(owner)
        choose(as_owner, SMALL)
        [job] = queued(as_owner, purpose, sample)
        with monkeypatch.context() as patched:
            patched.setattr(outcomes, "of", lambda *_: (_ for _ in ()).throw(RuntimeError("boom")))
            for _ in range(3):
                due_now()
                run.run_next()
        db.session.refresh(job)
        assert job.state == "failed"
        assert "The sample is as it was." in (job.error or "")
        assert files_kept() == kept
        asked = len(fake.asked)
        assert as_owner.post(f"/jobs/{job.id}/retry").status_code == 303
        run.run_next()
        db.session.refresh(job)
        assert (job.state, files_kept()) == ("completed", kept)
        assert len(fake.asked) == asked  # what was paid for was kept
        assert quota.standing(owner) == before

    @BOTH
    def test_a_worker_that_dies_three_times_leaves_them(
        self, as_owner: Browser, sample: Sample, kept: list[Path], purpose: str
    ) -> None:
        [job] = queued(as_owner, purpose, sample)
        for _ in range(3):
            assert claims.next_job() is not None
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

    def test_the_sweep_knows_whose_they_are(
        self, as_owner: Browser, sample: Sample, kept: list[Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ran(as_owner, ANALYSE, sample)
        ran(as_owner, DESCRIBE, sample)
        monkeypatch.setattr(sweeps, "OLD_OBJECT", timedelta(seconds=-60))
        assert sweeps.orphans() == 0
        assert files_kept() == kept


def deleted(sample: Sample) -> None:
    trash.delete(sample)


def purged(sample: Sample) -> None:
    trash.delete(sample)
    with transaction() as session:
        session.execute(update(Sample).values(deleted_at=utcnow() - timedelta(hours=2)))
    trash.purge()
    db.session.commit()


@BOTH
@pytest.mark.parametrize("away", [deleted, purged])
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_deleted_sample_ends_its_job_and_nothing_of_it_comes_back(
    as_owner: Browser,
    sample: Sample,
    fake: Market,
    purpose: str,
    away: Callable[[Sample], None],
    when: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    choose(as_owner, SMALL)
    [job] = queued(as_owner, purpose, sample)
    if when == "before":
        away(sample)
    else:
        complete = endings.complete

        def late(*given: object) -> endings.Ending:
            away(sample)
            return complete(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(endings, "complete", late)
    ending = run.run_next()
    assert ending is not None
    assert ending.state == "cancelled"
    db.session.refresh(job)
    assert (job.state, job.error) == ("cancelled", again.GONE)
    assert again.GONE.replace("'", "&#39;") in as_owner.get("/jobs").text
    assert len(files_kept()) == (2 if away is deleted else 0)
    assert as_owner.get(f"/samples/{job.sample_id or 'x'}").status_code == 404
    mails = select(OutboxMessage.key).where(OutboxMessage.key.startswith(f"batch:{job.batch_id}"))
    assert db.session.scalars(mails).all() == []


def test_nothing_is_queued_twice_but_both_kinds_may_wait(
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
            made.append(len(again.queue(db.session.get_one(User, user_id), [sample_id], DESCRIBE)))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [0, 0, 0, 0, 0, 1]


def test_a_failed_job_is_not_tried_again_beside_another_one(as_owner: Browser, sample: Sample) -> None:
    [job] = queued(as_owner, DESCRIBE, sample)
    with transaction() as session:
        session.execute(
            update(Job)
            .where(Job.id == job.id)
            .values(state="failed", kept_until=utcnow() + timedelta(days=1))
        )
    queued(as_owner, DESCRIBE, sample)
    assert not steer.retry(job.id)


def test_who_switched_models_off_gets_rules_and_nobody_is_asked(
    as_owner: Browser, sample: Sample, fake: Market
) -> None:
    assert as_owner.post("/settings/ai").status_code == 303
    ran(as_owner, DESCRIBE, sample)
    assert sample.vibe["source"] == vibe.LOCAL
    other = finished_job(as_owner, "other.wav", drum_loop(120))
    assert db.session.get_one(Sample, other.id).vibe["source"] == vibe.LOCAL
    assert len(fake.asked) == 1  # the first upload's


def test_rules_that_stand_in_for_a_model_leave_its_words(
    as_owner: Browser, sample: Sample, fake: Market
) -> None:
    fake.script, words = ["503"], dict(sample.described)
    choose(as_owner, SMALL)
    assert ran(as_owner, DESCRIBE, sample).state == "completed"
    assert len(fake.asked) > 1
    assert sample.described == words


@pytest.mark.parametrize("module", ["prompt", "schema"])
def test_a_new_version_describes_on_request_only(
    as_owner: Browser, sample: Sample, fake: Market, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    line = "The description is of an older version."
    page = f"/samples/{sample.id}"
    assert line not in as_owner.get(page).text
    if module == "prompt":
        monkeypatch.setattr(prompt, "PROMPT_VERSION", prompt.PROMPT_VERSION + 1)
    else:
        monkeypatch.setattr(vibe_schema, "SCHEMA_VERSION", vibe_schema.SCHEMA_VERSION + 1)
        monkeypatch.setattr(vibe, "SCHEMA_VERSION", vibe_schema.SCHEMA_VERSION)
    tasks.keep_house()
    tasks.sweep()
    assert run.run_next() is None
    assert line in as_owner.get(page).text
    assert len(fake.asked) == 1
    ran(as_owner, DESCRIBE, sample)
    assert len(fake.asked) == 2
    assert line not in as_owner.get(page).text


def test_a_free_user_waits_for_the_engine_and_not_for_words(as_freeloader: Browser, freeloader: User) -> None:
    uploaded_job(as_freeloader, "break.wav", drum_loop(93))
    due_now()
    run.run_next()
    sample = db.session.scalars(select(Sample)).one()
    [words], [ear] = (queued(as_freeloader, purpose, sample) for purpose in (DESCRIBE, ANALYSE))
    assert (words.is_delayed, ear.is_delayed) == (False, True)
    assert (words.tier, words.priority) == (ear.tier, ear.priority) == ("free-tier", 20)
    assert "Free analyses wait" in as_freeloader.get("/jobs").text


@BOTH
def test_webhooks_mails_and_cards_say_what_was_done(
    as_owner: Browser, owner: User, sample: Sample, purpose: str
) -> None:
    webhooks.add(owner, "https://receiver.example/hook", ["job.completed", "job.failed"])
    [job] = queued(as_owner, purpose, sample)
    assert {DESCRIBE: "Describing again", ANALYSE: "Analysing again"}[purpose] in as_owner.get("/jobs").text
    run.run_next()
    told = json.loads(db.session.scalars(select(WebhookDelivery.body)).one())
    assert (told["type"], told["data"]["purpose"], told["data"]["sample_id"]) == (
        "job.completed", purpose, sample.id,
    )  # fmt: skip
    key = OutboxMessage.key.startswith(f"batch:{job.batch_id}")
    mail = letters.compose(db.session.scalars(select(OutboxMessage).where(key)).one())
    assert mail is not None
    assert mail.subject == f"Your sample is {'described' if purpose == DESCRIBE else 'analysed'} again"
    assert mail.subject in mail.html


def test_short_jobs_do_not_make_uploads_look_short(as_owner: Browser, sample: Sample) -> None:
    upload_s = attempts.mean_run_s()
    ran(as_owner, DESCRIBE, sample)
    assert attempts.mean_run_s() == upload_s
    assert attempts.mean_run_s(DESCRIBE) != upload_s


def test_an_operator_sees_the_purpose(as_owner: Browser, owner: User, sample: Sample) -> None:
    with transaction():
        owner.is_admin = True
    job = ran(as_owner, ANALYSE, sample)
    assert "<td>analyse</td>" in as_owner.get("/admin/queues?tab=done").text
    assert f"analyse, sample <code>{sample.id}</code>" in as_owner.get(f"/admin/jobs/{job.id}").text


class TestShared:
    """An answer serves whoever asks exactly the same, and nobody else."""

    def test_the_same_bytes_and_words_of_two_users_are_paid_for_once(
        self, as_owner: Browser, as_stranger: Browser, stranger: User, sample: Sample, fake: Market
    ) -> None:
        other = finished_job(as_stranger, "Dusty break.wav", drum_loop(93))
        assert len(fake.asked) == 1
        assert db.session.get_one(Sample, other.id).vibe == sample.vibe
        assert ai.spent(ai.DAY, stranger.id) == 0

    @pytest.mark.parametrize(("name", "bpm"), [("Dusty break 2.wav", 93), ("Dusty break.wav", 94)])
    def test_other_words_or_bytes_are_another_question(
        self, as_owner: Browser, as_stranger: Browser, sample: Sample, fake: Market, name: str, bpm: float
    ) -> None:
        finished_job(as_stranger, name, drum_loop(bpm))
        assert len(fake.asked) == 2

    def test_tags_are_words_too(
        self, as_owner: Browser, as_stranger: Browser, sample: Sample, fake: Market
    ) -> None:
        choose(as_owner, SMALL)
        choose(as_stranger, SMALL)
        other = db.session.get_one(Sample, finished_job(as_stranger, "Dusty break.wav", drum_loop(93)).id)
        assert [asked["model"] for asked in fake.asked] == [LARGE, SMALL]
        with transaction():
            sample.retag(["mine"])
        ran(as_owner, DESCRIBE, sample)
        assert len(fake.asked) == 3
        assert other.vibe["source"] == SMALL

    def test_two_at_once_in_one_process_pay_once(self, app: Flask, as_owner: Browser, fake: Market) -> None:
        fake.script = ["slow"]
        for name in ("a.wav", "b.wav"):
            uploaded_job(as_owner, name, drum_loop(101))

        def work() -> None:
            with app.app_context():
                run.run_next()

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        db.session.commit()
        sources = [sample.vibe["source"] for sample in db.session.scalars(select(Sample))]
        assert sources == [LARGE, LARGE]
        assert len(fake.asked) == 1


def test_a_kept_answer_is_held_against_what_is_measured_today(
    as_owner: Browser, sample: Sample, fake: Market
) -> None:
    with transaction():
        sample.features.measured = sample.features.measured | {"bpm": 180.0, "noisiness": 5.0}
    assert sample.vibe["corrections"] == []
    assert ran(as_owner, DESCRIBE, sample).state == "completed"
    assert len(fake.asked) == 1
    assert sample.vibe["corrections"]
    assert "180 BPM" in sample.vibe["because"]["moods"]


def test_an_original_that_is_gone_ends_the_job_at_once(as_owner: Browser, sample: Sample) -> None:
    before = dict(sample.described), sample.bpm
    (settings().data_dir / "store" / sample.original_key).unlink()
    job = ran(as_owner, ANALYSE, sample)
    assert (job.state, job.may_be_retried) == ("failed", False)
    assert job.error == "Its original is not in our store any more. The sample is as it was."
    assert (dict(sample.described), sample.bpm) == before


def test_words_by_rules_are_of_what_is_measured_when_the_job_ends(
    as_owner: Browser, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was analysed again while it was described."""
    assert as_owner.post("/settings/ai", ai_model=LARGE).status_code == 303  # the switch is off
    ask = describe.sound

    def and_meanwhile(claim: claims.Claim, measured: dict[str, object]) -> dict[str, object]:
        with transaction():
            sample.features.measured = sample.features.measured | {"bpm": 180.0}
        return ask(claim, measured)

    monkeypatch.setattr(describe, "sound", and_meanwhile)
    ran(as_owner, DESCRIBE, sample)
    assert "at 180 BPM" in sample.vibe["description"]
