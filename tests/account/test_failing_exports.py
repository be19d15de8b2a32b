"""Exports when files are missing, the store or the disk fails, and workers die."""

from __future__ import annotations

import json
import logging
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.account import data_export, export_archive, kept_archives
from app.account.data_export import MAX_TRIES
from app.extensions import db, settings
from app.integrations.storage import ObjectMissingError, StorageError, open_store
from app.jobs import cleanup
from app.models import DataExport, Sample, User
from app.models.base import transaction, utcnow
from tests.account.full_account import FullAccount, environment, put_object
from tests.account.test_data_export import a_day_later, age, archive_of, failing, in_store, make
from tests.account.traces import store_files, temporary_files
from tests.auth.sent_mails import mails, text_of
from tests.fake_stripe.server import FakeStripe
from tests.support import PASSWORD, Browser, finished_job, kick


@pytest.fixture
def environ(tmp_path: Path, stripe: FakeStripe) -> dict[str, str]:
    return environment(tmp_path / "instance", stripe)


def test_a_missing_file_is_listed(full: FullAccount) -> None:
    sample = db.session.get_one(Sample, full.sample_id)
    open_store(settings()).delete(sample.original_key)
    a_day_later()
    full.browser.post("/settings/exports")
    archive = archive_of(make())
    (missing,) = json.loads(archive.read("missing.json"))
    assert missing == {
        "file": f"samples/{sample.id}.wav", "name": "Dusty kick.wav", "reason": "not found in our storage",
    }  # fmt: skip
    assert missing["file"] not in archive.namelist()
    assert "Dusty kick.wav: not found" in archive.read("README.txt").decode()


@pytest.mark.parametrize("broken", ["fetch", "put", "older_than"])
def test_a_store_that_is_down_is_tried_again(
    as_owner: Browser, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    finished_job(as_owner, "kick.wav", kick())
    as_owner.post("/settings/exports")
    with monkeypatch.context() as patch:
        patch.setattr(*in_store(broken), failing(StorageError("away")))
        for tries in (1, 2):
            export = make()
            assert export is not None
            assert (export.ready_at, export.tries) == (None, tries)
            assert not data_export.has_due_exports()
            assert "We'll keep trying" in as_owner.get("/settings/data").text or tries == 1
            age(next_try_at=utcnow())
    export = make()
    assert export is not None
    assert export.ready_at is not None
    assert temporary_files() == []


def test_an_export_that_is_given_up_is_told_and_can_be_asked_for_again(
    as_owner: Browser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    as_owner.post("/settings/exports")
    with monkeypatch.context() as patch:
        patch.setattr(*in_store("put"), failing(StorageError("away")))
        for _ in range(MAX_TRIES):
            make()
            age(next_try_at=utcnow())
    (mail,) = mails()
    assert mail["Subject"] == "Your data could not be exported"
    assert "storage could not be reached" in text_of(mail)
    assert [record for record in caplog.records if record.levelno == logging.ERROR]
    page = as_owner.get("/settings/data").text
    assert "failed" in page
    assert "Export my data" in page
    assert not data_export.has_due_exports()
    as_owner.post("/settings/exports")
    export = make()
    assert export is not None
    assert export.ready_at is not None


def test_one_file_that_can_not_be_read_does_not_stop_the_last_try(
    full: FullAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = type(open_store(settings())).fetch
    original = db.session.get_one(Sample, full.sample_id).original_key

    def fetch_some(store: Any, key: str, target: Any) -> None:
        if key == original:
            raise StorageError("a bad block")
        fetch(store, key, target)

    monkeypatch.setattr(*in_store("fetch"), fetch_some)
    a_day_later()
    full.browser.post("/settings/exports")
    for _ in range(MAX_TRIES - 1):
        make()
        age(next_try_at=utcnow())
    (missing,) = json.loads(archive_of(make()).read("missing.json"))
    assert missing["reason"] == "could not be read from our storage"


def test_a_full_disk_is_seen_before_the_zip_is_written(
    full: FullAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_day_later()
    full.browser.post("/settings/exports")
    size = db.session.scalar(sa.select(sa.func.sum(Sample.size_bytes)))
    assert size is not None
    with monkeypatch.context() as patch:
        usage = shutil.disk_usage("/")
        patch.setattr(shutil, "disk_usage", lambda _: usage._replace(total=1000, free=50 + size))
        patch.setattr(export_archive, "write_archive", failing(AssertionError("it was begun")))
        export = make()
        assert export is not None
        assert export.tries == 1
        for _ in range(MAX_TRIES - 1):
            age(next_try_at=utcnow())
            make()
    assert "our disk was full" in text_of(mails()[-1])


def test_a_killed_worker_leaves_no_file_and_another_one_goes_on(
    as_owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_owner.post("/settings/exports")
    export = db.session.scalars(sa.select(DataExport)).one()
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)  # a killed process cleans up nothing
        patch.setattr(*in_store("put"), failing(SystemExit()))
        with pytest.raises(SystemExit):
            data_export.make_due_exports()
    assert len(temporary_files()) == 1
    assert not data_export.has_due_exports()
    age(next_try_at=utcnow())
    make()
    assert temporary_files() == []
    assert db.session.get_one(DataExport, export.id).ready_at is not None


def test_an_export_that_kills_every_worker_is_given_up(as_owner: Browser) -> None:
    as_owner.post("/settings/exports")
    age(tries=MAX_TRIES, next_try_at=utcnow(), started_at=utcnow())
    export = make()
    assert export is not None
    assert export.failed_at is not None
    assert mails()[-1]["Subject"] == "Your data could not be exported"


def test_leftovers_are_removed_but_not_what_is_in_use(app: Flask) -> None:
    long_ago = utcnow().timestamp() - 2 * cleanup.MIN_FILE_AGE_S
    for name in ("export-dead", "export-alive"):
        folder = settings().data_dir / "tmp" / name
        folder.mkdir(parents=True)
        os.utime(folder, (long_ago, long_ago))
    export_archive.touch_work("exports/alive.zip")
    cleanup.remove_temporary_files()
    assert [path.name for path in temporary_files()] == ["export-alive"]


def test_a_zip_without_a_row_is_deleted_after_a_day(
    as_owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_owner.post("/settings/exports")
    export = make()
    assert export is not None
    put_object("exports/stray.zip", b"stray")
    kept_archives.purge_old_exports()
    assert "exports/stray.zip" in store_files()
    monkeypatch.setattr(kept_archives, "MIN_STRAY_AGE", timedelta(seconds=-2))
    kept_archives.purge_old_exports()
    assert [key for key in store_files() if key.endswith(".zip")] == [export.key]


def test_what_the_previous_version_made_can_still_be_downloaded(app: Flask, as_owner: Browser) -> None:
    as_owner.post("/settings/exports")
    export = make()
    assert export is not None
    with transaction():
        export.storage_key = None
    put_object(export.key, b"its zip")
    assert as_owner.get("/settings/exports/latest").status_code == 302
    kept_archives.purge_old_exports()
    assert export.key in store_files()
    with pytest.raises(ObjectMissingError):
        open_store(settings()).fetch("exports/none.zip", settings().data_dir / "x")


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (
            {"email": "other@example.com", "current": PASSWORD},
            "not the address of this account",
        ),
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


def test_stripe_that_is_away_delays_the_export(full: FullAccount, stripe: FakeStripe) -> None:
    a_day_later()
    full.browser.post("/settings/exports")
    stripe.world.is_away = True
    export = make()
    assert export is not None
    assert (export.ready_at, export.tries) == (None, 1)
    stripe.world.is_away = False
    age(next_try_at=utcnow())
    export = make()
    assert export is not None
    assert export.ready_at is not None
