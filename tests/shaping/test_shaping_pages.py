"""The pages that shape a sample and cut it into slices, as plain forms."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import soundfile
from werkzeug.test import TestResponse

from app.audio.acid_chunk import StatedTempo, state_tempo
from app.audio.render.recipe import RenderRecipe
from app.billing import quota
from app.extensions import db
from app.jobs import run
from app.models import Job, Render, Sample, ShapingPreset, Usage, User
from app.models.base import transaction, utcnow
from app.models.job import MAX_ATTEMPTS
from app.models.usage import RENDER
from app.sandbox.errors import EngineCrashed
from app.shaping import orders, shaping_selection
from tests.support import ApiScript, Browser, drum_loop, finished_job, kick

RATE = 48_000


@pytest.fixture
def loop(as_owner: Browser) -> Sample:
    return db.session.get_one(Sample, finished_job(as_owner, "loop_93bpm.wav", drum_loop(93)).id)


@pytest.fixture
def patient_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the job that a request waits for, as a worker would do meanwhile."""
    monkeypatch.setattr("app.shaping.orders.time.sleep", lambda _: run.run_next())


def shape(browser: Browser, sample: Sample, **fields: Any) -> TestResponse:
    return browser.post(f"/samples/{sample.id}/shape", **fields)


@pytest.mark.usefixtures("patient_worker")
def test_a_short_sound_is_shaped_within_the_request(as_owner: Browser, loop: Sample) -> None:
    answer = shape(as_owner, loop, bpm="100", level="-1", level_unit="dBTP")
    assert answer.status_code == 303
    page = as_owner.get(answer.headers["Location"]).get_data(as_text=True)
    assert "93 → 100 BPM, 7.5 % faster" in page
    made = db.session.scalars(db.select(Render)).one()
    audio = as_owner.get(as_owner.get(f"/renders/{made.id}/download").headers["Location"])
    assert len(soundfile.read(io.BytesIO(audio.data))[0]) == round(8 * 60 * RATE / 100)
    # Nothing was counted, and the form shows the recipe again.
    assert db.session.scalars(db.select(Job.purpose).where(Job.id == made.id)).one() == "preview"
    assert re.search(r'name="bpm"[^>]*value="100"', page)


def test_without_a_worker_the_page_says_that_it_waits(
    as_owner: Browser, loop: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "MAX_WAIT_S", 0.1)
    answer = shape(as_owner, loop, reverse="y")
    assert answer.status_code == 303
    address = answer.headers["Location"]
    assert "Processing is paused right now" in as_owner.get(address).get_data(as_text=True)
    run.run_next()
    assert as_owner.get(address).status_code == 303


def test_a_job_is_cancelled_and_tried_again_on_the_page_that_waits_for_it(
    as_owner: Browser, owner: User, loop: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "MAX_WAIT_S", 0.0)
    address = shape(as_owner, loop, bpm="100").headers["Location"]
    page = as_owner.get(address).text
    assert ('<li class="done">Stored</li>' in page, "Try again" in page) == (True, False)
    assert as_owner.post(f"{address}/cancel").headers["Location"] == address
    page = as_owner.get(address).text
    assert "Cancelled. The sample itself has not changed." in page
    # The way back has the values that were typed.
    back = re.search(r'href="(/samples/\w+/shape\?job=\w+)"', page)
    assert back is not None
    assert re.search(r'name="bpm"[^>]*value="100"', as_owner.get(back[1]).text)
    assert as_owner.post(f"{address}/retry").status_code == 409  # a cancelled job is ordered again instead

    address = shape(as_owner, loop, bpm="110").headers["Location"]
    job = db.session.get_one(Job, address.rpartition("/")[2])
    with monkeypatch.context() as broken:
        broken.setattr("app.shaping.render_making.dispatch.render_file", fail)
        for _ in range(MAX_ATTEMPTS):
            run.run_next()
            with transaction():
                job.run_at = utcnow()
    page = as_owner.get(address).text
    assert ("Processing stopped unexpectedly" in page, f"{address}/cancel" in page) == (True, False)
    assert as_owner.post(f"{address}/retry").headers["Location"] == address
    run.run_next()
    panel = as_owner._request("GET", address, headers={"HX-Request": "true"})
    assert "→ 110 BPM" in panel.text
    assert panel.headers["HX-Reswap"] == "outerHTML"  # a form is not changed under the hands of somebody


def fail(*_: object) -> None:
    raise EngineCrashed("broken")


def test_a_preview_is_neither_on_the_cards_nor_counted(
    as_owner: Browser, owner: User, loop: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "MAX_WAIT_S", 0.1)
    left = orders.renders_left(owner)
    shape(as_owner, loop, reverse="y")
    page = as_owner.get("/jobs").get_data(as_text=True)
    assert page.count("<article") == 1  # the upload
    assert orders.renders_left(owner) == left


@pytest.mark.usefixtures("patient_worker")
def test_hearing_is_free_and_downloading_counts_once_a_day_for_the_same_audio_and_recipe(
    as_owner: Browser, owner: User, script: ApiScript, loop: Sample
) -> None:
    left = orders.renders_left(owner)
    panel = as_owner.get(shape(as_owner, loop, reverse="y").headers["Location"]).text
    assert "Listening is free. Downloading counts as a shaped sound." in panel
    heard = db.session.scalars(db.select(Render)).one()
    for _ in range(2):
        assert as_owner.get(f"/renders/{heard.id}/audio").status_code == 302
    assert orders.renders_left(owner) == left
    for _ in range(2):
        link = as_owner.get(f"/renders/{heard.id}/download").headers["Location"]
        assert as_owner.get(link).mimetype == "audio/wav"
    assert script.get(f"/api/renders/{heard.id}/download").status_code == 302
    assert orders.renders_left(owner) == left - 1
    assert (
        "Listening is free. Downloading counts as a shaped sound."
        not in as_owner.get(f"/samples/{loop.id}/shape?render={heard.id}").text
    )
    with transaction() as session:
        session.execute(db.update(Usage).values(effective_at=utcnow() - timedelta(hours=25)))
    assert orders.renders_left(owner) == left
    as_owner.get(f"/renders/{heard.id}/download")
    assert orders.renders_left(owner) == left - 1
    # What was counted when it was shaped is not counted again.
    ordered = orders.order_render(owner, loop, RenderRecipe(gain_db=-3.0))
    run.run_next()
    as_owner.get(f"/renders/{ordered.id}/download")
    assert orders.renders_left(owner) == left - 2


@pytest.mark.usefixtures("patient_worker")
def test_a_download_past_the_limit_is_refused_in_words_and_can_still_be_heard(
    as_owner: Browser, owner: User, script: ApiScript, loop: Sample
) -> None:
    shape(as_owner, loop, reverse="y")
    heard = db.session.scalars(db.select(Render)).one()
    with transaction():
        quota.add_usage(owner.id, RENDER, "render:earlier", orders.renders_left(owner))
    refused = as_owner.get(f"/renders/{heard.id}/download").headers["Location"]
    assert "You can still listen to shaped sounds of up to 30 s." in as_owner.get(refused).text
    assert script.get(f"/api/renders/{heard.id}/download").status_code == 422
    assert as_owner.get(f"/renders/{heard.id}/audio").status_code == 302


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"bpm": "9000"}, "Enter a number from 20 to 400."),
        ({"bpm": "NaN"}, "Enter a number."),
        ({"bpm": "sNaN"}, "Enter a number."),
        ({"speed": "Infinity"}, "Enter a number."),
        ({"bpm": "90", "length_s": "2"}, "Choose a tempo or a length to stretch to, not both."),
        ({"start_s": "2", "end_s": "1"}, "The end must come after the start."),
        ({"start_s": "900"}, "The start is after the end of the sound."),
        ({"mono": "both"}, "Not a valid choice"),
    ],
)
def test_values_that_do_not_fit_are_refused_and_kept(
    as_owner: Browser, loop: Sample, fields: dict[str, str], words: str
) -> None:
    answer = shape(as_owner, loop, gain_db="-3", **fields)
    page = answer.get_data(as_text=True)
    assert (answer.status_code, words in page) == (422, True), page
    assert re.search(r'name="gain_db"[^>]*value="-3"', page)


@pytest.mark.usefixtures("patient_worker")
def test_a_preset_shapes_a_selection(as_owner: Browser, owner: User, loop: Sample) -> None:
    shape(as_owner, loop, bpm="100", fade_out_ms="5", start_s="0.1")
    made = db.session.scalars(db.select(Render)).one()
    as_owner.post("/shaping/presets", render=made.id, name="To 100")
    preset = db.session.scalars(db.select(ShapingPreset)).one()
    # What belongs to one sound alone is not kept.
    assert preset.recipe == {"version": 1, "bpm": 100.0, "fade_out_ms": 5.0}
    other = finished_job(as_owner, "loop_80bpm.wav", drum_loop(80)).id
    page = as_owner.post("/shaping", sample=[loop.id, other]).get_data(as_text=True)
    assert "to 100 BPM, 5 ms fade out" in page
    answer = as_owner.post("/shaping/selected", preset=preset.id, sample=[loop.id, other])
    assert answer.status_code == 303
    while run.run_next():
        pass
    assert {render.sample_id for render in db.session.scalars(db.select(Render))} == {loop.id, other}
    assert "Shaping 2 samples." in as_owner.get("/jobs").get_data(as_text=True)
    again = as_owner.post("/shaping/selected", preset=preset.id, sample=[loop.id])
    assert "1 sample was already shaped like this." in as_owner.get(again.headers["Location"]).get_data(
        as_text=True
    )


def test_a_sound_without_a_tempo_is_named_when_a_selection_can_not_be_stretched(
    as_owner: Browser, owner: User
) -> None:
    hit = finished_job(as_owner, "kick.wav", kick()).id
    db.session.add(ShapingPreset(user_id=owner.id, name="To 90", recipe={"version": 1, "bpm": 90.0}))
    db.session.commit()
    preset = db.session.scalars(db.select(ShapingPreset)).one()
    as_owner.post("/shaping/selected", preset=preset.id, sample=[hit])
    assert "kick: No tempo is known for this sound." in as_owner.get("/jobs").get_data(as_text=True)


def test_all_that_match_are_shaped_in_steps_within_the_day(
    as_owner: Browser, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shaping_selection, "MAX_AT_ONCE", 2)
    kicks = [finished_job(as_owner, f"kick {n}.wav", kick()).id for n in range(3)]
    finished_job(as_owner, "loop.wav", drum_loop(93))
    db.session.add(ShapingPreset(user_id=owner.id, name="Back", recipe={"version": 1, "reverse": True}))
    db.session.commit()
    preset = db.session.scalars(db.select(ShapingPreset)).one()
    page = as_owner.post("/shaping", all="1", q="kick").text
    assert 'of the\n  <span class="num">3</span> samples you selected' in page
    first = re.findall(r'name="sample" value="(\w+)"', page)
    rest = dict(re.findall(r'name="(q|all|after)" value="(\w+)"', page))
    assert (len(first), rest) == (2, {"q": "kick", "all": "1", "after": first[-1]})
    answer = as_owner.post("/shaping/selected", preset=preset.id, sample=first, **rest)
    page = as_owner.get(answer.headers["Location"]).text
    assert "Shaping 2 samples." in page
    last = re.findall(r'name="sample" value="(\w+)"', page)
    assert sorted(first + last) == sorted(kicks)
    assert "after" not in dict(re.findall(r'name="(after)" value="(\w+)"', page))
    # What the plan still allows is offered, and no more.
    with transaction():
        quota.add_usage(owner.id, RENDER, "render:earlier", orders.renders_left(owner) - 1)
    page = as_owner.get("/shaping?all=1&q=kick").text
    assert re.findall(r'name="sample" value="(\w+)"', page) == first[:1]
    none = as_owner.get("/shaping?all=1&q=xylophone")
    assert "No samples match" in as_owner.get(none.headers["Location"]).text


def test_an_uploaded_loop_has_the_tempo_that_it_states(as_owner: Browser, tmp_path: Path) -> None:
    (tmp_path / "loop.wav").write_bytes(drum_loop(93))
    state_tempo(tmp_path / "loop.wav", StatedTempo(46.5, 4))
    made = finished_job(as_owner, "loop.wav", (tmp_path / "loop.wav").read_bytes())
    assert db.session.get_one(Sample, made.id).bpm == 46.5
    assert "stated in the file" in as_owner.get(f"/samples/{made.id}").text
