"""The slices of a sample as one ZIP: made by a job, counted once, downloaded by a signed link."""

from __future__ import annotations

import io
import zipfile

import pytest
import soundfile

from app.billing import plans
from app.extensions import db
from app.jobs import run
from app.library import samples
from app.models import Job, Render, Sample, User
from app.models.base import transaction
from app.shaping import orders
from tests.support import ApiScript, Browser, drum_loop, finished_job

RATE = 48_000
CUTS = "0 0.6452 1.2903"


@pytest.fixture
def amen(as_owner: Browser) -> Sample:
    sample = db.session.get_one(Sample, finished_job(as_owner, "loop_93bpm.wav", drum_loop(93)).id)
    samples.edit_sample(sample, name="Amen", corrections={"key": "F minor"})
    return sample


@pytest.fixture
def patient_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the job that a request waits for, as a worker would do meanwhile."""
    monkeypatch.setattr("app.shaping.orders.time.sleep", lambda _: run.run_next())


@pytest.mark.usefixtures("patient_worker")
def test_slices_are_downloaded_as_one_zip_and_counted_once(
    as_owner: Browser, owner: User, amen: Sample, script: ApiScript
) -> None:
    left = orders.renders_left(owner)
    page = as_owner.get(f"/samples/{amen.id}/chops?cuts={CUTS}").get_data(as_text=True)
    assert "The ZIP counts as one" in page
    for _ in range(2):  # the second time it is stored already
        answer = as_owner.post(f"/samples/{amen.id}/slice-archives", cuts=CUTS)
        assert answer.status_code == 303
    link = as_owner.get(answer.headers["Location"])
    file = as_owner.get(link.headers["Location"])
    assert "Amen 93 Fm slices.zip" in file.headers["Content-Disposition"]
    assert file.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(file.data)) as made:
        assert made.namelist() == ["01 Amen 93 Fm.wav", "02 Amen 93 Fm.wav", "03 Amen 93 Fm.wav"]
        sounds = [soundfile.read(io.BytesIO(made.read(name))) for name in made.namelist()]
    assert sum(len(sound) for sound, _ in sounds) == round(amen.duration_s * RATE)
    assert {rate for _, rate in sounds} == {RATE}
    assert all(abs(sound[0]) <= 2**-15 for sound, _ in sounds)  # nothing but dither
    assert orders.renders_left(owner) == left - 1
    row = db.session.scalars(db.select(Render)).one()
    assert row.size_bytes == len(file.data)  # of the room for shaped sounds
    # It is no sound: it can neither be heard nor made a preset of, but a script can download it.
    assert as_owner.get(f"/renders/{row.id}/audio").status_code == 404
    assert as_owner.get(f"/renders/{row.id}/peaks").status_code == 404
    assert as_owner.post("/shaping/presets", render=row.id, name="Slices").status_code == 404
    assert "Before and after" not in as_owner.get(f"/samples/{amen.id}/shape?render={row.id}").text
    told = script.get(f"/api/jobs/{row.id}").get_json()
    assert (told["purpose"], told["render"]["done"]) == ("slice_zip", ["cut into 3 slices"])
    assert script.get(f"/api/renders/{row.id}/download").status_code == 302


def test_a_new_name_is_another_zip(as_owner: Browser, amen: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "MAX_WAIT_S", 0.0)
    as_owner.post(f"/samples/{amen.id}/slice-archives", cuts=CUTS)
    as_owner.post(f"/samples/{amen.id}/slice-archives", cuts=CUTS)
    samples.edit_sample(amen, name="Think")
    answer = as_owner.post(f"/samples/{amen.id}/slice-archives", cuts=CUTS)
    assert len(db.session.scalars(db.select(Job).where(Job.purpose == "slice_zip")).all()) == 2
    # Without a worker the page of the job says so, and later has the ZIP.
    address = answer.headers["Location"]
    assert "Cancel" in as_owner.get(address).text
    while run.run_next():
        pass
    page = as_owner.get(address).text
    assert "The slices are ready" in page
    assert "Cut into 3 slices" in page
    assert f"cuts=0.0000+{CUTS.split()[1]}"[:17] in page  # the way back has the cuts
    assert "Slices as a ZIP" in as_owner.get("/jobs").text


def test_a_zip_is_refused_when_nothing_is_left_today_or_it_has_no_room(
    as_owner: Browser, owner: User, amen: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "MAX_WAIT_S", 0.0)
    with monkeypatch.context() as small:
        small.setattr(plans.Plan, "render_cache_bytes", property(lambda _: 1000), raising=False)
        address = as_owner.post(f"/samples/{amen.id}/slice-archives", cuts=CUTS).headers["Location"]
        run.run_next()
        assert "Use a shorter part." in as_owner.get(address).text
    batch_id = db.session.get_one(Job, amen.id).batch_id
    with transaction() as session:
        for _ in range(orders.renders_left(owner)):
            values = {"purpose": "render", "filename": "x", "tier": "x", "priority": 1, "state": "completed"}
            session.add(Job(user_id=owner.id, batch_id=batch_id, **values))
    answer = as_owner.post(f"/samples/{amen.id}/slice-archives", cuts=CUTS)
    assert answer.status_code == 422
    assert "sounds every 24 hours" in answer.text
