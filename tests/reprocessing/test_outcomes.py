"""Analyse and describe samples again: check the changes and the cost."""

from __future__ import annotations

from decimal import Decimal

import pytest

import tasks
from app.ai import answer_cache, budget
from app.billing import quota
from app.extensions import db, settings
from app.jobs import describe_step, purposes, run
from app.models import Sample, User
from app.models.base import transaction
from app.reprocessing.reprocess_purposes import ANALYSE, DESCRIBE
from app.vibe import sound_description, vibe_prompt, vibe_schema
from app.vibe.sound_description import BY_RULES, SoundDescription
from tests.fake_openrouter import FakeOpenRouter
from tests.reprocessing.support import BOTH, LARGE, SMALL, choose, ledger, queued, ran
from tests.support import Browser, drum_loop, finished_job


def test_another_model_gives_another_description_and_the_ledger_equals_the_bill(
    as_owner: Browser, owner: User, sample: Sample, fake: FakeOpenRouter
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
    assert abs(budget.spent_usd(budget.DAY, owner.id) - ledger()) < Decimal("0.000001")
    assert "trap" in sample.search_text


def test_the_same_question_again_is_free(as_owner: Browser, sample: Sample, fake: FakeOpenRouter) -> None:
    before = dict(sample.vibe)
    assert ran(as_owner, DESCRIBE, sample).state == "completed"
    assert len(fake.asked) == 1
    assert sample.vibe == before


@BOTH
def test_corrections_stay_in_force(
    as_owner: Browser, sample: Sample, fake: FakeOpenRouter, purpose: str
) -> None:
    with transaction():
        sample.correct(bpm=186.0, moods=["sunny"])
    choose(as_owner, SMALL)
    assert ran(as_owner, purpose, sample).state == "completed"
    assert (sample.bpm, sample.bpm_source, sample.vibe["moods"]) == (186.0, "user", ["sunny"])


def test_a_model_is_asked_about_the_corrected_figures(
    as_owner: Browser, sample: Sample, fake: FakeOpenRouter
) -> None:
    as_written = sample.described
    assert as_written["figures"] == {"kind": "loop", "sound": "drums", "bpm": sample.bpm, "key": None}
    with transaction():
        sample.correct(bpm=180.0, key="A minor", moods=["sunny"])
    assert sample.described == as_written, "a model's words are its own until it is asked again"
    ran(as_owner, DESCRIBE, sample)
    told = fake.asked[1]["messages"][1]["content"]
    assert "- tempo: 180 BPM" in told
    assert "- key: A minor" in told
    assert "sunny" not in told
    assert sample.described["figures"] | {"bpm": 180.0, "key": "A minor"} == sample.described["figures"]
    ran(as_owner, DESCRIBE, sample)
    assert len(fake.asked) == 2, "the same question again is free"
    with transaction():
        sample.revert("bpm", "key")
    ran(as_owner, DESCRIBE, sample)
    assert len(fake.asked) == 2, "and so is the one before"
    assert sample.described == as_written


def test_a_correction_too_small_for_the_prompt_is_the_same_question(
    as_owner: Browser, sample: Sample, fake: FakeOpenRouter
) -> None:
    with transaction():
        sample.correct(bpm=(sample.bpm or 0) + 0.02)
    ran(as_owner, DESCRIBE, sample)
    assert len(fake.asked) == 1


def test_a_job_cancelled_while_it_waits_for_another_question_pays_nothing(
    as_owner: Browser, sample: Sample, fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(as_owner, SMALL)
    [job] = queued(as_owner, DESCRIBE, sample)

    def never(keys: set[str], *_: object) -> bool:
        as_owner.post(f"/jobs/{job.id}/cancel")
        return False

    monkeypatch.setattr(answer_cache, "_acquire_lock", never)
    run.run_next()
    db.session.refresh(job)
    assert (job.state, len(fake.asked)) == ("cancelled", 1)


def test_a_job_that_waits_too_long_for_another_question_is_described_by_rules(
    as_owner: Browser, fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_cache, "_acquire_lock", lambda *_: False)
    monkeypatch.setattr(describe_step, "MAX_ASKING_S", 0.0)
    sample = db.session.get_one(Sample, finished_job(as_owner, "break.wav", drum_loop(93)).id)
    assert (sample.vibe["source"], fake.asked) == (BY_RULES, [])


@BOTH
def test_rules_describe_the_corrected_figures(as_owner: Browser, fake: FakeOpenRouter, purpose: str) -> None:
    fake.script = ["400"]
    sample = db.session.get_one(Sample, finished_job(as_owner, "break.wav", drum_loop(93)).id)
    measured = sample.described
    assert as_owner.post(f"/samples/{sample.id}/tempo/double").status_code == 303
    db.session.refresh(sample)
    assert "at 186 BPM" in sample.vibe["description"]
    ran(as_owner, purpose, sample)
    assert "at 186 BPM" in sample.vibe["description"]
    assert "fast" in sample.vibe["tags"]
    as_owner.post(f"/samples/{sample.id}/revert", field="bpm")
    db.session.refresh(sample)
    assert sample.described == measured


@BOTH
def test_a_job_about_a_sample_is_not_charged(
    as_owner: Browser, owner: User, sample: Sample, purpose: str
) -> None:
    before = quota.plan_usage(owner)
    job = ran(as_owner, purpose, sample)
    with transaction():
        quota.return_charges(job)
    assert quota.plan_usage(owner) == before


def test_analysing_again_measures_and_renders_but_keeps_a_models_description(
    as_owner: Browser, sample: Sample, fake: FakeOpenRouter
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


def test_a_description_by_rules_follows_a_new_measurement(as_owner: Browser, fake: FakeOpenRouter) -> None:
    fake.script = ["400"]
    sample = db.session.get_one(Sample, finished_job(as_owner, "break.wav", drum_loop(93)).id)
    right = dict(sample.described)
    with transaction():
        sample.describe(right | {"energy": 1, "moods": ["bleak"]})
    ran(as_owner, ANALYSE, sample)
    assert sample.described == right


def test_with_models_switched_off_rules_describe_and_no_model_is_asked(
    as_owner: Browser, sample: Sample, fake: FakeOpenRouter
) -> None:
    assert as_owner.post("/settings/ai").status_code == 303
    ran(as_owner, DESCRIBE, sample)
    assert sample.vibe["source"] == BY_RULES
    other = finished_job(as_owner, "other.wav", drum_loop(120))
    assert db.session.get_one(Sample, other.id).vibe["source"] == BY_RULES
    assert len(fake.asked) == 1  # the first upload's


def test_rules_that_stand_in_for_a_model_keep_its_earlier_description(
    as_owner: Browser, sample: Sample, fake: FakeOpenRouter
) -> None:
    fake.script, words = ["503"], dict(sample.described)
    choose(as_owner, SMALL)
    assert ran(as_owner, DESCRIBE, sample).state == "completed"
    assert len(fake.asked) > 1
    assert sample.described == words


@pytest.mark.parametrize("module", ["prompt", "schema"])
def test_a_new_prompt_or_schema_version_describes_only_on_request(
    as_owner: Browser, sample: Sample, fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    line = "The description was made by an older version."
    page = f"/samples/{sample.id}"
    assert line not in as_owner.get(page).text
    if module == "prompt":
        monkeypatch.setattr(vibe_prompt, "PROMPT_VERSION", vibe_prompt.PROMPT_VERSION + 1)
    else:
        monkeypatch.setattr(vibe_schema, "SCHEMA_VERSION", vibe_schema.SCHEMA_VERSION + 1)
        monkeypatch.setattr(sound_description, "SCHEMA_VERSION", vibe_schema.SCHEMA_VERSION)
    tasks.run_housekeeping()
    tasks.remove_leftovers()
    assert run.run_next() is None
    assert line in as_owner.get(page).text
    assert len(fake.asked) == 1
    ran(as_owner, DESCRIBE, sample)
    assert len(fake.asked) == 2
    assert line not in as_owner.get(page).text


def test_a_cached_answer_is_checked_against_the_measurement_of_today(
    as_owner: Browser, sample: Sample, fake: FakeOpenRouter
) -> None:
    with transaction():
        sample.features.measured = sample.features.measured | {"bpm": 180.0, "noisiness": 5.0}
    assert sample.vibe["corrections"] == []
    assert ran(as_owner, DESCRIBE, sample).state == "completed"
    assert len(fake.asked) == 1
    assert sample.vibe["corrections"]
    assert "180 BPM" in sample.vibe["because"]["moods"]


def test_a_description_by_rules_uses_the_measurement_at_the_end_of_the_job(
    as_owner: Browser, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sample is analysed again while it is being described."""
    assert as_owner.post("/settings/ai", ai_model=LARGE).status_code == 303  # the switch is off
    ask = describe_step.describe_sound

    def and_meanwhile(work: purposes.StepInput) -> SoundDescription:
        found = ask(work)
        with transaction():
            sample.features.measured = sample.features.measured | {"bpm": 180.0}
        return found

    monkeypatch.setattr(describe_step, "describe_sound", and_meanwhile)
    ran(as_owner, DESCRIBE, sample)
    assert "at 180 BPM" in sample.vibe["description"]
