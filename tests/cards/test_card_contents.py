"""What a card has beside the sounds: the kit's patterns, and its name as start-up screen."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.cards import card_orders
from app.cards.card_job import SCREEN
from app.extensions import db, settings
from app.jobs import run
from app.kits import history, pad_edits, pattern_edits
from app.models import CardExport, Job, Kit, Sample, User
from app.models.base import transaction
from app.shaping import pad_renders
from app.sp404.project.midi_reader import pattern_from_midi
from app.sp404.project.pattern_notes import PatternNote, compose_pattern, notes_of
from tests.kits.stock import kit_of
from tests.sp404 import second_reader
from tests.support import ApiScript, Browser, finished_job, kick

NOTES = (PatternNote(0, "A1"), PatternNote(155, "A1", velocity=60, gate=85))
SCREEN_PATH = "EXPORT/PROJECT/PROJECT_01/PICTURE/startup_1.bmp"


@pytest.fixture
def kit(as_owner: Browser, owner: User) -> Kit:
    """A kick on A1, and a pattern on B2."""
    made = kit_of(owner, A1=db.session.get_one(Sample, finished_job(as_owner, "Deep kick.wav", kick()).id))
    pattern = pattern_edits.make_pattern(compose_pattern(NOTES, 2), "Two bars")
    history.change_kit(made, "Keep", pattern_edits.keep_pattern("B2", pattern))
    return made


def archive_of(job: Job) -> Path:
    ending = run.run_next()
    db.session.refresh(job)
    assert ending is not None
    assert (ending.state, job.error) == ("completed", None)
    return settings().data_dir / "store" / db.session.get_one(CardExport, job.id).store_key


def ordered(owner: User) -> Job:
    return db.session.scalars(db.select(Job).where(Job.user_id == owner.id).order_by(Job.id.desc())).first()  # type: ignore[return-value]  # there is one


def test_patterns_are_in_the_project_and_beside_it_as_midi(as_owner: Browser, owner: User, kit: Kit) -> None:
    as_owner.post(f"/kits/{kit.id}/exports", target="mk2", project_number="1", startup_screen="1")
    archive = archive_of(ordered(owner))
    read = second_reader.read_project(archive)
    hits = [
        (note["tick"], note["pad"], note["velocity"], note["gate"])
        for note in read["patterns"]["B2"]["notes"]
    ]
    assert hits == [(0, "A1", 90, 120), (155, "A1", 60, 85)]
    assert set(read["pictures"]) == {"startup_1"}
    with zipfile.ZipFile(archive) as made:
        midi = pattern_from_midi(made.read("MIDI/Dusty kit/B02.MID"))
        assert "Its patterns are in MIDI/Dusty kit too" in made.read("README.txt").decode()
    assert (notes_of(midi.pattern), midi.pattern.bars) == (NOTES, 2)


def test_the_screen_is_left_out_when_it_is_not_wanted(
    as_owner: Browser, script: ApiScript, owner: User, kit: Kit
) -> None:
    as_owner.post(f"/kits/{kit.id}/exports", target="mk2", project_number="1")
    assert SCREEN_PATH not in zipfile.ZipFile(archive_of(ordered(owner))).namelist()
    sent = {"targets": ["mk2"], "startup_screen": False}
    assert script.call("POST", f"/api/kits/{kit.id}/exports", json=sent).status_code == 202
    assert SCREEN_PATH not in zipfile.ZipFile(archive_of(ordered(owner))).namelist()


def test_an_order_of_the_previous_version_gets_its_screen(owner: User, kit: Kit) -> None:
    job = card_orders.order_card(owner, kit, ["mk2"], draws_screen=False)
    with transaction():
        job.choices = {name: value for name, value in (job.choices or {}).items() if name != SCREEN}
    assert SCREEN_PATH in zipfile.ZipFile(archive_of(job)).namelist()


def test_patterns_alone_make_a_card_and_without_one_it_is_refused(
    as_owner: Browser, owner: User, kit: Kit
) -> None:
    history.change_kit(kit, "Clear", pad_edits.clear(["A1"]))
    assert 'value="midi"' in as_owner.get(f"/kits/{kit.id}/card").text
    assert "The kit has no pad with a sound." not in as_owner.get(f"/kits/{kit.id}/card?target=midi").text
    with zipfile.ZipFile(archive_of(card_orders.order_card(owner, kit, ["midi"]))) as made:
        assert {"MIDI/Dusty kit/B02.MID", "MIDI/Dusty kit/PTN00018.BIN"} < set(made.namelist())
    history.change_kit(kit, "Delete", pattern_edits.remove_pattern("B2"))
    assert 'value="midi"' not in as_owner.get(f"/kits/{kit.id}/card").text
    answer = as_owner.post(f"/kits/{kit.id}/exports", target="midi")
    assert answer.status_code == 422
    assert "This kit has no patterns yet." in answer.text


def export(app: Flask, *arguments: Any) -> Any:
    return app.test_cli_runner().invoke(args=["kit", "export", *map(str, arguments)])


def test_the_command_writes_the_card_of_a_kit(app: Flask, owner: User, kit: Kit, tmp_path: Path) -> None:
    out = tmp_path / "card.zip"
    done = export(app, kit.id, out, "--target", "mk2", "--target", "wav", "--number", "7", "--no-screen")
    assert (done.exit_code, done.stdout) == (0, "")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".zip"] == ["card.zip"]
    read = second_reader.read_project(out)
    assert (read["folder"], list(read["pads"]), list(read["patterns"])) == ("PROJECT_07", ["A1"], ["B2"])
    assert read["pictures"] == {}
    job = archive_of(card_orders.order_card(owner, kit, ["mk2", "wav"], 7, draws_screen=False))
    assert contents(out) == contents(job)


def contents(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(archive.read_bytes())) as made:
        return {name: made.read(name) for name in made.namelist() if not name.endswith(".SMP")}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("0" * 26, "card.zip", "--target", "mk2"), "There is no kit “00000"),
        (("KIT", "card.zip", "--target", "floppy"), "There is no card “floppy”. Choose from mk2"),
        (("KIT", "card.zip", "--target", "mk2", "--number", "17"), "no project 17"),
        (("KIT", "taken.zip", "--target", "mk2"), "exists already. Choose another name."),
        (("KIT", "no/card.zip", "--target", "mk2"), "can't be written: No such file or directory."),
    ],
)
def test_the_command_says_what_is_wrong_and_leaves_nothing(
    app: Flask, kit: Kit, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    (tmp_path / "taken.zip").write_bytes(b"mine")
    before = sorted(tmp_path.rglob("*.zip"))
    name, out, *rest = arguments
    done = export(app, kit.id if name == "KIT" else name, tmp_path / out, *rest)
    assert (done.exit_code, done.stdout) == (1, "")
    assert words in done.stderr
    assert sorted(tmp_path.rglob("*.zip")) == before
    assert not list(tmp_path.glob(".card-*"))


def test_the_command_leaves_nothing_when_a_sound_fails_half_way(
    app: Flask, kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_half(_: object, __: object, target: Path, ___: object) -> None:
        target.write_bytes(b"RIFF")

    monkeypatch.setattr(pad_renders, "fetch_sound", write_half)
    done = export(app, kit.id, tmp_path / "card.zip", "--target", "import")
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: ")
    assert not list(tmp_path.glob("*card*"))
