"""A project of the unit comes back: its sounds join the library, its pads are a kit; a card has it again."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from app.cards import card_orders
from app.engine import dispatch
from app.engine.contract import EngineAnswer
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.jobs import actions, cleanup, run, transitions
from app.kits import history, kit_list, pad_edits
from app.kits.kit_rows import load_state
from app.library import trash
from app.models import CardExport, Job, Kit, KitBase, Sample, User
from app.models.base import transaction, utcnow
from app.notify import outbox
from app.sp404.project.project_reader import read_project
from tests.imports.sending import (
    FOLDER,
    bring_back,
    noisy,
    order,
    quantities,
    send,
    send_bytes,
    unit_project,
    write_card,
)
from tests.sp404.project.made_files import block, padconf, small_project, smp, write_files
from tests.support import Browser, finished_job, kick


def test_a_project_becomes_a_kit_with_its_sounds_and_goes_back_byte_for_byte(
    as_owner: Browser, owner: User, tmp_path: Path
) -> None:
    files = unit_project()
    upload = send(as_owner, files)
    page = as_owner.get(f"/kits/import/{upload.id}").text
    for words in ("Dusty project", "3 pads with a sound", "3 new samples", "1 pattern", "1 picture"):
        assert words in page
    kit = bring_back(as_owner, files)
    state = load_state(kit)
    read = read_project(write_files(tmp_path / FOLDER, files))
    assert {pad: one.settings for pad, one in state.pads.items()} == {
        pad: one.settings for pad, one in read.pads.items()
    }
    assert (kit.name, kit.tempo, kit.tempo_source) == ("Dusty project", 9_000, "bank")
    assert list(state.patterns) == list(read.patterns) == ["A1"]
    shown = as_owner.get(f"/kits/{kit.id}").text
    assert "<option selected>A2</option>" in shown
    assert "No pattern yet" not in shown
    samples = {sample.name: sample for sample in db.session.scalars(db.select(Sample))}
    assert set(samples) == {"Rumble", "Tick"}
    assert state.pad("A1").sample_id == state.pad("A2").sample_id == samples["Rumble"].id
    assert samples["Tick"].features.measured["duration_s"] == 0.0625
    assert samples["Tick"].vibe["description"]
    base_bytes = db.session.get_one(KitBase, kit.id).size_bytes
    assert quantities("upload") == 2
    assert quantities("storage") == sum(one.size_bytes for one in samples.values()) + base_bytes
    assert write_card(owner, kit, tmp_path / "card") == files
    job = db.session.scalars(db.select(Job).where(Job.purpose == "kit_import")).one()
    done = as_owner.get(f"/kits/import/done/{job.id}").text
    assert "2 new samples." in done
    assert f'href="/kits/import/done/{job.id}"' in as_owner.get("/jobs").text


def test_a_project_that_comes_back_twice_uses_the_same_samples(
    as_owner: Browser, owner: User, tmp_path: Path
) -> None:
    files = unit_project()
    first, second = bring_back(as_owner, files), bring_back(as_owner, files)
    assert quantities("upload") == 2
    ids = [{pad: one.sample_id for pad, one in load_state(kit).pads.items()} for kit in (first, second)]
    assert ids[0] == ids[1]
    assert write_card(owner, second, tmp_path / "card") == files


def test_a_card_of_the_product_comes_back_with_the_samples_that_it_was_made_of(
    as_owner: Browser, owner: User, tmp_path: Path
) -> None:
    sample = db.session.get_one(Sample, finished_job(as_owner, "Deep kick.wav", kick()).id)
    made = kit_list.create_kit(owner, load_state(bring_back(as_owner, unit_project())))
    history.change_kit(made, "Place", pad_edits.place("C3", pad_edits.pad_for_sample(sample)))
    card = write_card(owner, made, tmp_path / "card")
    before = quantities("upload")
    again = bring_back(as_owner, card)
    assert quantities("upload") == before
    assert load_state(again).pad("C3").sample_id == sample.id


def test_only_what_was_changed_in_the_kit_differs_on_the_card(
    as_owner: Browser, owner: User, tmp_path: Path
) -> None:
    files = unit_project()
    kit = bring_back(as_owner, files)
    history.change_kit(kit, "Louder", pad_edits.change_settings("A1", {"level": 90}))
    made = write_card(owner, kit, tmp_path / "card")
    assert {path for path in files if made.get(path) != files[path]} == {"PADCONF.BIN"}
    old, new = files["PADCONF.BIN"], made["PADCONF.BIN"]
    assert {at for at in range(len(old)) if old[at] != new[at]} == {0xA0 + 15}


def test_several_projects_become_a_kit_each_and_a_damaged_one_says_why(
    as_owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        f"EXPORT/PROJECT/PROJECT_{n:02d}/{path}": data
        for n in (1, 2)
        for path, data in unit_project().items()
    }
    files["EXPORT/PROJECT/PROJECT_03/PADCONF.BIN"] = b"RFPD and no more"
    upload = send(as_owner, files, "")
    page = as_owner.get(f"/kits/import/{upload.id}").text
    assert "Each project becomes a kit of its own." in page
    assert "This project can’t be imported." in page
    jobs = order(as_owner, upload, *(one["path"] for one in upload.found))
    assert len(jobs) == 2
    assert order(as_owner, upload, (jobs[0].choices or {})["path"]) == jobs
    # As if both jobs ran at the same time: neither finds the sounds of the other while it measures.
    monkeypatch.setattr("app.imports.import_job.find_known", lambda *_: {})
    while run.run_next() is not None:
        pass
    assert [kit.name for kit in db.session.scalars(db.select(Kit))] == ["Dusty project"] * 2
    assert quantities("upload") == 2


def test_what_is_damaged_is_left_out_and_listed(as_owner: Browser) -> None:
    files = unit_project() | {"SMPL/BANK1-02.SMP": b"RFWV", "PTN/PTN00002.BIN": b"?"}
    kit = bring_back(as_owner, files)
    job = db.session.scalars(db.select(Job).where(Job.purpose == "kit_import")).one()
    page = as_owner.get(f"/kits/import/done/{job.id}").text
    assert "A2: The sound is cut off inside its header." in page
    assert "2 notes." in as_owner.get("/jobs").text
    gap = load_state(kit).pad("A2")
    assert (gap.sample_id, gap.sample_name, gap.settings.level) == (None, "Same rumble", 99)


def test_a_project_without_room_adds_nothing(as_freeloader: Browser) -> None:
    pads = {place: smp(noisy(place, 600 + place), 1) for place in range(12)}
    files = {f"SMPL/BANK1-{place + 1:02d}.SMP": sound for place, sound in pads.items()}
    files["PADCONF.BIN"] = padconf({place: block(len(sound), f"n{place}") for place, sound in pads.items()})
    upload = send(as_freeloader, files)
    assert "they don’t fit in your plan together" in as_freeloader.get(f"/kits/import/{upload.id}").text
    [job] = order(as_freeloader, upload)
    run.run_next()
    db.session.refresh(job)
    assert job.error is not None
    assert "That would be 12 uploads; you have 10 left today" in job.error
    assert job.error.endswith("Nothing was added to your library.")
    assert db.session.scalars(db.select(Sample)).all() == []
    assert (quantities("upload"), quantities("storage")) == (0, 0)


def test_an_attempt_that_dies_leaves_one_kit_and_each_sound_once(
    as_owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.imports.new_sounds.REPORT_EVERY_S", 0)
    [job] = order(as_owner, send(as_owner, unit_project()))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("app.imports.import_job._with_samples_of", die)
        with pytest.raises(KeyboardInterrupt):
            run.run_next()
    db.session.refresh(job)
    assert job.results["progress"] == "Sound 2 of 2."
    assert "Sound 2 of 2." in as_owner.get("/jobs").text
    transitions.end_abandoned(job.id, job.lease_token)
    monkeypatch.setattr(cleanup, "MIN_OBJECT_AGE", timedelta(0))
    assert cleanup.remove_orphans() == 0  # no row names the files of the sounds yet
    measured: list[str] = []
    process_file = dispatch.process_file

    def note(key: str, *more: Any) -> EngineAnswer:
        measured.append(key)
        return process_file(key, *more)

    monkeypatch.setattr(dispatch, "process_file", note)
    run.run_next()
    assert len(measured) == 1  # the other one was measured by the first attempt
    db.session.refresh(job)
    assert job.state == "completed"
    assert len(db.session.scalars(db.select(Kit)).all()) == 1
    assert len(db.session.scalars(db.select(Sample)).all()) == quantities("upload") == 2


@pytest.mark.parametrize("lost", ["", "kept/", "samples/", "made/"])
def test_an_attempt_that_dies_at_its_end_is_finished_if_its_files_are_there(
    as_owner: Browser, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    [job] = order(as_owner, send(as_owner, unit_project()))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(transitions, "complete", die)
        with pytest.raises(KeyboardInterrupt):
            run.run_next()
    db.session.refresh(job)
    brought = job.results["brought"]
    assert set(brought) == {"new", "base_bytes"}
    assert [set(one) for one in brought["new"]] == [{"id", "size_bytes"}] * 2
    transitions.end_abandoned(job.id, job.lease_token)
    if lost:
        store = open_store(settings())
        store.delete(next(store.older_than(lost, utcnow() + timedelta(days=1))))
    run.run_next()
    db.session.refresh(job)
    sentence = "What was read of the project is no longer in our storage."
    assert (job.state, sentence in (job.error or "")) == (("failed", True) if lost else ("completed", False))
    assert len(db.session.scalars(db.select(Sample)).all()) == (0 if lost else 2)


def test_a_cancelled_job_adds_nothing(as_owner: Browser) -> None:
    [job] = order(as_owner, send(as_owner, unit_project()))
    assert actions.cancel(job.id)
    assert run.run_next() is None
    assert db.session.scalars(db.select(Kit)).all() == []
    assert "Cancelled. Nothing was added to your library." in as_owner.get("/jobs").text


def test_a_sample_that_is_deleted_meanwhile_is_a_gap(
    as_owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_back(as_owner, unit_project())
    [job] = order(as_owner, send(as_owner, unit_project()))
    finish = transitions.complete

    def delete_first(*values: Any) -> object:
        trash.delete_sample(db.session.scalars(db.select(Sample).where(Sample.name == "Tick")).one())
        return finish(*values)

    monkeypatch.setattr(transitions, "complete", delete_first)
    run.run_next()
    db.session.refresh(job)
    kit = db.session.get_one(Kit, (job.outcome or {})["kit_id"])
    assert (load_state(kit).pad("B2").sample_id, load_state(kit).pad("B2").sample_name) == (None, "Tick")


def test_our_own_card_with_wavs_brings_sounds_by_their_paths(
    as_owner: Browser, owner: User, as_stranger: Browser, tmp_path: Path
) -> None:
    kit = bring_back(as_owner, unit_project())
    history.change_kit(
        kit, "Reverse", pad_edits.change_settings("A1", {"recipe": {"version": 1, "reverse": True}})
    )
    job = card_orders.order_card(owner, kit, ["wav"])
    run.run_next()
    archive = settings().data_dir / "store" / db.session.get_one(CardExport, job.id).store_key
    upload = send_bytes(as_stranger, archive.read_bytes(), "Shared.zip")
    [found] = upload.found
    assert (found["kind"], found["pads"]) == ("kit", 3)
    [waiting] = order(as_stranger, upload, found["path"])
    run.run_next()
    db.session.refresh(waiting)
    assert (waiting.error, waiting.state) == (None, "completed")
    theirs = db.session.get_one(Kit, (waiting.outcome or {})["kit_id"])
    pads = load_state(theirs).pads
    samples = {pad: db.session.get_one(Sample, one.sample_id) for pad, one in pads.items()}
    assert {sample.user_id for sample in samples.values()} == {theirs.user_id}
    assert theirs.user_id != owner.id
    assert pads["A1"].settings.recipe is None  # it is in the sound
    assert samples["A1"].content_sha256 != samples["A2"].content_sha256
    assert db.session.get(KitBase, theirs.id) is None


def test_a_mail_tells_of_a_project_and_of_a_card_that_took_longer(as_owner: Browser, owner: User) -> None:
    [job] = order(as_owner, send(as_owner, small_project()))
    with transaction():
        job.created_at = utcnow() - timedelta(minutes=2)
    run.run_next()
    kit = db.session.scalars(db.select(Kit)).one()
    card = card_orders.order_card(owner, kit, ["midi"])
    with transaction():
        card.created_at = utcnow() - timedelta(minutes=2)
    run.run_next()
    outbox.deliver_mails()
    told = {}
    for file in (settings().data_dir / "mail").glob("*.eml"):
        mail = message_from_bytes(file.read_bytes(), policy=policy.default)
        body = mail.get_body(("plain",))
        assert body is not None
        told[str(mail["Subject"])] = body.get_content()
    assert set(told) == {"Your project is imported", "Your card is ready"}
    assert f"/kits/import/done/{job.id}" in told["Your project is imported"]
    assert f"/exports/{card.id}" in told["Your card is ready"]
