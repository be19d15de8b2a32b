"""Exporting all data: what is in the ZIP, how often it is made, and what happens when the store fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import sqlalchemy as sa
from flask import Flask

import tasks
from app.account import account_rows, data_export, kept_archives
from app.account.data_export import ExportTooSoonError
from app.extensions import Base, db, settings
from app.integrations.storage import StorageError, open_store
from app.models import DataExport, Sample, Usage, User
from app.models.base import transaction, utcnow
from app.models.usage import ARCHIVE
from tests.account.full_account import FullAccount, environment, put_object
from tests.account.rows_of_account import own_rows
from tests.account.traces import store_files
from tests.auth.sent_mails import link_in, mails
from tests.fake_stripe.server import FakeStripe
from tests.search.test_text_conditions import shelve
from tests.support import ApiScript, Browser, change_character, finished_job, kick

# Names of columns that could hold something secret, and those that do not.
SUSPICIOUS = ("secret", "hash", "token", "password", "recovery", "fingerprint", "sha256", "epoch")
HARMLESS = {
    ("samples", "content_sha256"),  # of the user's own file
    ("processing_jobs", "content_sha256"),
    ("kit_pads", "content_sha256"),
    ("ai_calls", "prompt_tokens"),  # counts
    ("ai_calls", "completion_tokens"),
}


@pytest.fixture
def environ(tmp_path: Path, stripe: FakeStripe) -> dict[str, str]:
    return environment(tmp_path / "instance", stripe)


def make() -> DataExport | None:
    data_export.make_due_exports()
    db.session.expire_all()
    return db.session.scalars(sa.select(DataExport).order_by(DataExport.id.desc())).first()


def age(**values: Any) -> None:
    with transaction() as session:
        session.execute(sa.update(DataExport).values(**values))


def a_day_later() -> None:
    age(created_at=utcnow() - timedelta(days=1, minutes=1))


def archive_of(export: DataExport | None) -> ZipFile:
    assert export is not None
    return ZipFile(BytesIO(store_files()[export.key]))


def downloaded(app: Flask, link: str) -> ZipFile:
    client = app.test_client()
    found = client.get(link)
    assert found.status_code == 302
    return ZipFile(BytesIO(client.get(found.headers["Location"]).data))


def failing(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


def in_store(name: str) -> tuple[Any, str]:
    return type(open_store(settings())), name


def test_the_zip_has_every_row_of_every_table_or_says_why_not(app: Flask, full: FullAccount) -> None:
    a_day_later()
    full.browser.post("/settings/exports")
    rows = own_rows(full.user_id)
    archive = archive_of(make())
    known = {table.name for table in account_rows.exported_tables().values()}
    assert known | account_rows.NOT_EXPORTED.keys() == set(Base.metadata.tables)
    assert known & account_rows.NOT_EXPORTED.keys() == set()
    for name, table in account_rows.exported_tables().items():
        found = json.loads(archive.read(name))
        assert found, f"the account has no row in {table.name}, so this test shows nothing"
        hidden = account_rows.HIDDEN_COLUMNS.get(table.name, set())
        assert set(found[0]) - {"file"} == {column.name for column in table.c} - hidden
        primary = [column.name for column in table.primary_key.columns if column.name not in hidden]
        expected = {tuple(str(row[column]) for column in primary) for row in rows.get(table.name, [])}
        assert {tuple(str(row[column]) for column in primary) for row in found} >= expected, name


def test_the_zip_has_no_secret(app: Flask, full: FullAccount) -> None:
    for table in account_rows.exported_tables().values():
        hidden = account_rows.HIDDEN_COLUMNS.get(table.name, set())
        for column in table.c:
            is_suspicious = any(word in column.name for word in SUSPICIOUS)
            assert not is_suspicious or column.name in hidden or (table.name, column.name) in HARMLESS
    a_day_later()
    full.browser.post("/settings/exports")
    archive = archive_of(make())
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode("latin-1")
    of_files = {row["content_sha256"] for row in json.loads(archive.read("jobs.json"))}
    assert len(full.secrets - of_files) >= 8
    assert {secret for secret in full.secrets - of_files if secret in everything} == set()


def test_the_zip_has_the_files_and_what_stripe_knows(app: Flask, full: FullAccount) -> None:
    a_day_later()
    full.browser.post("/settings/exports")
    archive = archive_of(make())
    assert archive.testzip() is None
    samples = json.loads(archive.read("samples.json"))
    original = next(sample for sample in samples if sample["id"] == full.sample_id)
    assert archive.read(original["file"]) == kick()
    assert len([name for name in archive.namelist() if name.startswith("unprocessed/")]) == 5
    [kept] = [name for name in archive.namelist() if name.startswith("projects/")]
    assert "project/PADCONF.BIN" in ZipFile(BytesIO(archive.read(kept))).namelist()
    (billing,) = json.loads(archive.read("billing.json"))
    assert billing["address"]["city"] == "Graz"
    assert json.loads(archive.read("account.json"))[0]["email"] == full.email
    assert json.loads(archive.read("missing.json")) == []
    assert "operator" not in json.dumps(json.loads(archive.read("operator_actions.json")))
    readme = archive.read("README.txt").decode()
    assert "sessions.json: " in readme


def test_a_long_table_is_read_page_by_page(as_owner: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    finished_job(as_owner, "kick.wav", kick())
    tags = "a, b, c, d, e, f, g"
    sample = db.session.scalars(sa.select(Sample)).one()
    as_owner.post(f"/library/{sample.id}", name="x", tags=tags)
    with transaction():
        sample.retag(tags.split(", "))
    monkeypatch.setattr(account_rows, "PAGE_ROWS", 3)
    as_owner.post("/settings/exports")
    found = json.loads(archive_of(make()).read("tags.json"))
    assert [row["name"] for row in found] == list("abcdefg")


def test_every_file_is_in_the_zip_of_a_library_of_several_pages(
    as_owner: Browser, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = shelve(owner, {f"Sound {number}": {} for number in range(5)}).values()
    for sample in made:
        put_object(sample.original_key, sample.name.encode())
    monkeypatch.setattr(account_rows, "PAGE_ROWS", 2)
    as_owner.post("/settings/exports")
    archive = archive_of(make())
    for sample in made:
        assert archive.read(f"samples/{sample.id}.wav") == sample.name.encode()
    assert json.loads(archive.read("missing.json")) == []


def test_the_link_in_the_mail_and_the_button_on_the_page_work(
    app: Flask, as_owner: Browser, as_stranger: Browser
) -> None:
    assert as_owner.get("/settings/exports/latest").status_code == 404
    as_owner.post("/settings/exports")
    assert "in progress" in as_owner.get("/settings/data").text
    tasks.make_exports.call_local()
    mail = next(mail for mail in mails() if mail["Subject"] == "Your data is ready")
    assert downloaded(app, link_in(mail)).testzip() is None
    page = as_owner.get("/settings/data").text
    assert "kept until" in page
    assert "Export my data" not in page
    assert "You can make the next one on" in page
    assert as_owner.get("/settings/exports/latest").status_code == 302
    assert as_stranger.get("/settings/exports/latest").status_code == 404
    assert app.test_client().get(change_character(link_in(mail), -5)).status_code == 404


def test_only_the_newest_is_kept_and_the_old_one_until_then(
    app: Flask, as_owner: Browser, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_owner.post("/settings/exports")
    first = make()
    assert first is not None
    old_key, old_link = first.key, link_in(mails()[-1])
    a_day_later()
    as_owner.post("/settings/exports")
    with monkeypatch.context() as patch:
        patch.setattr(*in_store("put"), failing(StorageError("away")))
        make()
    assert old_key in store_files()
    assert app.test_client().get(old_link).status_code == 302
    age(next_try_at=utcnow())
    second = make()
    assert second is not None
    assert [key for key in store_files() if key.startswith("exports/")] == [second.key]
    assert owner.id not in second.key
    assert second.id not in second.key
    assert app.test_client().get(old_link).status_code == 404
    assert db.session.scalar(sa.select(sa.func.count()).select_from(DataExport)) == 1


def test_an_export_is_made_once_a_day(as_owner: Browser, owner: User) -> None:
    for _ in range(2):
        as_owner.post("/settings/exports")
    make()
    assert len(mails()) == 1
    answer = as_owner.post("/settings/exports")
    assert "less than a day old" in as_owner.get(answer.headers["Location"]).text
    with pytest.raises(ExportTooSoonError) as refused:
        data_export.request_export(owner)
    assert timedelta(hours=23) < refused.value.next_at - utcnow() < timedelta(days=1)
    assert not data_export.has_due_exports()
    assert len(store_files()) == 1
    a_day_later()
    assert data_export.request_export(owner).is_pending


def test_requests_at_the_same_time_make_one_export(app: Flask, owner: User) -> None:
    user_id = owner.id
    db.session.commit()

    def ask(_: int) -> str:
        with app.app_context():
            return data_export.request_export(db.session.get_one(User, user_id)).id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(ask, range(6)))) == 1


def test_its_size_is_counted_beside_the_plan(as_owner: Browser, script: ApiScript, owner: User) -> None:
    finished_job(as_owner, "kick.wav", kick())
    before = script.get("/api/usage").get_json()
    assert before["export_bytes"] == 0
    with transaction() as session:  # a library that is full
        session.add(Usage(user_id=owner.id, kind="storage", entry_key="full", quantity=10**15))
    as_owner.post("/settings/exports")
    first = make()
    assert first is not None
    assert first.size_bytes is not None
    assert script.get("/api/usage").get_json()["export_bytes"] == first.size_bytes
    a_day_later()
    as_owner.post("/settings/exports")
    second = make()
    assert second is not None
    ledger = sa.select(sa.func.sum(Usage.quantity)).where(Usage.kind == ARCHIVE)
    assert db.session.scalar(ledger) == second.size_bytes == len(store_files()[second.key])
    age(ready_at=utcnow() - timedelta(days=8))
    kept_archives.purge_old_exports()
    assert db.session.scalar(ledger) == 0
    assert script.get("/api/usage").get_json()["export_bytes"] == 0
