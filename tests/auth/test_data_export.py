"""Exporting all data, and closing an account: first the ZIP is made, then everything is deleted."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest
from flask import Flask
from sqlalchemy import func, select, update

import tasks
from app.auth import accounts, data_export
from app.extensions import Base, db, settings
from app.integrations.storage import StorageError
from app.models import DataExport, Sample, User
from app.models.base import transaction, utcnow
from tests.auth.sent_mails import link_in, mails
from tests.support import PASSWORD, ApiScript, Browser, change_character, finished_job, kick, uploaded_job


def downloaded(app: Flask, link: str) -> ZipFile:
    client = app.test_client()
    found = client.get(link)
    assert found.status_code == 302
    return ZipFile(BytesIO(client.get(found.headers["Location"]).data))


def close(browser: Browser, owner: User) -> None:
    answer = browser.post("/settings/close", email=owner.email.upper(), current=PASSWORD)
    assert answer.status_code == 303, answer.text


def fail_to_store(*_: object) -> int:
    raise StorageError("away")


def rows_of(user_id: str) -> dict[str, int]:
    found = {}
    for name, table in Base.metadata.tables.items():
        if "user_id" in table.c:
            count = select(func.count()).select_from(table).where(table.c.user_id == user_id)
            found[name] = db.session.scalar(count) or 0
    return {name: count for name, count in found.items() if count}


def test_the_zip_holds_everything_except_secrets(app: Flask, as_owner: Browser, owner: User) -> None:
    sample_id = finished_job(as_owner, "Dusty kick.wav", kick()).id
    script = ApiScript(app, owner)
    assert as_owner.post("/settings/exports").status_code == 303
    tasks.make_exports.call_local()
    mail = next(mail for mail in mails() if mail["Subject"] == "Your data is ready")
    archive = downloaded(app, link_in(mail))
    assert archive.testzip() is None
    assert archive.read(f"samples/{sample_id}.wav") == kick()
    (sample,) = json.loads(archive.read("samples.json"))
    assert (sample["name"], sample["file"]) == ("Dusty kick", f"samples/{sample_id}.wav")
    everything = b"".join(archive.read(name) for name in archive.namelist() if name.endswith(".json"))
    assert owner.email.encode() in everything
    assert b"argon2" not in everything
    assert script.token.secret_sha256.encode() not in everything
    assert "ready" in as_owner.get("/settings/data").text


def test_requesting_an_export_twice_makes_one(as_owner: Browser) -> None:
    for _ in range(2):
        as_owner.post("/settings/exports")
    data_export.make_due_exports()
    data_export.make_due_exports()
    assert db.session.scalar(select(func.count()).select_from(DataExport)) == 1
    assert len(mails()) == 1


def test_an_interrupted_export_is_made_later(as_owner: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    as_owner.post("/settings/exports")
    with monkeypatch.context() as patch:
        patch.setattr("app.auth.data_export._store_archive", fail_to_store)
        with pytest.raises(StorageError):
            data_export.make_due_exports()
    assert not data_export.has_due_exports()
    with transaction() as session:
        session.execute(update(DataExport).values(started_at=utcnow() - timedelta(hours=2)))
    assert data_export.has_due_exports()
    data_export.make_due_exports()
    assert db.session.scalars(select(DataExport)).one().ready_at is not None


def test_a_closed_account_can_not_be_entered_and_leaves_nothing(
    app: Flask, as_owner: Browser, owner: User, as_stranger: Browser
) -> None:
    user_id, email = owner.id, owner.email
    theirs = finished_job(as_stranger, "theirs.wav", kick()).id
    finished_job(as_owner, "kick.wav", kick())
    uploaded_job(as_owner, "waiting.wav", kick())
    script, elsewhere = ApiScript(app, owner), Browser(app, owner)
    close(as_owner, owner)
    assert as_owner.get("/dashboard").status_code == elsewhere.get("/dashboard").status_code == 303
    assert script.get("/api/usage").status_code == 401
    assert accounts.authenticate(email, PASSWORD) is None
    data_export.make_due_exports()
    data_export.make_due_exports()
    assert rows_of(user_id) == {}
    assert db.session.get(User, user_id) is None
    left = [path for path in (settings().data_dir / "store").rglob("*") if user_id in str(path)]
    assert [path.suffix for path in left if path.is_file()] == [".zip"]
    assert db.session.get(Sample, theirs) is not None
    (mail,) = [mail for mail in mails() if mail["To"] == email and "deleted" in mail["Subject"]]
    assert len(downloaded(app, link_in(mail)).namelist()) == 8


def test_the_zip_and_its_link_expire_after_a_week(app: Flask, as_owner: Browser, owner: User) -> None:
    close(as_owner, owner)
    data_export.make_due_exports()
    link = link_in(mails()[-1])
    assert app.test_client().get(change_character(link, -5)).status_code == 404
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_export, "ARCHIVE_LIFETIME", timedelta(seconds=-2))
        data_export.purge_old_exports()
        assert app.test_client().get(link).status_code == 404
    assert list((settings().data_dir / "store").rglob("*.zip")) == []


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"email": "other@example.com", "current": PASSWORD}, "That is not the address of this account."),
        ({"email": "owner@example.com", "current": "guess"}, "That is not your current password."),
        ({"email": "", "current": PASSWORD}, "Enter your email address."),
    ],
)
def test_an_account_is_not_closed_by_mistake(
    as_owner: Browser, owner: User, form: dict[str, str], sentence: str
) -> None:
    answer = as_owner.post("/settings/close", **form)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert as_owner.get("/dashboard").status_code == 200
