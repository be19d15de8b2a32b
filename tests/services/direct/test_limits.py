"""Check the limits of upload links, refusals after arrival, and the clean-up."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.audio.decoding.format_sniffer import WAV
from app.billing import plans, quota
from app.extensions import db, settings
from app.integrations.storage import S3Store
from app.jobs import cleanup
from app.models import Batch, DirectUpload, Job, Usage, User
from app.models.base import transaction, utcnow
from app.models.direct_upload import MAX_UPLOAD_TIME
from app.upload import direct_uploads, intake
from app.upload.intake import UploadOptions, UploadRefusedError
from tests.services.direct.links import complete, keys, link, put, rows, send
from tests.services.store_proxy import StoreProxy
from tests.support import ApiScript, Browser, kick

pytestmark = pytest.mark.services
PDF = b"%PDF-1.7 nothing"
TICK = timedelta(microseconds=1)


def announce(user: User) -> DirectUpload:
    """Return an upload, not yet stored, that takes all the room of the Free plan."""
    batch_id = intake.open_batch(user, None, 1)
    return DirectUpload(user_id=user.id, batch_id=batch_id, filename="a.wav", size_bytes=100 * plans.MB)


def test_a_link_accepts_only_the_announced_file(script: ApiScript, gate: StoreProxy) -> None:
    content = kick()
    told = link(script, content)
    assert send(told, content + b"x") == 403
    assert send(told, content[:-1]) == 403
    assert send(told, content, **{"Content-Type": "text/html"}) == 403
    elsewhere = told | {"url": told["url"].replace("/arrived", "/other")}
    assert send(elsewhere, content) == 403
    assert send(told | {"url": told["url"].split("?")[0]}, content) == 403
    gate.later = timedelta(minutes=15, seconds=5)
    assert send(told, content) == 403
    gate.later = timedelta(minutes=14)
    assert send(told, content) == 200


@pytest.mark.parametrize(
    ("came", "sentence"),
    [
        (PDF, "is not audio we can read (looks like PDF)"),
        (b"", "is empty (0 bytes)"),
        (kick() + b"more", "bytes instead of"),
    ],
)
def test_a_refused_file_is_deleted_and_the_reason_given(
    script: ApiScript, owner: User, came: bytes, sentence: str
) -> None:
    told = link(script, PDF if came == PDF else kick())
    put(db.session.scalars(select(DirectUpload)).one().arrival_key, came)
    for _ in range(2):
        answer = complete(script, told)
        assert answer.status_code == 422
        assert sentence in answer.get_json()["detail"]
    assert (rows(Job), rows(Usage), keys(owner)) == (0, 0, [])
    assert db.session.scalars(select(Batch)).one().refused == 1


def test_plan_limits_hold_before_and_after_sending(app: Flask, freeloader: User) -> None:
    script = ApiScript(app, freeloader)
    big = {"filename": "big.wav", "size_bytes": 10 * plans.MB + 1}
    answer = script.call("POST", "/api/uploads", json=big)
    assert "larger than 10 MB, the largest file your plan allows" in answer.get_json()["detail"]
    told = link(script, kick())
    with transaction() as session:
        session.add(
            Usage(user_id=freeloader.id, kind="storage", entry_key="filled", quantity=100 * plans.MB - 100)
        )
    send(told, kick())
    assert "of samples you no longer need" in complete(script, told).get_json()["detail"]
    assert keys(freeloader) == []
    answer = script.call("POST", "/api/uploads", json={"filename": "a.wav", "size_bytes": 1000})
    assert "of samples you no longer need" in answer.get_json()["detail"]


def test_open_links_count_as_used_storage(app: Flask, freeloader: User) -> None:
    script = ApiScript(app, freeloader)
    file = {"filename": "a.wav", "size_bytes": 10 * plans.MB}
    codes = [script.call("POST", "/api/uploads", json=file).status_code for _ in range(11)]
    assert codes == [201] * 10 + [422]
    with transaction() as session:
        session.execute(update(DirectUpload).values(created_at=utcnow() - timedelta(minutes=16)))
    assert script.call("POST", "/api/uploads", json=file).status_code == 201


def test_a_link_may_use_the_plan_to_its_last_byte(app: Flask, freeloader: User, stranger: User) -> None:
    """Links that are refused, too old or of somebody else take no room."""
    link(ApiScript(app, stranger), kick())
    script = ApiScript(app, freeloader)
    file = {"filename": "a.wav", "size_bytes": 1000}
    for changed in ({"refusal": "No."}, {"created_at": utcnow() - timedelta(minutes=15, seconds=1)}):
        upload_id = script.call("POST", "/api/uploads", json=file).get_json()["upload_id"]
        with transaction():
            for name, value in changed.items():
                setattr(db.session.get_one(DirectUpload, upload_id), name, value)
    with transaction() as session:
        left = 100 * plans.MB - 2000
        session.add(Usage(user_id=freeloader.id, kind="storage", entry_key="filled", quantity=left))
    before = utcnow()
    codes = [script.call("POST", "/api/uploads", json=file).status_code for _ in range(3)]
    assert codes == [201, 201, 422]
    with transaction() as session:
        session.execute(update(DirectUpload).values(refusal="No."))
    more = script.call("POST", "/api/uploads", json=file | {"size_bytes": 2001})
    assert more.status_code == 422
    told = script.call("POST", "/api/uploads", json=file | {"size_bytes": 2000}).get_json()
    expires_at = datetime.fromisoformat(told["expires_at"])
    assert before + timedelta(minutes=15) <= expires_at <= utcnow() + timedelta(minutes=15)
    batch_id = intake.open_batch(freeloader, None, 1)
    with pytest.raises(UploadRefusedError, match="is empty"):
        direct_uploads.create_link(freeloader, "a.wav", 0, batch_id, UploadOptions())
    assert rows(DirectUpload) == 6
    assert db.session.scalars(select(Batch.refused).where(Batch.user_id == freeloader.id)).all().count(1) == 3


def test_links_and_uploads_end_at_their_time(
    app: Flask, freeloader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open link takes room for 15 minutes; the row and the file are there for three hours."""
    now, lifetime = utcnow(), timedelta(minutes=15)
    ages = (lifetime - TICK, lifetime, MAX_UPLOAD_TIME, MAX_UPLOAD_TIME + TICK)
    young, link_over, old, too_old = (announce(freeloader) for _ in ages)
    monkeypatch.setattr(direct_uploads, "utcnow", lambda: now)
    with transaction() as session:
        for upload, age in zip((young, link_over, old, too_old), ages, strict=True):
            upload.created_at = now - age
            session.add(upload)
    batch_id = intake.open_batch(freeloader, None, 2)
    with pytest.raises(UploadRefusedError, match="of samples you no longer need"):
        direct_uploads.create_link(freeloader, "b.wav", 1, batch_id, UploadOptions())
    with transaction() as session:
        session.delete(young)
    assert direct_uploads.create_link(freeloader, "b.wav", 1, batch_id, UploadOptions()).expires_at == (
        now + lifetime
    )
    direct_uploads.purge_abandoned()
    left = set(db.session.scalars(select(DirectUpload.id).where(DirectUpload.filename == "a.wav")))
    assert left == {link_over.id, old.id}


def test_links_that_are_asked_for_at_once_count_one_another(
    app: Flask, freeloader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another request takes the room while this one waits for the lock of the account."""
    other, lock = announce(freeloader), quota.lock_account
    batch_id = intake.open_batch(freeloader, None, 1)

    def lock_late(user_id: str) -> bool:
        db.session.add(other)
        return lock(user_id)

    monkeypatch.setattr(quota, "lock_account", lock_late)
    with pytest.raises(UploadRefusedError, match="of samples you no longer need"):
        direct_uploads.create_link(freeloader, "b.wav", 1, batch_id, UploadOptions())


def test_a_job_that_is_inserted_meanwhile_is_the_answer(
    script: ApiScript, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another request inserts it while this one waits for the lock; the copy of this one is deleted."""
    told, lock = link(script, kick()), quota.lock_account
    send(told, kick())
    upload = db.session.scalars(select(DirectUpload)).one()
    arrival_key, received = upload.arrival_key, intake.ReceivedFile(upload.size_bytes, WAV)
    options = UploadOptions(job_id=upload.id)
    faster = intake.build_job(owner.id, plans.PLANS["pro"], received, "Kick", upload.batch_id, options)

    def lock_late(user_id: str) -> bool:
        db.session.add(faster)
        return lock(user_id)

    monkeypatch.setattr(quota, "lock_account", lock_late)
    assert direct_uploads.complete_upload(owner, told["upload_id"]) is faster
    assert (rows(Job), rows(Usage), keys(owner)) == (1, 0, [arrival_key])


@pytest.mark.parametrize(("too_much", "is_accepted"), [(0, True), (1, False)])
def test_a_file_that_arrived_is_held_to_the_plan_of_today(
    script: ApiScript, owner: User, monkeypatch: pytest.MonkeyPatch, too_much: int, is_accepted: bool
) -> None:
    """No transaction is open while the store is asked."""
    content = kick()
    told = link(script, content)
    send(told, content)
    smaller = replace(plans.PLANS["pro"], max_file_bytes=len(content) - too_much)
    monkeypatch.setitem(plans.PLANS, "pro", smaller)
    find, copy = S3Store.find_object, S3Store.copy_unchanged

    def watched(ask: Any) -> Any:
        def asked(*values: Any) -> Any:
            assert not db.session().in_transaction()
            return ask(*values)

        return asked

    monkeypatch.setattr(S3Store, "find_object", watched(find))
    monkeypatch.setattr(S3Store, "copy_unchanged", watched(copy))
    upload_id = told["upload_id"]
    if is_accepted:
        assert direct_uploads.complete_upload(owner, upload_id).id == upload_id
    else:
        with pytest.raises(UploadRefusedError, match="larger than 0 MB"):
            direct_uploads.complete_upload(owner, upload_id)
    assert len(keys(owner)) == is_accepted


def test_files_on_disk_take_no_direct_uploads(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    on_disk = settings().model_copy(update={"s3_bucket": None})
    monkeypatch.setattr(direct_uploads, "settings", lambda: on_disk)
    with pytest.raises(direct_uploads.NoBucketError):
        direct_uploads._require_bucket()


def test_only_the_owner_can_complete_an_upload(
    app: Flask, script: ApiScript, stranger: User, as_stranger: Browser
) -> None:
    told = link(script, kick())
    send(told, kick())
    assert complete(ApiScript(app, stranger), told).status_code == 404
    assert as_stranger.post(f"/upload/links/{told['upload_id']}/job").status_code == 404
    assert complete(script, told).status_code == 202
    assert complete(ApiScript(app, stranger), told).status_code == 404


def test_abandoned_uploads_are_purged(script: ApiScript, owner: User) -> None:
    told = link(script, kick())
    send(told, kick())
    direct_uploads.purge_abandoned()
    assert len(keys(owner)) == 1
    with transaction() as session:
        session.execute(update(DirectUpload).values(created_at=utcnow() - timedelta(hours=4)))
    direct_uploads.purge_abandoned()
    assert (keys(owner), rows(DirectUpload)) == ([], 0)
    assert complete(script, told).status_code == 404


def test_a_file_sent_by_a_late_link_is_deleted_as_an_orphan(
    script: ApiScript, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = link(script, kick())
    send(told, kick())
    complete(script, told)
    send(told, kick())
    monkeypatch.setattr(cleanup, "MIN_OBJECT_AGE", -timedelta(minutes=1))
    cleanup.remove_orphans()
    assert keys(owner) == [db.session.scalars(select(Job.incoming_key)).one()]
