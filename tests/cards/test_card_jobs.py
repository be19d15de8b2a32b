"""A card is made of a kit by a job: once, with what was asked for, and readable by a second reader."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from flask import Flask

from app.audio.render.recipe import RenderRecipe
from app.billing import plans
from app.billing.plans import Plan
from app.cards import card_orders
from app.cards.known_sounds import known_sounds, load_card_samples
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.jobs import cleanup, run, transitions
from app.kits import history, kit_list, pad_edits
from app.kits.documents import kit_document
from app.kits.kit_state import KitState
from app.library import trash
from app.models import CardExport, Job, Kit, Render, Sample, Usage, User
from app.models.base import transaction, utcnow
from app.models.card_export import CARD_LIFETIME
from app.sp404.card.card_sounds import CardSound
from tests.sp404 import second_reader
from tests.support import Browser, drum_loop, finished_job, kick

RATE = 48_000


@pytest.fixture
def kit(as_owner: Browser, owner: User) -> Kit:
    """A kick as it is on A1, and a loop stretched to 100 BPM on B16."""
    made = kit_list.create_kit(owner, KitState("Dusty kit", tempo=10_000))
    hit = db.session.get_one(Sample, finished_job(as_owner, "Deep kick.wav", kick()).id)
    loop = db.session.get_one(Sample, finished_job(as_owner, "Break 93.wav", drum_loop(93)).id)
    history.change_kit(
        made,
        "Place",
        pad_edits.in_order(
            pad_edits.place("A1", pad_edits.pad_for_sample(hit)),
            pad_edits.place("B16", pad_edits.pad_for_sample(loop)),
            pad_edits.change_settings("B16", {"recipe": RenderRecipe(bpm=100.0).to_dict(), "bpm": 100.0}),
        ),
    )
    return made


def make(owner: User, kit: Kit, *targets: str, number: int = 1) -> Path:
    """Make a card; return its ZIP."""
    job = card_orders.order_card(owner, kit, targets, number)
    ending = run.run_next()
    db.session.refresh(job)
    assert ending is not None
    assert (ending.state, job.error) == ("completed", None)
    return settings().data_dir / "store" / db.session.get_one(CardExport, job.id).store_key


def test_a_native_project_has_the_pads_as_they_were_set(
    app: Flask, owner: User, kit: Kit, tmp_path: Path
) -> None:
    archive = make(owner, kit, "mk2", number=7)
    read = second_reader.read_project(archive)
    assert (read["folder"], read["name"], read["tempo"]) == ("PROJECT_07", "Dusty kit", 100.0)
    assert set(read["pads"]) == {"A1", "B16"}
    hit, loop = read["pads"]["A1"], read["pads"]["B16"]
    assert (hit["name"], hit["gate"], hit["bpm_sync"]) == ("Deep kick", False, False)
    assert (loop["loop"], loop["bpm"]) == (True, 100.0)
    assert len(loop["pcm"]) == round(8 * 60 * RATE / 100)
    samples = load_card_samples(owner.id, [one.id for one in db.session.scalars(db.select(Sample))])
    known = known_sounds(kit_document(kit), samples).sounds
    frames = {pad: len(one["pcm"]) for pad, one in read["pads"].items()}
    assert {pad: one.frames for pad, one in known.items() if isinstance(one, CardSound)} == frames
    with zipfile.ZipFile(archive) as made:
        names = made.namelist()
        assert "README.txt" in names
        report = made.read("report.csv").decode()
    assert "Break 93" in report


def test_every_other_card_can_be_made_in_one_zip(owner: User, kit: Kit, tmp_path: Path) -> None:
    archive = make(owner, kit, "import", "sx", "wav", "sfz", "xpm")
    pads = second_reader.read_sx_card(archive)
    assert len(pads) == 2
    assert max(pad["original_end"] for pad in pads.values()) == 8 * 60 / 100 * 44_100  # the stretched loop
    with zipfile.ZipFile(archive) as made:
        assert made.testzip() is None
        names = made.namelist()
        made.extractall(tmp_path)
    for folder in ("IMPORT/", "WAV/", "SFZ/", "MPC/"):
        wavs = [name for name in names if name.startswith(folder) and name.endswith(".wav")]
        assert len(wavs) == 2, (folder, names)
        for name in wavs:
            second_reader.check_wav(tmp_path / name, RATE)


def test_what_was_shaped_is_kept_and_not_shaped_again(
    owner: User, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(owner, kit, "import")
    assert db.session.scalars(db.select(Render)).one().bpm == 100.0

    def refuse(*_: object) -> None:
        raise AssertionError("it was shaped again")

    monkeypatch.setattr("app.shaping.render_making.dispatch.render_file", refuse)
    make(owner, kit, "wav")


def test_a_sound_without_room_in_the_plan_is_on_the_card_but_not_stored_apart(
    owner: User, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Plan, "render_cache_bytes", property(lambda _: 1000), raising=False)
    archive = make(owner, kit, "import")
    with zipfile.ZipFile(archive) as made:
        assert len([name for name in made.namelist() if name.endswith(".wav")]) == 2
    assert db.session.scalar(db.select(Render.id)) is None
    assert len(list(open_store(settings()).older_than("made/", utcnow()))) == 1  # the card


def test_an_attempt_that_dies_leaves_one_card_and_one_usage_row(
    owner: User, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = card_orders.order_card(owner, kit, ["import"])

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(transitions, "complete", die)
        with pytest.raises(KeyboardInterrupt):
            run.run_next()
    db.session.refresh(job)
    transitions.end_abandoned(job.id, job.lease_token)
    run.run_next()
    assert db.session.scalars(db.select(CardExport)).one().id == job.id
    used = db.session.scalars(db.select(Usage.quantity).where(Usage.entry_key == f"card:{job.id}")).all()
    assert used == [1]
    cleanup.remove_orphans()
    assert len(list(open_store(settings()).older_than("made/", utcnow()))) == 2  # the card and the loop


def test_the_same_order_is_one_job_and_another_kit_is_another(owner: User, kit: Kit) -> None:
    first = card_orders.order_card(owner, kit, ["import"])
    assert card_orders.order_card(owner, kit, ["import"]).id == first.id
    assert card_orders.order_card(owner, kit, ["wav"]).id != first.id


def test_a_sample_that_is_deleted_meanwhile_is_left_out_and_said(owner: User, kit: Kit) -> None:
    hit = db.session.scalars(db.select(Sample).where(Sample.name == "Deep kick")).one()
    job = card_orders.order_card(owner, kit, ["import"])
    trash.delete_sample(hit)
    run.run_next()
    key = db.session.get_one(CardExport, job.id).store_key
    with zipfile.ZipFile(settings().data_dir / "store" / key) as made:
        assert "no longer in the library" in made.read("report.csv").decode()


def test_a_plan_has_so_many_cards_a_day_and_says_so(as_owner: Browser, owner: User, kit: Kit) -> None:
    plan = plans.plan_for_user(owner)
    batch_id = db.session.scalars(db.select(Job.batch_id)).first()
    values = {"purpose": "kit_export", "filename": "x", "tier": plan.tier, "priority": plan.priority}
    with transaction() as session:
        for _ in range(plan.exports):
            session.add(Job(user_id=owner.id, batch_id=batch_id, state="completed", **values))
    answer = as_owner.post(f"/kits/{kit.id}/exports", target="import", project_number="1")
    assert answer.status_code == 422
    assert f"{plan.exports:,} cards and large ZIPs every 24 hours" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "No card was chosen"),
        ({"target": "floppy"}, "There is no card “floppy”"),
        ({"target": "mk2", "project_number": "17"}, "no project 17"),
        ({"target": "mk2", "project_number": "²"}, "no project 0"),
    ],
)
def test_orders_that_make_no_sense_are_refused_in_words(
    as_owner: Browser, kit: Kit, form: dict[str, str], words: str
) -> None:
    answer = as_owner.post(f"/kits/{kit.id}/exports", **form)
    assert (answer.status_code, words in answer.get_data(as_text=True)) == (422, True)


def test_the_page_offers_the_card_until_it_is_deleted(as_owner: Browser, owner: User, kit: Kit) -> None:
    make(owner, kit, "import")
    page = as_owner.get(f"/kits/{kit.id}/card").get_data(as_text=True)
    card = db.session.scalars(db.select(CardExport)).one()
    assert f'href="/exports/{card.id}"' in page
    zipped = as_owner.get(as_owner.get(f"/exports/{card.id}").headers["Location"])
    assert zipfile.ZipFile(io.BytesIO(zipped.data)).testzip() is None
    with transaction():
        card.created_at = utcnow() - CARD_LIFETIME
    key = card.store_key
    card_id = card.id
    card_orders.remove_old_cards()
    assert as_owner.get(f"/exports/{card_id}").status_code == 404
    assert not (settings().data_dir / "store" / key).exists()


def test_the_job_card_links_to_the_zip(as_owner: Browser, owner: User, kit: Kit) -> None:
    make(owner, kit, "import")
    card = db.session.scalars(db.select(CardExport)).one()
    page = as_owner.get("/jobs").get_data(as_text=True)
    assert f'<a href="/exports/{card.id}">Download ZIP</a>' in page
    assert "The sample has been deleted." not in page


def test_an_empty_kit_is_refused(as_owner: Browser, owner: User) -> None:
    empty = kit_list.create_kit(owner, KitState("Empty"))
    answer = as_owner.post(f"/kits/{empty.id}/exports", target="import")
    assert answer.status_code == 422
    assert "This kit has no sounds yet" in answer.get_data(as_text=True)
