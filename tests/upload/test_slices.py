"""Slices of a sample become samples of their own, charged as uploads and measured like them."""

from __future__ import annotations

import io

import pytest
import soundfile
from flask import Flask

from app.billing import quota
from app.engine import dispatch
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.jobs import run, transitions
from app.library import trash
from app.models import Job, Sample, User
from app.models.base import transaction, utcnow
from app.models.usage import UPLOAD
from app.shaping import chops, sound_names
from app.upload import slices
from tests.support import Browser, drum_loop, finished_job

RATE = 48_000
CUTS = "0 0.5 1.25 3"


@pytest.fixture
def loop(as_owner: Browser) -> Sample:
    return db.session.get_one(Sample, finished_job(as_owner, "Amen 93bpm.wav", drum_loop(93)).id)


def run_all() -> None:
    while run.run_next():
        pass


def test_each_slice_is_a_measured_sample_that_knows_its_parent(
    as_owner: Browser, owner: User, loop: Sample
) -> None:
    before = quota.plan_usage(owner)
    page = as_owner.get(f"/samples/{loop.id}/chops?cuts={CUTS}").get_data(as_text=True)
    assert "These slices count as" in page
    answer = as_owner.post(f"/samples/{loop.id}/slices", cuts=CUTS)
    assert answer.status_code == 303
    charged = quota.plan_usage(owner)
    assert charged.uploads == before.uploads + 4
    run_all()
    made = db.session.scalars(
        db.select(Sample).where(Sample.parent_id == loop.id).order_by(Sample.name)
    ).all()
    assert [sample.name for sample in made] == [f"{n:02} Amen 93bpm 93" for n in range(1, 5)]
    assert all(sample.features.engine_version for sample in made)
    stored = sum(sample.size_bytes for sample in made)
    assert charged.storage_bytes - before.storage_bytes == stored
    total = 0
    for sample in made:
        audio = as_owner.get(as_owner.get(f"/samples/{sample.id}/original").headers["Location"])
        assert len(audio.data) == sample.size_bytes
        sound, rate = soundfile.read(io.BytesIO(audio.data))
        assert (rate, sound[0]) == (RATE, 0.0)
        total += len(sound)
    assert total == round(loop.duration_s * RATE)
    assert f'href="/samples/{loop.id}"' in as_owner.get(f"/samples/{made[0].id}").get_data(as_text=True)


def test_slices_without_room_in_the_plan_are_refused_all_together(
    as_owner: Browser, owner: User, loop: Sample
) -> None:
    now = quota.plan_usage(owner)
    with transaction():
        quota.add_usage(owner.id, UPLOAD, "earlier", now.uploads_left - 3)
    answer = as_owner.post(f"/samples/{loop.id}/slices", cuts=CUTS)
    assert answer.status_code == 422
    assert "You have used all" in answer.get_data(as_text=True)
    assert quota.plan_usage(owner).uploads_left == 3
    assert db.session.scalar(db.select(Job.id).where(Job.purpose == "slice")) is None


@pytest.mark.parametrize(
    ("cuts", "words"),
    [
        ("0 first", "“first” is not a time. Write seconds, like 0.512."),
        ("0 900", "900 s is outside the sound"),
        ("-1", "-1 s is outside the sound"),
        ("nan", "is not a time"),
    ],
)
def test_cuts_that_are_no_times_are_refused_in_words(
    as_owner: Browser, loop: Sample, cuts: str, words: str
) -> None:
    answer = as_owner.post(f"/samples/{loop.id}/slices", cuts=cuts)
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert db.session.scalar(db.select(Job.id).where(Job.purpose == "slice")) is None


def test_a_slice_of_a_sample_that_is_deleted_costs_nothing(
    as_owner: Browser, owner: User, loop: Sample
) -> None:
    before = quota.plan_usage(owner)
    as_owner.post(f"/samples/{loop.id}/slices", cuts="0 1")
    trash.delete_sample(loop)
    run_all()
    jobs = db.session.scalars(db.select(Job).where(Job.purpose == "slice")).all()
    assert {job.state for job in jobs} == {"cancelled"}
    assert quota.plan_usage(owner).uploads == before.uploads


def test_an_attempt_that_is_killed_leaves_no_file_once_its_job_is_cancelled(
    app: Flask, as_owner: Browser, loop: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_owner.post(f"/samples/{loop.id}/slices", cuts="0")
    job_id = db.session.scalars(db.select(Job.id).where(Job.purpose == "slice")).one()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dispatch, "process_file", die)  # after the slice was cut and stored
    with pytest.raises(KeyboardInterrupt):
        run.run_next()
    store = open_store(settings())
    assert [key for key in store.older_than("incoming/", utcnow()) if job_id in key]
    transitions.cancel(job_id)
    assert not [key for key in store.older_than("", utcnow()) if job_id in key]


def test_names_have_the_number_first_and_the_facts_last(loop: Sample) -> None:
    assert sound_names.slice_name(loop, 7) == "07 Amen 93bpm 93"
    found = chops.Chops((0, 24_000), 48_000 * 4, loop.features.sample_rate)
    assert [recipe.start for recipe in slices.slice_recipes(loop, found)] == [
        0, found.source_frame(24_000)
    ]  # fmt: skip


def test_asking_twice_for_the_same_slices_cuts_and_charges_once(
    as_owner: Browser, owner: User, loop: Sample
) -> None:
    before = quota.plan_usage(owner).uploads
    for _ in range(2):
        as_owner.post(f"/samples/{loop.id}/slices", cuts=CUTS)
    assert quota.plan_usage(owner).uploads == before + 4
    as_owner.post(f"/samples/{loop.id}/slices", cuts="0 2")
    assert quota.plan_usage(owner).uploads == before + 6


def test_the_page_says_before_that_the_plan_has_too_few_uploads(
    as_owner: Browser, owner: User, loop: Sample
) -> None:
    with transaction():
        quota.add_usage(owner.id, UPLOAD, "earlier", quota.plan_usage(owner).uploads_left - 3)
    page = as_owner.get(f"/samples/{loop.id}/chops?cuts={CUTS}").get_data(as_text=True)
    assert "That would be 4 uploads; you have 3 left" in page
    fewer = as_owner.get(f"/samples/{loop.id}/chops?cuts=0 1").get_data(as_text=True)
    assert "These are" not in fewer


def test_cuts_that_the_original_can_not_tell_apart_are_one(loop: Sample) -> None:
    frames = round(loop.duration_s * RATE)
    close = chops.Chops((0, 4_800, 4_801, frames), frames, source_rate=8_000)
    recipes = slices.slice_recipes(loop, close)
    assert (recipes[0].start, recipes[0].end) == (0, 800)
    assert all(recipe.end is not None and recipe.end > recipe.start for recipe in recipes)
