"""A ZIP of sounds is unpacked by a job: each sound is charged and analysed as an upload, and none is lost."""

from __future__ import annotations

import stat
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.billing import plans, quota
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.jobs import actions, reconcile, run
from app.models import Collection, Job, OutboxMessage, Sample, Usage, User
from app.models.base import transaction, utcnow
from app.models.usage import UPLOAD
from app.notify import outbox
from app.notify.message_kinds import BATCH_DONE
from app.upload import intake, zip_job
from tests.sp404.importing.test_sound_zip import Entries, written
from tests.sp404.project.test_zip_checks import entry
from tests.support import ApiScript, Browser, kick, tone, wav


def sound(number: int) -> bytes:
    return wav(0.8 * tone(60 + number, 0.05))


def pack(folder: Path, count: int, *others: tuple[Any, bytes]) -> bytes:
    """Return a ZIP of so many sounds, and other files."""
    names = [f"Night pack/Drums/{number:02}.wav" for number in range(count)]
    return zip_of(folder, [*((name, sound(number)) for number, name in enumerate(names)), *others])


def zip_of(folder: Path, entries: Entries) -> bytes:
    return written(folder, entries).read_bytes()


def send(browser: Browser, content: bytes, name: str = "Night.zip") -> Job:
    answer = browser.post("/upload/zip", {"Accept": "application/json"}, zip=(BytesIO(content), name))
    assert answer.status_code == 201, answer.text
    return db.session.get_one(Job, answer.get_json()["job_id"])


def outcome_of(job: Job) -> dict[str, Any]:
    db.session.refresh(job)
    assert (job.state, job.error) == ("completed", None)
    return job.outcome or {}


def sounds_jobs() -> list[Job]:
    return list(db.session.scalars(db.select(Job).where(Job.purpose == "upload").order_by(Job.id)))


def zips_kept() -> list[str]:
    return [key for key in open_store(settings()).older_than("", utcnow()) if ".zip" in key]


def test_each_sound_is_an_upload_in_the_folders_of_a_collection(
    as_owner: Browser, owner: User, tmp_path: Path
) -> None:
    broken = ("Night pack/notes.wav", b"%PDF-1.7 not a sound")
    others = [("Night pack/.DS_Store", b"x"), ("Night pack/cover.jpg", b"x"), broken]
    again = ("Night pack/Twice/00 again.wav", sound(0))
    job = send(as_owner, pack(tmp_path, 3, ("Night pack/hi.wav", kick()), again, *others))
    assert (job.tier, job.size_bytes) == ("pro-tier", (tmp_path / "sent").stat().st_size)
    assert as_owner.get("/upload").text.count("Night.zip") > 1
    while run.run_next():
        pass
    outcome = outcome_of(job)
    assert outcome["sentences"] == [
        "4 sounds added.",
        "1 sound was left out, in your library already or twice in the ZIP: 00 again.wav.",
        "2 files left out: 1 is not audio, 1 is hidden.",
    ]
    [problem] = outcome["problems"]
    assert problem.startswith("notes.wav: It is not audio we can read (looks like PDF).")
    collection = db.session.scalars(db.select(Collection)).one()
    samples = db.session.scalars(db.select(Sample).order_by(Sample.id)).all()
    assert [(one.name, one.folder) for one in samples] == [
        *((f"{number:02}", "Drums") for number in range(3)),
        ("hi", ""),
    ]
    assert (collection.name, {one.collection_id for one in samples}) == ("Night pack", {collection.id})
    assert all(one.features.engine_version for one in samples)
    usage = quota.plan_usage(owner)
    assert (usage.uploads, usage.storage_bytes) == (4, sum(one.size_bytes for one in samples))
    assert zips_kept() == []
    mail = db.session.scalars(db.select(OutboxMessage)).one()  # one for the sounds, none for the ZIP
    assert mail.kind == BATCH_DONE
    for address in ("/jobs", f"/upload/zips/{job.id}"):
        page = as_owner.get(address).text
        assert f'href="/samples?collection={collection.id}"' in page
        assert all(sentence in page for sentence in [*outcome["sentences"], "notes.wav: It is not audio"])
    second = send(as_owner, zip_of(tmp_path, [("a/b.wav", sound(0))]), "Zwei.zip")
    run.run_next()
    known = outcome["sentences"][1].replace("00 again.wav", "b.wav")
    assert outcome_of(second)["sentences"] == ["No sound was added.", known]
    assert outbox.deliver_mails() == 2
    mails = [path.read_text() for path in (settings().data_dir / "mail").glob("*.eml")]
    [told] = [text for text in mails if "Subject: Your ZIP is unpacked" in text]
    assert all(words in told for words in ("No sound was added.", f"/upload/zips/{second.id}"))


def test_a_sound_that_another_producer_is_sending_is_not_left_out(
    as_owner: Browser, as_stranger: Browser, tmp_path: Path
) -> None:
    as_stranger.upload(("same.wav", sound(0)))
    with transaction():
        [theirs] = sounds_jobs()
        theirs.run_at = utcnow() + timedelta(hours=1)
    job = send(as_owner, pack(tmp_path, 1))
    run.run_next()
    assert outcome_of(job)["sentences"] == ["1 sound added."]


def test_what_has_no_room_in_the_plan_is_listed_and_taken_later(
    as_freeloader: Browser, freeloader: User, tmp_path: Path
) -> None:
    with transaction():
        quota.add_usage(freeloader.id, UPLOAD, "earlier", 7)
    fits = as_freeloader.get("/upload/room?files=3&bytes=9000").get_json()
    assert fits == {"fits": True, "sentence": "3 sounds. Each counts as an upload; you have 3 left today."}
    told = as_freeloader.get("/upload/room?files=5&bytes=9000").get_json()
    assert told["sentence"].startswith("That would be 5 uploads; you have 3 left today.")
    assert told["fits"] is False
    content = pack(tmp_path, 5, ("Night pack/long.wav", sound(9) + bytes(10 * plans.MB)))
    job = send(as_freeloader, content)
    run.run_next()  # it does not wait; its sounds do, as uploads of the Free plan
    outcome = outcome_of(job)
    large, *problems = outcome["problems"]
    assert large.startswith("long.wav: It is larger than 10 MB, the largest file your plan allows.")
    assert problems == [f"Drums/0{number}.wav: no room in your plan." for number in (3, 4)]
    assert "2 sounds have no room in your plan. You have used all 10 uploads" in outcome["sentences"][1]
    assert "See plans" in as_freeloader.get("/jobs").text
    assert {one.is_delayed for one in sounds_jobs()} == {True}
    refused = as_freeloader.post(
        "/upload/zip", {"Accept": "application/json"}, zip=(BytesIO(content), "a.zip")
    )
    assert (refused.status_code, "You have used all" in refused.get_json()["error"]) == (422, True)
    with transaction() as session:
        session.execute(db.delete(Usage).where(Usage.entry_key == "earlier"))
    later = send(as_freeloader, content)
    run.run_next()
    assert outcome_of(later)["sentences"][0] == "2 sounds added."
    assert (len(sounds_jobs()), quota.plan_usage(freeloader).uploads) == (5, 5)


def test_a_killed_worker_makes_no_sound_twice(
    as_owner: Browser, owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_job, "PORTION_SOUNDS", 2)
    job = send(as_owner, pack(tmp_path, 5))
    insert = intake.insert_charged_job

    def die_at_the_fourth(*args: Any) -> None:
        if len(sounds_jobs()) == 3:
            raise KeyboardInterrupt
        insert(*args)

    monkeypatch.setattr(intake, "insert_charged_job", die_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        run.run_next()
    assert len(sounds_jobs()) == 3
    monkeypatch.setattr(intake, "insert_charged_job", insert)
    with transaction():
        db.session.refresh(job)
        job.lease_until = utcnow()
    assert reconcile.requeue_abandoned() == 1
    with transaction():  # so that it comes before its sounds
        job.run_at = job.created_at
    run.run_next()
    assert outcome_of(job)["sentences"] == ["5 sounds added."]
    assert [one.filename for one in sounds_jobs()] == [f"{number:02}.wav" for number in range(5)]
    assert quota.plan_usage(owner).uploads == 5


def test_a_cancelled_zip_stops_and_what_was_unpacked_goes_on(
    as_owner: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = pack(tmp_path, 3)
    job = send(as_owner, content)
    assert send(as_owner, content).id == job.id, "the same ZIP waits already"
    insert, job_id = intake.insert_charged_job, job.id

    def cancel_after(*args: Any) -> None:
        insert(*args)
        db.session.commit()
        actions.cancel(job_id)

    monkeypatch.setattr(intake, "insert_charged_job", cancel_after)
    ending = run.run_next()
    assert ending is not None
    assert ending.state == "lost"
    assert (len(sounds_jobs()), zips_kept()) == (1, [])
    db.session.refresh(job)
    assert job.state == "cancelled"


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ([("a.wav", bytes(100 << 20))], "more than 200 times as large as the ZIP"),
        ([("inner.zip", b"PK")], "There is no sound in this ZIP. inner.zip: It is a ZIP inside the ZIP."),
        ([("../a.wav", b"x")], "../a.wav: Its path leads outside of the ZIP."),
        ([(entry("a.wav", stat.S_IFLNK | 0o777), b"/etc")], "a.wav: It is a link or a special file."),
        ([("read me.txt", b"x")], "x.zip: There is no sound in this ZIP."),
        ([("P1/PADCONF.BIN", b"x")], "x.zip is a project of the SP-404MKII. Projects are imported from"),
        (None, "This is not a ZIP, or it is damaged."),
    ],
)
def test_a_zip_of_no_use_is_refused_in_a_sentence_and_leaves_nothing(
    as_owner: Browser, tmp_path: Path, entries: Entries | None, sentence: str
) -> None:
    content = b"Rar!" if entries is None else zip_of(tmp_path, entries)
    answer = as_owner.post("/upload/zip", {"Accept": "application/json"}, zip=(BytesIO(content), "x.zip"))
    assert (answer.status_code, sentence in answer.get_json()["error"]) == (422, True), answer.text
    assert answer.get_json().get("url") == ("/kits/import" if "project" in sentence else None)
    assert db.session.scalar(db.select(Job.id)) is None
    kept = [path for name in ("store", "tmp") for path in (settings().data_dir / name).rglob("*")]
    assert [path for path in kept if path.is_file()] == []


def test_a_form_without_a_script_takes_zips_and_the_api_says_that_it_does_not(
    app: Flask, as_owner: Browser, owner: User, tmp_path: Path
) -> None:
    content = pack(tmp_path, 2)
    as_owner.post("/upload", audio=[(BytesIO(content), "Pack.ZIP"), (BytesIO(kick()), "kick.wav")])
    while run.run_next():
        pass
    assert {one.filename for one in sounds_jobs()} == {"00.wav", "01.wav", "kick.wav"}
    assert len(db.session.scalars(db.select(OutboxMessage)).all()) == 2
    refused = ApiScript(app, owner).upload("Pack.zip", content)
    assert (refused.status_code, "ZIPs are unpacked on the upload page" in refused.text) == (422, True)


def test_sounds_that_are_known_are_named_a_few_and_then_counted(as_owner: Browser, tmp_path: Path) -> None:
    send(as_owner, pack(tmp_path, 7))
    while run.run_next():
        pass
    job = send(as_owner, pack(tmp_path, 7, ("Night pack/new.wav", kick())), "Again.zip")
    run.run_next()
    named = ", ".join(f"{number:02}.wav" for number in range(5))
    assert outcome_of(job)["sentences"][:2] == [
        "1 sound added.",
        f"7 sounds were left out, in your library already or twice in the ZIP: {named} and 2 more.",
    ]
