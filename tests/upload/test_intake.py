"""One file on its way in: how it is measured, what its job keeps, and what is left when it is refused."""

from __future__ import annotations

import errno
import hashlib
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select

from app.audio.decoding.format_sniffer import HEAD_BYTES, M4A, WAV
from app.billing import quota
from app.billing.plans import PLANS
from app.collections import collection_rows
from app.collections.collection_rows import TooManyCollectionsError
from app.extensions import db, settings
from app.integrations.storage import DiskStore, StorageError
from app.models import Collection, Job, Usage, User
from app.models.base import transaction, utcnow
from app.models.sample_places import SamplePlace
from app.upload import intake, spool
from app.upload.intake import OverPlanError, UploadOptions, UploadRefusedError, UploadUnavailableError
from tests.search.test_text_conditions import shelve
from tests.support import kick
from tests.upload.test_batches import BATCH, batch_of
from tests.upload.test_upload import files_kept, mp4_with_track, rows

SMALL = replace(PLANS["free"], max_file_bytes=2000)


def sound(size_bytes: int) -> bytes:
    return kick()[:100].ljust(size_bytes, b"\1")


def accept(user: User, content: bytes = b"", **options: Any) -> Job:
    batch_id = intake.open_batch(user, BATCH, 3)
    stream = BytesIO(content or kick())
    return intake.accept_upload(user, stream, "Kick.wav", batch_id, UploadOptions(**options))


def test_a_duplicate_has_the_same_bytes_and_owner_and_is_not_in_the_trash(
    owner: User, stranger: User
) -> None:
    sample = shelve(owner, {"Kick": {}})["Kick"]
    with transaction():
        sample.content_sha256 = "a" * 64
    assert intake.find_duplicate(owner, "a" * 64) is sample
    assert intake.find_duplicate(owner, "b" * 64) is None
    assert intake.find_duplicate(stranger, "a" * 64) is None
    with transaction():
        sample.deleted_at = utcnow()
    assert intake.find_duplicate(owner, "a" * 64) is None


@pytest.mark.parametrize("size_bytes", [101, 1999, 2000])
def test_a_file_up_to_the_limit_is_measured_hashed_and_copied(
    size_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "BLOCK_BYTES", 700)
    content = sound(size_bytes)
    stream, copy = BytesIO(content), BytesIO()
    stream.seek(50)
    found = intake.examine(stream, "a.wav", SMALL, copy)
    assert (found.size_bytes, found.format) == (size_bytes, WAV)
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert copy.getvalue() == content
    assert intake.examine(stream, "a.wav", SMALL) == found


def test_a_file_above_the_limit_is_refused_before_it_is_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intake, "BLOCK_BYTES", 1000)
    for size_bytes, read in ((2001, 2001), (10_000, 3000)):
        stream = BytesIO(sound(size_bytes))
        with pytest.raises(
            OverPlanError, match="larger than 0 MB, the largest file your plan allows"
        ) as said:
            intake.examine(stream, "a.wav", SMALL)
        assert (said.value.limit, stream.tell()) == ("size", read)
        assert str(said.value).startswith("a.wav is larger than")


def test_a_video_is_refused_once_its_tracks_can_be_read() -> None:
    film, song = mp4_with_track(b"vide"), mp4_with_track(b"soun")
    assert intake.detect_format("a.m4a", film[:HEAD_BYTES]) is M4A
    assert intake.detect_format("a.m4a", song[:HEAD_BYTES], BytesIO(song)) is M4A
    assert intake.detect_format("a.wav", kick()[:HEAD_BYTES], BytesIO(film)) is WAV
    other = r"looks like a video\)\. WAV, AIFF, FLAC, MP3, M4A and OGG work\.$"
    with pytest.raises(UploadRefusedError, match=other):
        intake.detect_format("a.m4a", film[:HEAD_BYTES], BytesIO(film))
    with pytest.raises(UploadRefusedError, match=other):
        intake.examine(BytesIO(film), "a.m4a", PLANS["pro"])
    assert intake.examine(BytesIO(song), "a.m4a", PLANS["pro"], BytesIO()).format is M4A
    with pytest.raises(UploadRefusedError, match=r"looks like a ZIP archive\)\. ZIPs are unpacked on the"):
        intake.detect_format("a.zip", b"PK\x03\x04" + bytes(60))


def test_what_was_chosen_is_kept_with_the_job(owner: User) -> None:
    job = accept(owner)
    assert (job.export_sp404, job.ai_analysis, job.results.get("vibe"), job.choices) == (
        True,
        True,
        None,
        None,
    )
    assert (job.purpose, job.filename, job.format, job.batch_id) == ("upload", "Kick.wav", "WAV", BATCH)
    assert job.incoming_key == f"incoming/{owner.id}/{job.id}.wav"
    place = SamplePlace("Pack", "Drums")
    plain = accept(owner, export_sp404=False, ai_analysis=False, place=place)
    assert (plain.export_sp404, plain.ai_analysis, plain.results["vibe"]) == (False, False, {})
    collection = db.session.scalars(select(Collection)).one()
    assert plain.choices == {"collection_id": collection.id, "folder": "Drums"}
    sent = intake.accept_upload(owner, BytesIO(kick()), None, BATCH)
    assert (sent.filename, sent.export_sp404, sent.ai_analysis) == ("untitled", True, True)


def test_no_transaction_is_open_while_a_file_is_read_and_stored(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[bytes] = []

    class Watched(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert not db.session().in_transaction()
            return super().read(size)

    def put(_: DiskStore, key: str, path: Path, mime: str) -> None:
        assert not db.session().in_transaction()
        assert mime == "audio/wav"
        stored.append(path.read_bytes())

    batch_id = intake.open_batch(owner, BATCH, 1)
    monkeypatch.setattr(DiskStore, "put", put)
    intake.accept_upload(owner, Watched(kick()), "a.wav", batch_id)
    room = spool.reserve_room(len(kick()))
    received = spool.SpooledFile(room)
    received.write(kick())  # not flushed yet
    intake.accept_upload(owner, cast(Any, received), "a.wav", batch_id)
    assert stored == [kick(), kick()]
    received.close()
    room.release()
    assert files_kept() == []


@pytest.mark.parametrize(
    ("cause", "raised", "sentence"),
    [
        (OSError(errno.ENOSPC, "full"), spool.DiskFullError, "nearly full"),
        (OSError(errno.EIO, "broken"), UploadUnavailableError, r"Kick\.wav could not be stored right now\."),
        (None, UploadUnavailableError, r"Try again in a minute\."),
    ],
)
def test_a_store_that_fails_is_told_and_charges_nothing(
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    cause: OSError | None,
    raised: type[Exception],
    sentence: str,
) -> None:
    def fail(*_: object) -> None:
        raise StorageError("no answer") from cause

    monkeypatch.setattr(DiskStore, "put", fail)
    with pytest.raises(raised, match=sentence):
        accept(owner)
    assert (rows(Job), rows(Usage), files_kept()) == (0, 0, [])
    assert batch_of(owner, 1, BATCH).refused == 0, "it can be sent again"


def test_a_file_whose_job_is_refused_at_last_is_removed_again(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_many(*_: object) -> None:
        raise TooManyCollectionsError

    with monkeypatch.context() as patched:
        patched.setattr(collection_rows, "choose_place", too_many)
        with pytest.raises(UploadRefusedError, match="Delete one first"):
            accept(owner)
    assert (rows(Job), rows(Usage), files_kept()) == (0, 0, [])
    assert batch_of(owner, 1, BATCH).refused == 1
    full(owner)
    monkeypatch.setattr(intake, "check_quota_early", lambda *_, **__: None)  # filled since then
    with pytest.raises(OverPlanError) as refusal:
        accept(owner)
    assert refusal.value.limit == "storage"
    assert (rows(Job), files_kept()) == (0, [])


def test_a_full_disk_or_plan_refuses_before_the_file_is_read(
    owner: User, freeloader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unread(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise AssertionError("it was read")

    full(freeloader)
    batch_id = intake.open_batch(freeloader, None, 1)
    with pytest.raises(OverPlanError, match="no longer need") as refusal:
        intake.accept_upload(freeloader, Unread(kick()), "a.wav", batch_id)
    assert refusal.value.limit == "storage"
    assert batch_of(freeloader, 1, batch_id).refused == 1
    monkeypatch.setattr(spool, "MIN_FREE_DISK_SHARE", 2.0)
    with pytest.raises(spool.DiskFullError):
        intake.accept_upload(owner, Unread(kick()), "a.wav", intake.open_batch(owner, None, 1))


def full(user: User) -> None:
    """Fill the plan of an account to its last byte."""
    now = quota.plan_usage(user)
    left = now.plan.storage_bytes - now.storage_bytes
    with transaction() as session:
        session.add(Usage(user_id=user.id, kind="storage", entry_key=f"filled:{user.id}", quantity=left))


@pytest.mark.parametrize(
    ("first_files", "uploaded", "due_in_s", "starts_at_once"),
    [(0, 0, 900, False), (1, 0, 900, True), (1, 1, 900, False), (2, 1, 900, True), (1, 0, -900, False)],
)
def test_the_first_files_of_an_account_start_at_once(
    freeloader: User,
    monkeypatch: pytest.MonkeyPatch,
    first_files: int,
    uploaded: int,
    due_in_s: int,
    starts_at_once: bool,
) -> None:
    """A job that is due already keeps its place in line."""
    config = settings().model_copy(update={"free_immediate_files": first_files})
    monkeypatch.setattr(quota, "settings", lambda: config)
    batch, other = batch_of(freeloader, 3), batch_of(freeloader, 3)
    due, long_ago = utcnow() + timedelta(seconds=due_in_s), utcnow() - timedelta(hours=1)
    with transaction() as session:
        for each in (batch, other):
            each.settled_at = each.touched_at = long_ago
        for number in range(uploaded):
            session.add(Usage(user_id=freeloader.id, kind="upload", entry_key=f"u{number}", quantity=1))
    received = intake.ReceivedFile(100, WAV, "")
    job = intake.build_job(freeloader.id, PLANS["free"], received, "a.wav", batch.id, UploadOptions())
    job.run_at = due
    locked: list[str] = []
    lock, left = quota.lock_account, quota.immediate_files_left

    def note_lock(user_id: str) -> bool:
        locked.append(user_id)
        return lock(user_id)

    def count_left(user: User) -> int:
        assert locked == [user.id], "two files at a time would both be the first"
        return left(user)

    monkeypatch.setattr(quota, "lock_account", note_lock)
    monkeypatch.setattr(quota, "immediate_files_left", count_left)
    before = utcnow()
    with transaction():
        intake.insert_charged_job(freeloader, job)
    assert (before <= job.run_at <= utcnow()) is starts_at_once
    assert (job.run_at == due) is not starts_at_once
    assert batch.settled_at is None
    assert batch.touched_at >= before
    assert (other.settled_at, other.touched_at) == (long_ago, long_ago)
