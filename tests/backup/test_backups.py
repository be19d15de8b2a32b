"""What a backup copies, keeps and tells, and what a restore refuses."""

from __future__ import annotations

import gzip
import json
import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import String, func, select

from app.account import closing
from app.auth import two_factor_login
from app.backup import making, restoring, row_snapshot
from app.backup.backup_contents import KEY_COLUMNS, LEFT_OUT, SEALED, saved_tables
from app.backup.backup_folder import ACCOUNTS, OBJECTS, ROWS, SUMMARY, BackupFolder, file_sha256
from app.backup.errors import BackupError
from app.extensions import Base, db, settings
from app.integrations.storage import open_store
from app.models import Job, TwoFactor, User
from app.models.base import utcnow
from tests.backup.drill import all_objects, all_rows, service
from tests.support import Browser, drum_loop, kick, uploaded_job

DAYS = 30
SECRET = "a-secret-for-tests-that-is-long-enough-to-be-taken"
# Columns whose names end like those with keys of the store.
NO_STORE_KEYS = {"entry_key", "shared_key"}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"DATA_DIR": str(tmp_path / "instance"), "SECRET_KEY": SECRET, "BASE_URL": "http://127.0.0.1:5000"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def restore(folder: Path, target: Path, name: str | None = None, secret: str = SECRET) -> None:
    """Restore into a new service, or check that a refused restore has left nothing there."""
    with service({"DATA_DIR": str(target), "SECRET_KEY": secret}, migrated=False):
        try:
            restoring.restore_backup(folder, name, lambda _: None)
        except BackupError:
            assert list((target / "store").rglob("*")) == []
            assert not db.inspect(db.engine).has_table("users")
            raise


def test_a_backup_reads_only_what_is_new(app: Flask, as_owner: Browser, folder: Path, tmp_path: Path) -> None:
    uploaded_job(as_owner, "one.wav", kick())
    assert making.make_backup(folder, DAYS)[2] == 1
    assert making.make_backup(folder, DAYS)[2] == 0
    uploaded_job(as_owner, "the same sound.wav", kick())
    name, summary, read = making.make_backup(folder, DAYS)
    assert (read, summary.objects, summary.missing) == (1, 2, [])
    assert len([path for path in (folder / "objects").rglob("*") if path.is_file()]) == 1  # two have one hash
    for path in [folder, *folder.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
    assert [each.key for each in BackupFolder(folder).objects(name)] == sorted(all_objects(tmp_path))


def test_old_backups_and_their_objects_go_and_the_newest_stays(
    app: Flask, as_owner: Browser, folder: Path
) -> None:
    job = uploaded_job(as_owner, "one.wav", kick())
    first, *_ = making.make_backup(folder, DAYS)
    open_store(settings()).delete(str(job.incoming_key))
    backups, later = BackupFolder(folder), utcnow() + timedelta(days=DAYS, minutes=1)
    assert (backups.remove_older(DAYS, later), backups.names()) == (0, [first])
    second, summary, _ = making.make_backup(folder, DAYS)
    assert summary.missing == []  # the store has lost it, but a row still needs it
    shutil.rmtree(folder / "objects")
    second, summary, _ = making.make_backup(folder, DAYS)
    assert summary.missing == [job.incoming_key]
    assert (backups.remove_older(DAYS, later), backups.names()) == (2, [second])
    assert [path for path in (folder / "objects").rglob("*") if path.is_file()] == []
    with backups.locked(), pytest.raises(BackupError, match=r"Another backup to .* is under way"):
        making.make_backup(folder, DAYS)


def test_an_account_that_was_closed_since_is_closed_again(
    app: Flask, owner: User, stranger: User, folder: Path, tmp_path: Path
) -> None:
    first, *_ = making.make_backup(folder, DAYS)
    left = stranger.id
    closing.close_account(owner)
    making.make_backup(folder, DAYS)
    with service({"DATA_DIR": str(tmp_path / "new"), "SECRET_KEY": SECRET}, migrated=False):
        for expected in (None, 2):
            with pytest.raises(BackupError, match=r"1 accounts of .* Add --close 1 to close them again"):
                restoring.restore_backup(folder, first, lambda _: None, close=expected)
        report = restoring.restore_backup(folder, first, lambda _: None, close=1)
        assert report.closed_accounts == 1
        closing.finish_due_closings()
        assert db.session.scalars(select(User.id)).all() == [left]


def _flip_object(backups: BackupFolder, name: str) -> None:
    path = backups.object_path(next(backups.objects(name)).sha256)
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


def _lose_object(backups: BackupFolder, name: str) -> None:
    backups.object_path(next(backups.objects(name)).sha256).unlink()


def _cut(file: str) -> Callable[[BackupFolder, str], None]:
    def cut(backups: BackupFolder, name: str) -> None:
        path = backups.path(name, file)
        path.write_bytes(path.read_bytes()[:-9])

    return cut


def _rewrite(backups: BackupFolder, name: str, **values: object) -> None:
    path = backups.path(name, SUMMARY)
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def _claim_more_rows(backups: BackupFolder, name: str) -> None:
    _rewrite(backups, name, tables=backups.read_summary(name).tables | {"users": 7})


def _come_from_the_future(backups: BackupFolder, name: str) -> None:
    _rewrite(backups, name, revision="9999")


DAMAGES: dict[str, tuple[Callable[[BackupFolder, str], None], str]] = {
    "a bad hash": (_flip_object, "the bytes of 1 objects are wrong or gone: incoming/"),
    "a missing object": (_lose_object, "the bytes of 1 objects are wrong or gone: incoming/"),
    "cut rows": (_cut(ROWS), f"{ROWS} is missing or was changed or cut"),
    "a cut manifest": (_cut(OBJECTS), f"{OBJECTS} is missing or was changed or cut"),
    "a cut list of accounts": (_cut(ACCOUNTS), f"{ACCOUNTS} is missing or was changed or cut"),
    "a cut summary": (_cut(SUMMARY), "is no backup"),
    "rows that are not there": (_claim_more_rows, "it has not as many rows as it says"),
    "a newer version": (_come_from_the_future, "is of a newer version"),
}


def test_a_damaged_backup_is_refused_and_nothing_is_restored(
    app: Flask, as_owner: Browser, folder: Path, tmp_path: Path
) -> None:
    uploaded_job(as_owner, "one.wav", kick())
    making.make_backup(folder, DAYS)
    for damage, (do_damage, sentence) in DAMAGES.items():
        damaged = tmp_path / damage
        shutil.copytree(folder, damaged)
        backups = BackupFolder(damaged)
        do_damage(backups, backups.names()[0])
        with pytest.raises(BackupError, match=sentence):
            restore(damaged, tmp_path / f"restored {damage}")
    with pytest.raises(BackupError, match="There is no backup in"):
        restore(tmp_path / "nowhere", tmp_path / "restored nowhere")


def test_only_an_empty_database_is_restored_into(app: Flask, owner: User, folder: Path) -> None:
    making.make_backup(folder, DAYS)
    before = all_rows()
    runner = app.test_cli_runner()
    refused = runner.invoke(args=["restore", str(folder)])
    assert refused.exit_code == 1
    assert "The database is not empty: " in refused.output
    assert all_rows() == before
    checked = runner.invoke(args=["restore", str(folder), "--check"])
    assert (checked.exit_code, checked.output.endswith(" is complete.\n")) == (0, True)


def test_secrets_are_sealed_and_open_only_with_the_same_key(
    app: Flask, owner: User, folder: Path, tmp_path: Path
) -> None:
    secret = two_factor_login.begin_setup(owner).secret
    name, *_ = making.make_backup(folder, DAYS)
    rows = gzip.decompress(BackupFolder(folder).path(name, ROWS).read_bytes()).decode()
    assert owner.email in rows
    assert secret not in rows
    assert "user_sessions" not in rows
    with pytest.raises(BackupError, match="was made with another SECRET_KEY"):
        restore(folder, tmp_path / "other", secret="another secret, also long enough to be taken")
    with service({"DATA_DIR": str(tmp_path / "same"), "SECRET_KEY": SECRET}, migrated=False):
        restoring.restore_backup(folder, None, lambda _: None)
        assert db.session.scalars(select(TwoFactor.secret)).all() == [secret]


def test_a_backup_opens_with_an_earlier_key_and_in_a_migrated_database(
    app: Flask, owner: User, folder: Path, tmp_path: Path
) -> None:
    secret = two_factor_login.begin_setup(owner).secret
    making.make_backup(folder, DAYS)
    keys = {"SECRET_KEY": "a newer secret, also long enough to be taken", "SECRET_KEY_FALLBACKS": SECRET}
    with service({"DATA_DIR": str(tmp_path / "new"), **keys}, migrated=True):
        restoring.restore_backup(folder, None, lambda _: None)
        assert db.session.scalars(select(TwoFactor.secret)).all() == [secret]


def test_a_cut_manifest_stops_no_later_backup_and_keeps_the_objects(
    app: Flask, as_owner: Browser, folder: Path, tmp_path: Path
) -> None:
    lost, _ = uploaded_job(as_owner, "one.wav", kick()), uploaded_job(as_owner, "two.wav", drum_loop())
    _cut(OBJECTS)(BackupFolder(folder), making.make_backup(folder, DAYS)[0])
    open_store(settings()).delete(str(lost.incoming_key))
    second, summary, read = making.make_backup(folder, DAYS)
    assert (read, summary.missing, len([*folder.glob("objects/*/*")])) == (1, [lost.incoming_key], 2)
    with service({"DATA_DIR": str(tmp_path / "new"), "SECRET_KEY": SECRET}, migrated=False):
        assert restoring.restore_backup(folder, second, lambda _: None).objects == 1


def test_uploads_during_a_backup_leave_no_row_without_its_file(
    app: Flask, as_owner: Browser, folder: Path, tmp_path: Path
) -> None:
    done = threading.Event()

    def upload() -> None:
        with app.app_context():
            while not done.is_set():
                uploaded_job(as_owner, "another.wav", kick())

    uploads = threading.Thread(target=upload)
    uploads.start()
    try:
        summaries = [making.make_backup(folder, DAYS)[1] for _ in range(5)]
    finally:
        done.set()
        uploads.join()
    assert [each.missing for each in summaries] == [[]] * len(summaries)
    assert summaries[-1].tables["processing_jobs"] > summaries[0].tables["processing_jobs"]
    with service({"DATA_DIR": str(tmp_path / "new"), "SECRET_KEY": SECRET}, migrated=False):
        restoring.restore_backup(folder, None, lambda _: None)
        assert db.session.scalar(select(func.count(Job.id))) == summaries[-1].tables["processing_jobs"]
        assert {str(each) for each in db.session.scalars(select(Job.incoming_key))} <= all_objects(
            tmp_path
        ).keys()


def test_every_table_and_column_is_accounted_for(app: Flask) -> None:
    tables = Base.metadata.tables
    assert LEFT_OUT.keys() <= tables.keys()
    assert {name for name, column in SEALED if column not in tables[name].columns} == set()
    keys = {
        (table.name, column.name)
        for table in saved_tables()
        for column in table.columns
        if column.name.endswith("_key") and isinstance(column.type, String)
    }
    known = {(table, column) for table, columns in KEY_COLUMNS.items() for column in columns}
    assert {each for each in keys if each[1] not in NO_STORE_KEYS} == known
    open_secrets = {(table.name, "secret") for table in saved_tables() if "secret" in table.columns}
    assert open_secrets == SEALED


def test_a_backup_of_an_older_version_is_migrated(
    app: Flask, owner: User, folder: Path, tmp_path: Path
) -> None:
    """Turn a backup into one from before the columns and the table that the revisions from 0037 on added."""
    name, *_ = making.make_backup(folder, DAYS)
    backups, newer = BackupFolder(folder), {"library_sort", "hidden_columns", "trace_parent"}
    tables = backups.read_summary(name).tables
    del tables["metric_totals"]
    path, lines, kept, is_newer = backups.path(name, ROWS), list[str](), list[int](), False
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        read = json.loads(line)
        if isinstance(read, dict):
            is_newer = read["table"] not in tables
            kept = [place for place, column in enumerate(read["columns"]) if column not in newer]
            read["columns"] = {each: kind for each, kind in read["columns"].items() if each not in newer}
        else:
            read = [read[place] for place in kept]
        if not is_newer:
            lines.append(json.dumps(read))
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    _rewrite(backups, name, revision="0036", files={ROWS: file_sha256(path)}, tables=tables)
    with service({"DATA_DIR": str(tmp_path / "new"), "SECRET_KEY": SECRET}):
        restoring.restore_backup(folder, None, lambda _: None)
        assert db.session.execute(select(User.email, User.library_sort)).all() == [(owner.email, "")]
        with db.engine.connect() as connection:
            assert row_snapshot.stored_revision(connection) == row_snapshot.newest_revision()
