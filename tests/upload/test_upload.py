"""Uploading files: what is accepted, what is refused and why, and that a refusal leaves nothing behind."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.billing import plans, quota
from app.extensions import db, settings
from app.jobs import run
from app.models import Batch, Job, OutboxMessage, Usage, User
from app.models.base import transaction, utcnow
from app.models.display_names import file_name
from app.models.usage import STORAGE
from tests.support import Browser, drum_loop, kick, uploaded_job


def files_kept() -> list[Path]:
    return [
        path
        for name in ("store", "tmp")
        for path in (settings().data_dir / name).rglob("*")
        if path.is_file()
    ]


def rows(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_a_file_becomes_a_stored_job_with_its_usage(as_owner: Browser, owner: User) -> None:
    content = kick()
    job = uploaded_job(as_owner, "Kick 01.WAV", content)
    assert (job.state, job.step, job.tier, job.format) == ("pending", "stored", "pro-tier", "WAV")
    assert (job.filename, job.size_bytes) == ("Kick 01.WAV", len(content))
    assert (settings().data_dir / "store" / str(job.incoming_key)).read_bytes() == content
    now = quota.plan_usage(owner)
    assert (now.uploads, now.storage_bytes) == (1, len(content))


def test_without_javascript_one_form_sends_many_files(as_owner: Browser) -> None:
    from io import BytesIO

    audio = [(BytesIO(kick()), "a.wav"), (BytesIO(b"%PDF-1.7 x"), "b.wav"), (BytesIO(kick()), "c.wav")]
    answer = as_owner.post("/upload", audio=audio)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/jobs")
    assert rows(Job) == 2
    assert "b.wav is not audio we can read (looks like PDF)" in as_owner.get("/jobs").text


def test_sending_no_file_asks_for_one(as_owner: Browser) -> None:
    as_owner.post("/upload")
    assert "Choose at least one audio file first." in as_owner.get("/upload").text
    assert rows(Batch) == 0


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("song.wav", b"%PDF-1.7\n%\xe2\xe3", "looks like PDF"),
        ("empty.wav", b"", "is empty (0 bytes)"),
        ("list.mp3", b"#EXTM3U\nhttp://example.com/a.mp3\n", "is not audio we can read"),
        ("photo.flac", b"\x89PNG\r\n\x1a\n" + bytes(64), "looks like a PNG image"),
    ],
)
def test_a_file_that_is_not_audio_is_refused_and_leaves_nothing(
    as_owner: Browser, owner: User, name: str, content: bytes, sentence: str
) -> None:
    answer = as_owner.upload((name, content))
    assert answer.status_code == 422
    assert sentence in answer.get_json()["error"]
    assert rows(Job) == rows(Usage) == 0
    assert files_kept() == []


def test_a_file_is_accepted_for_what_it_holds(as_owner: Browser) -> None:
    """Junk before an MP3, a tag before a WAV and a phone's brand are accepted, and a video is refused."""
    frames = (b"\xff\xfb\x90\x00" + bytes(413)) * 8
    tracks = {kind: mp4_with_track(kind) for kind in (b"soun", b"vide")}
    for name, content in {
        "junk.mp3": b"\x12junk" * 40 + frames,
        "tagged.wav": b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + kick(),
        "voice.m4a": tracks[b"soun"].replace(b"M4A ", b"3gp4"),
        "sound.mov": tracks[b"soun"].replace(b"M4A ", b"qt  "),
    }.items():
        assert as_owner.upload((name, content)).status_code == 201, name
    for brand in (b"M4A ", b"mp42", b"qt  ", b"3gp4"):
        refused = as_owner.upload(("film.mov", tracks[b"vide"].replace(b"M4A ", brand)))
        assert refused.status_code == 422
        assert "looks like a video" in refused.get_json()["error"]


def mp4_with_track(handler: bytes) -> bytes:
    """Return an MP4 with an index of one empty track behind 100 kB of media data."""

    def atom(kind: bytes, body: bytes) -> bytes:
        return (8 + len(body)).to_bytes(4, "big") + kind + body

    handled = atom(b"hdlr", bytes(8) + handler + bytes(13))
    index = atom(b"moov", atom(b"trak", atom(b"mdia", handled)))
    return atom(b"ftyp", b"M4A \0\0\0\0") + atom(b"mdat", bytes(100_000)) + index


def test_a_file_over_the_plans_size_is_refused(as_freeloader: Browser) -> None:
    answer = as_freeloader.upload(("big.wav", kick() + bytes(10 * plans.MB)))
    assert answer.status_code == 422
    assert "larger than 10 MB, the largest file your plan allows" in answer.get_json()["error"]
    assert files_kept() == []


def test_a_file_that_just_fits_the_plan_is_accepted(as_freeloader: Browser, freeloader: User) -> None:
    with transaction():
        left = quota.plan_usage(freeloader).storage_left_bytes - len(kick())
        quota.add_usage(freeloader.id, STORAGE, "earlier", left)
    assert as_freeloader.upload(("kick.wav", kick())).status_code == 201
    answer = as_freeloader.upload(("kick.wav", kick()))
    assert (answer.status_code, "Not enough storage" in answer.get_json()["error"]) == (422, True)


def test_the_last_free_upload_of_the_day_is_the_last(as_freeloader: Browser, freeloader: User) -> None:
    for number in range(10):
        assert as_freeloader.upload((f"{number}.wav", kick())).status_code == 201
    answer = as_freeloader.upload(("11.wav", kick()))
    assert answer.status_code == 422
    assert "You have used all 10 uploads for today. Wait until" in answer.get_json()["error"]
    assert quota.plan_usage(freeloader).uploads == 10


def test_changing_the_time_zone_gives_no_new_uploads(as_freeloader: Browser, freeloader: User) -> None:
    for number in range(10):
        as_freeloader.upload((f"{number}.wav", kick()))
    with transaction() as session:
        session.execute(update(Usage).values(effective_at=utcnow() - timedelta(hours=20)))
    for zone in ("Pacific/Kiritimati", "Pacific/Niue", "Asia/Tokyo", "America/New_York", "UTC"):
        as_freeloader.post("/settings", key_notation="musical", timezone=zone)
        assert freeloader.timezone == zone
        assert as_freeloader.upload(("more.wav", kick())).status_code == 422, zone


def test_a_name_full_of_accents_is_shortened_quickly(as_owner: Browser) -> None:
    job = uploaded_job(as_owner, "a" + "\u0300\u0327" * 100_000 + ".wav", kick())
    assert len(job.filename) <= 200


def test_a_full_library_refuses_and_says_what_to_do(as_freeloader: Browser, freeloader: User) -> None:
    with transaction() as session:
        session.add(
            Usage(user_id=freeloader.id, kind="storage", entry_key="filled", quantity=100 * plans.MB - 1000)
        )
    answer = as_freeloader.upload(("kick.wav", kick()))
    assert answer.status_code == 422
    assert "Delete 0.1 MB of samples you no longer need, or upgrade to Pro." in answer.get_json()["error"]
    assert files_kept() == []


class TestFirstFiles:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return environ | {"FREE_IMMEDIATE_FILES": "2"}

    def test_only_the_first_files_of_a_free_account_start_at_once(
        self, as_freeloader: Browser, freeloader: User
    ) -> None:
        waits = list[float]()
        for left in ("Your next 2 files are analysed right away", "Your next file is", "is analysed on"):
            assert left in as_freeloader.get("/upload").text
            job = uploaded_job(as_freeloader, f"{len(waits)}.wav", drum_loop(90 + len(waits)))
            waits.append(round((job.run_at - job.created_at).total_seconds(), -1))
        assert waits == [0, 0, 43200]
        due = (utcnow() + timedelta(hours=12)).astimezone(ZoneInfo(freeloader.timezone))
        assert f"a file uploaded now is analysed on {due:%-d %b, %H:}" in as_freeloader.get("/upload").text
        assert "First 2 files right away, later ones after 12 hours" in as_freeloader.get("/billing").text


def test_a_free_upload_starts_after_the_delay_and_says_when(as_freeloader: Browser) -> None:
    job = uploaded_job(as_freeloader, "kick.wav", kick())
    assert job.tier == "free-tier"
    assert abs((job.run_at - job.created_at).total_seconds() - 43200) < 5
    assert "On the Free plan, uploads wait: this one starts on " in as_freeloader.get("/upload").text


def test_duplicates_are_found_before_they_are_sent(as_owner: Browser, as_stranger: Browser) -> None:
    from tests.support import finished_job

    job = finished_job(as_owner, "kick.wav", kick())
    answer = as_owner.get(f"/upload/known/{job.content_sha256}")
    assert answer.json == {"known": True, "name": "kick", "url": f"/samples/{job.id}"}
    unknown = as_stranger.get(f"/upload/known/{job.content_sha256}")
    assert (unknown.status_code, unknown.json) == (200, {"known": False})


def test_another_users_batch_is_never_joined(as_owner: Browser, as_stranger: Browser) -> None:
    batch = "2b0d7b3d-7f6c-4a44-9a0e-0d8a2b9f4a10"
    as_owner.upload(("a.wav", kick()), batch=batch, batch_files=2)
    as_stranger.upload(("b.wav", kick()), batch=batch, batch_files=2)
    jobs = db.session.scalars(select(Job)).all()
    assert len({job.batch_id for job in jobs}) == 2
    assert all(job.batch.user_id == job.user_id for job in jobs)


def test_the_mail_does_not_wait_for_a_skipped_file(as_owner: Browser) -> None:
    batch = {"batch": "2b0d7b3d-7f6c-4a44-9a0e-0d8a2b9f4a10", "batch_files": 2}
    assert as_owner.post("/upload/skipped", **batch).status_code == 204
    as_owner.upload(("kick.wav", kick()), **batch)
    run.run_next()
    assert rows(Batch) == 1
    assert rows(OutboxMessage) == 1


def test_without_a_store_the_page_sends_files_through_the_app(as_owner: Browser) -> None:
    assert "data-links" not in as_owner.get("/upload").text
    answer = as_owner.post("/upload/links", filename="kick.wav", size_bytes=1000)
    assert answer.status_code == 404


def test_other_pages_refuse_large_requests(app: Flask) -> None:
    answer = Browser(app).post("/sign-in", email="x" * 3_000_000, password="y")
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("C:\\Users\\me\\Loop 93.wav", "Loop 93.wav"),
        ("../../etc/passwd", "passwd"),
        ("a\u202egnp.wav", "agnp.wav"),
        ("line\r\nbreak.wav", "linebreak.wav"),
        ("ド ラム.wav", "ド ラム.wav"),
        ("e\u0301.wav", "\u00e9.wav"),
        ("\u200b", "untitled"),
        (None, "untitled"),
        ("x" * 500 + ".wav", "x" * 200),
    ],
)
def test_names_are_kept_readable_and_harmless(raw: str | None, shown: str) -> None:
    assert file_name(raw) == shown


def test_a_batch_of_refused_files_sends_no_mail(as_owner: Browser) -> None:
    as_owner.upload(("a.wav", b"%PDF"))
    assert rows(OutboxMessage) == 0
