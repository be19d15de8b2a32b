"""Shape a sample and find its chops by the API."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
import soundfile
from flask import Flask

from app.billing import plans
from app.extensions import db
from app.jobs import run
from app.library import trash
from app.models import Job, Render, Sample, User
from app.models.base import transaction
from tests.support import ApiScript, Browser, drum_loop, finished_job, noise, wav

RATE = 48_000


@pytest.fixture
def loop(as_owner: Browser) -> Sample:
    return db.session.get_one(Sample, finished_job(as_owner, "loop_93bpm.wav", drum_loop(93)).id)


def shape(script: ApiScript, sample: Sample, **recipe: Any) -> dict[str, Any]:
    made = script.call("POST", f"/api/samples/{sample.id}/renders", json=recipe)
    assert made.status_code == 202, made.get_json()
    told: dict[str, Any] = made.get_json()
    return told


def test_a_shaped_loop_has_whole_beats_of_its_new_tempo(
    app: Flask, script: ApiScript, as_owner: Browser, loop: Sample
) -> None:
    told = shape(script, loop, bpm=100.0)
    assert (told["status"], told["render"]) == ("pending", None)
    assert shape(script, loop, bpm=100.0)["job_id"] == told["job_id"]
    run.run_next()
    job = script.get(f"/api/jobs/{told['job_id']}").get_json()
    assert (job["purpose"], job["status"], job["step"]) == ("render", "completed", "ready")
    made = job["render"]
    assert (made["frames"], made["bpm"]) == (round(8 * 60 * RATE / 100), 100.0)
    assert made["done"][0] == "93 → 100 BPM"
    link = script.get(f"/api/renders/{made['id']}/download")
    assert link.status_code == 302
    audio = as_owner.get(link.headers["Location"])
    sound, rate = soundfile.read(io.BytesIO(audio.data))
    assert (len(sound), rate) == (made["frames"], RATE)


def test_what_is_kept_is_answered_at_once(script: ApiScript, loop: Sample) -> None:
    first = shape(script, loop, reverse=True)
    run.run_next()
    again = shape(script, loop, reverse=True)
    assert (again["job_id"], again["status"]) == (None, "completed")
    assert again["render"]["done"] == ["reversed"]
    assert db.session.scalars(db.select(Render)).one().id == first["job_id"]


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"tempo": 90}, "tempo"),
        ({"bpm": 1000}, "bpm"),
        ({"bpm": 90, "length_s": 2}, "Choose a tempo or a length"),
        ({"start": 100_000_000}, "The start is after the end of the sound"),
    ],
)
def test_a_recipe_that_does_not_suit_is_refused_in_words(
    script: ApiScript, loop: Sample, recipe: dict[str, Any], words: str
) -> None:
    answer = script.call("POST", f"/api/samples/{loop.id}/renders", json=recipe)
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert db.session.scalar(db.select(Job.id).where(Job.purpose == "render")) is None


def test_a_day_has_as_many_renders_as_the_plan_says(script: ApiScript, loop: Sample, owner: User) -> None:
    plan = plans.plan_for_user(owner)
    batch_id = db.session.get_one(Job, loop.id).batch_id
    values = {"purpose": "render", "filename": "x", "tier": plan.tier, "priority": plan.priority}
    with transaction() as session:
        for _ in range(plan.renders):
            session.add(Job(user_id=owner.id, batch_id=batch_id, state="completed", **values))
    answer = script.call("POST", f"/api/samples/{loop.id}/renders", json={"reverse": True})
    assert answer.status_code == 422
    assert f"{plan.renders:,} sounds every 24 hours" in answer.get_json()["detail"]


def test_others_and_readers_can_not_shape(app: Flask, loop: Sample, owner: User, stranger: User) -> None:
    path = f"/api/samples/{loop.id}/renders"
    assert ApiScript(app, owner, "samples:read").call("POST", path, json={}).status_code == 403
    assert ApiScript(app, stranger).call("POST", path, json={}).status_code == 404


def test_a_shaped_sound_of_a_deleted_sample_is_gone(script: ApiScript, loop: Sample) -> None:
    told = shape(script, loop, reverse=True)
    run.run_next()
    trash.delete_sample(loop)
    assert script.get(f"/api/renders/{told['job_id']}/download").status_code == 404


def test_chops_lie_at_zero_crossings_in_order(script: ApiScript, as_owner: Browser, loop: Sample) -> None:
    found = script.get(f"/api/samples/{loop.id}/chops?by=onsets&count=8").get_json()
    cuts = [chop["frame"] for chop in found["chops"]]
    assert cuts[0] == 0
    assert cuts == sorted(set(cuts))
    assert 2 <= len(cuts) <= 8
    audio = as_owner.get(as_owner.get(f"/samples/{loop.id}/audio").headers["Location"])
    sound, _ = soundfile.read(io.BytesIO(audio.data), dtype="int16")
    assert found["frames"] == len(sound)
    for cut in cuts[1:]:
        assert sound[cut] == 0 or int(sound[cut]) * int(sound[cut - 1]) <= 0
    assert [chop["start"] for chop in found["chops"]] == [
        round(cut * loop.features.sample_rate / RATE) for cut in cuts
    ]


def test_chops_by_bars_need_a_tempo(script: ApiScript, as_owner: Browser) -> None:
    hiss = finished_job(as_owner, "hiss.wav", wav(noise(2.0)))
    answer = script.get(f"/api/samples/{hiss.id}/chops?by=bars")
    assert answer.status_code == 422
    assert "No tempo is known" in answer.get_json()["detail"]


def test_slices_come_as_one_zip_of_named_wavs(script: ApiScript, as_owner: Browser, loop: Sample) -> None:
    path = f"/api/samples/{loop.id}/slice-archives"
    told = script.call("POST", path, json={"by": "equal", "count": 4})
    assert (told.status_code, told.get_json()["status"]) == (202, "pending")
    assert script.call("POST", path, json={"by": "equal", "count": 4}).get_json() == told.get_json()
    run.run_next()
    made = script.get(f"/api/jobs/{told.get_json()['job_id']}").get_json()["render"]
    assert made["done"] == ["cut into 4 slices"]
    link = script.get(f"/api/renders/{made['id']}/download")
    with zipfile.ZipFile(io.BytesIO(as_owner.get(link.headers["Location"]).data)) as slices:
        assert slices.namelist() == [f"{n:02} loop_93bpm 93.wav" for n in range(1, 5)]
        lengths = [len(soundfile.read(io.BytesIO(slices.read(name)))[0]) for name in slices.namelist()]
    assert sum(lengths) == made["frames"]
    assert abs(made["frames"] - loop.duration_s * RATE) <= 4  # each slice is rounded to a frame
    again = script.call("POST", path, json={"by": "equal", "count": 4}).get_json()
    assert (again["job_id"], again["status"]) == (None, "completed")
    assert again["render"]["id"] == made["id"]


def test_slices_are_cut_at_chops_of_a_script_or_refused_in_words(script: ApiScript, loop: Sample) -> None:
    path = f"/api/samples/{loop.id}/slice-archives"
    found = [chop["frame"] for chop in script.get(f"/api/samples/{loop.id}/chops").get_json()["chops"]]
    script.call("POST", path, json={"cuts": found[1:3]})
    run.run_next()
    made = db.session.scalars(db.select(Render)).one()
    assert made.recipe["cuts"] == [round(cut * loop.features.sample_rate / RATE) for cut in found[:3]]
    for body, words in (
        ({"cuts": [1_000_000]}, "Frame 1,000,000 is outside the sound"),
        ({"cuts": list(range(1_000, 161_000, 1_000))}, "at most 160 slices"),
        ({"cuts": [-1]}, "greater than or equal to 0"),
        ({"by": "hits"}, "by"),
    ):
        refused = script.call("POST", path, json=body)
        assert (refused.status_code, words in refused.get_data(as_text=True)) == (422, True), body
