"""A restore checks all first, asks about closed accounts, and gives interrupted jobs back to the queue."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade

from app.account import closing
from app.backup.backup_folder import OBJECTS, BackupFolder
from app.backup.errors import BackupError
from app.backup.making import make_backup
from app.backup.restoring import _migrate_to, check_backup, restore_backup
from app.backup.row_snapshot import newest_revision, stored_revision
from app.extensions import db, settings
from app.integrations.storage import DiskStore, StorageError, open_store
from app.jobs import claims
from app.models import Attempt, Job, User
from app.models.base import transaction
from app.models.job import PENDING, PROCESSING
from app.models.job_attempt import WAITING
from app.models.search_row import SearchRow
from tests.backup.drill import service
from tests.search.test_text_conditions import shelve
from tests.support import Browser, kick, uploaded_job

DAYS = 30
SECRET = "a-secret-for-tests-that-is-long-enough-to-be-taken"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"DATA_DIR": str(tmp_path / "instance"), "SECRET_KEY": SECRET, "BASE_URL": "http://127.0.0.1:5000"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def empty(tmp_path: Path) -> dict[str, str]:
    """Return the settings of a new service without a database."""
    return {"DATA_DIR": str(tmp_path / "new"), "SECRET_KEY": SECRET}


def put(keys: list[str]) -> None:
    store = open_store(settings())
    assert isinstance(store, DiskStore)
    for key in keys:
        (store.root.parent / "source").write_text(key)
        store.put(key, store.root.parent / "source", "")


def test_the_newest_backup_is_taken_unless_another_is_named(app: Flask, root: Path) -> None:
    with pytest.raises(BackupError, match=r"There is no backup in .*backups\."):
        check_backup(root, None)
    first, *_ = make_backup(root, DAYS)
    second, *_ = make_backup(root, DAYS)
    assert [check_backup(root, name)[0] for name in (None, first, second)] == [second, first, second]
    with pytest.raises(
        BackupError, match=rf"There is no backup 2020 in .*backups\. The newest is {second}\."
    ):
        check_backup(root, "2020")


@pytest.mark.parametrize(("count", "shown"), [(1, "a"), (5, "a, b, c, d, e"), (6, "a, b, c, d, e, …")])
def test_five_damaged_objects_are_named(app: Flask, root: Path, count: int, shown: str) -> None:
    put(list("abcdefg"))
    make_backup(root, DAYS)
    folder = BackupFolder(root)
    for number, each in enumerate(list(folder.objects(folder.names()[0]))[:count]):
        path = folder.object_path(each.sha256)
        path.write_bytes(b"!" if number % 2 else b"too long")
    with pytest.raises(BackupError, match=rf"the bytes of {count} objects are wrong or gone: {shown}$"):
        check_backup(root, None)


def test_closed_accounts_are_asked_about(
    app: Flask, owner: User, stranger: User, root: Path, empty: dict[str, str]
) -> None:
    first, *_ = make_backup(root, DAYS)
    second, *_ = make_backup(root, DAYS)
    for user in (owner, stranger):
        closing.close_account(user)
    third, *_ = make_backup(root, DAYS)
    with service(empty, migrated=False):
        for close in (None, 1, 3):
            for name in (first, second):
                with pytest.raises(BackupError, match=rf"2 accounts of {name} are .* Add --close 2 to"):
                    restore_backup(root, name, lambda _: None, close=close)
        path = BackupFolder(root).path(third, OBJECTS)
        whole = path.read_bytes()
        path.write_bytes(b"")
        with pytest.raises(BackupError, match=r"because the newest backup can't be read .* Add --close 0"):
            restore_backup(root, first, lambda _: None, close=2)
        path.write_bytes(whole)
        report = restore_backup(root, first, lambda _: None, close=2)
        assert (report.name, report.closed_accounts) == (first, 2)
        assert db.session.scalars(sa.select(User.closed_at.is_not(None))).all() == [True, True]


@pytest.mark.parametrize("is_damaged", [False, True])
def test_closed_accounts_are_left_open_when_told_so(
    app: Flask, owner: User, root: Path, empty: dict[str, str], is_damaged: bool
) -> None:
    first, *_ = make_backup(root, DAYS)
    closing.close_account(owner)
    newest, *_ = make_backup(root, DAYS)
    if is_damaged:
        BackupFolder(root).path(newest, OBJECTS).unlink()
    with service(empty, migrated=False):
        report = restore_backup(root, first, lambda _: None, close=0)
        assert (report.name, report.closed_accounts) == (first, 0)
        assert db.session.scalars(sa.select(User.closed_at)).all() == [None]


def test_an_interrupted_job_waits_again_and_everything_is_told(
    app: Flask, as_owner: Browser, root: Path, empty: dict[str, str]
) -> None:
    interrupted = uploaded_job(as_owner, "one.wav", kick()).id
    assert claims.claim_next() is not None
    waiting = uploaded_job(as_owner, "two.wav", kick()).id
    with transaction() as session:
        session.get_one(Job, interrupted).attempt = 3
    assert db.session.get_one(Job, interrupted).state == PROCESSING
    _, summary, _ = make_backup(root, DAYS)
    told: list[str] = []
    with service(empty, migrated=False):
        report = restore_backup(root, None, told.append)
        rows = sum(summary.tables.values())
        assert (report.rows, report.objects, report.requeued_jobs, report.missing) == (rows, 2, 1, [])
        found = {
            job.id: (job.state, job.attempt, job.lease_token) for job in db.session.scalars(sa.select(Job))
        }
        assert found == {interrupted: (PENDING, 2, None), waiting: (PENDING, 0, None)}
        tries = db.session.execute(sa.select(Attempt.job_id, Attempt.outcome, Attempt.ended_at.is_(None)))
        assert tries.all() == [(interrupted, WAITING, False)]
        assert {each.key for each in open_store(settings()).list_objects()} == {
            str(job.incoming_key) for job in db.session.scalars(sa.select(Job))
        }
        with db.engine.connect() as connection:
            assert stored_revision(connection) == newest_revision()
    assert told == [
        "Checking the backup.",
        "Storing 2 objects.",
        f"Inserting {rows:,} rows.",
        "Making the search index.",
    ]


def test_a_database_of_any_revision_is_restored_into_while_it_is_empty(
    app: Flask, owner: User, root: Path, empty: dict[str, str]
) -> None:
    """It can be searched at once. Nothing is asked: no account was closed after the first backup."""
    email, sample_ids = owner.email, [sample.id for sample in shelve(owner, {"Dusty": {}}).values()]
    first, *_ = make_backup(root, DAYS)
    make_backup(root, DAYS)
    with service(empty, migrated=False):
        upgrade(revision="0036")
        assert restore_backup(root, first, lambda _: None).closed_accounts == 0
        assert db.session.scalars(sa.select(User.email)).all() == [email]
        assert db.session.scalars(sa.select(SearchRow.sample_id)).all() == sample_ids
        with pytest.raises(BackupError, match=r"The database is not empty: .* has rows"):
            restore_backup(root, None, lambda _: None)


def test_an_empty_database_gets_the_tables_that_the_backup_was_made_from(empty: dict[str, str]) -> None:
    """Without tables, with older ones and with newer ones: later migrations then change the restored rows."""
    with service(empty, migrated=False):
        for revision in ("0036", "0038", "0037"):
            _migrate_to(revision)
            with db.engine.connect() as connection:
                assert stored_revision(connection) == revision


def test_a_store_that_fails_leaves_the_database_empty(
    app: Flask, root: Path, empty: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(["a"])
    make_backup(root, DAYS)

    def fail(*_: object) -> None:
        raise StorageError("no answer")

    monkeypatch.setattr(DiskStore, "put", fail)
    with service(empty, migrated=False):
        with pytest.raises(BackupError, match="The store failed, and the database is still empty: no answer"):
            restore_backup(root, None, lambda _: None)
        assert not sa.inspect(db.engine).has_table("users")
