"""A backup reads what is new, keeps what the store loses meanwhile, and names what it can't have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.backup import making, row_snapshot
from app.backup.backup_folder import ACCOUNTS, BackupFolder, BackupSummary, SavedObject
from app.backup.errors import BackupError
from app.backup.making import ObjectCopier, make_backup
from app.backup.row_snapshot import RowSnapshot
from app.extensions import settings
from app.integrations.storage import DiskStore, StorageError, StoredObject, open_store
from app.models import Job, User
from app.models.base import transaction
from tests.support import Browser, kick, uploaded_job, waiting_jobs

DAYS = 30


class LosingStore(DiskStore):
    """A store that lists an object more, which is deleted before it is fetched."""

    def list_objects(self) -> Iterator[StoredObject]:
        yield StoredObject("gone", 1, "1")
        yield from super().list_objects()


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "store", ["key"])


@pytest.fixture
def folder(tmp_path: Path) -> BackupFolder:
    folder = BackupFolder(tmp_path / "backups")
    with folder.locked():
        return folder


def put(store: DiskStore, key: str, data: bytes) -> None:
    source = store.root.parent / "source"
    source.write_bytes(data)
    store.put(key, source, "")


def copy_all(folder: BackupFolder, store: DiskStore) -> tuple[dict[str, SavedObject], ObjectCopier]:
    copier = ObjectCopier(folder, store)
    return {each.key: each for each in copier.copy_all()}, copier


def test_an_object_is_read_once_until_it_changes(folder: BackupFolder, store: DiskStore) -> None:
    put(store, "a", b"one")
    put(store, "b", b"two")
    found, copier = copy_all(folder, store)
    assert (set(found), copier.read) == ({"a", "b"}, 2)
    assert folder.object_path(found["a"].sha256).read_bytes() == b"one"
    list(copier.copy_all())
    assert copier.read == 2
    put(store, "a", b"six")  # of the same length
    changed = {each.key: each for each in copier.copy_all()}
    assert (copier.read, changed["b"]) == (3, found["b"])
    assert folder.object_path(changed["a"].sha256).read_bytes() == b"six"
    folder.object_path(changed["b"].sha256).unlink()
    assert {each.key: each for each in copier.copy_all()} == changed
    assert copier.read == 4  # its copy was lost
    assert not list(folder.root.glob(".copy-*"))


def test_an_object_that_is_deleted_before_it_is_read_is_left_out(
    folder: BackupFolder, store: DiskStore
) -> None:
    put(store, "there", b"sound")
    found, copier = copy_all(folder, LosingStore(store.root, ["key"]))
    assert (set(found), copier.read) == ({"there"}, 1)


def test_a_lost_object_is_found_as_long_as_its_copy_is_there(folder: BackupFolder, store: DiskStore) -> None:
    put(store, "a", b"sound")
    found, copier = copy_all(folder, store)
    store.delete("a")
    assert list(copier.copy_all()) == []
    assert (copier.find_copy("a"), copier.find_copy("b")) == (found["a"], None)
    folder.object_path(found["a"].sha256).write_bytes(b"cut")
    assert copier.find_copy("a") is None


def test_only_the_newest_backup_is_compared_with(app: Flask, tmp_path: Path) -> None:
    store, folder = DiskStore(tmp_path / "instance" / "store", ["key"]), BackupFolder(tmp_path / "backups")
    names = []
    for count, key in enumerate(("a", "bb", "ccc"), 1):
        put(store, key, key.encode())
        name, summary, read = make_backup(folder.root, DAYS)
        assert (read, summary.objects, summary.object_bytes, summary.missing) == (1, 1, count, [])
        assert folder.read_summary(name) == summary
        store.delete(key)
        names.append(name)
    assert folder.names() == names
    copier = ObjectCopier(folder, store)
    assert [copier.find_copy(key) is not None for key in ("a", "bb", "ccc")] == [False, False, True]


def test_the_file_of_a_job_that_ends_meanwhile_is_in_the_backup(
    app: Flask, as_owner: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, write_rows = uploaded_job(as_owner, "one.wav", kick()), row_snapshot.write_rows

    def write_and_end(*given: Any) -> RowSnapshot:
        snapshot = write_rows(*given)
        open_store(settings()).delete(str(job.incoming_key))
        return snapshot

    monkeypatch.setattr(row_snapshot, "write_rows", write_and_end)
    name, summary, _ = make_backup(tmp_path / "backups", DAYS)
    assert summary.missing == []
    assert [each.key for each in BackupFolder(tmp_path / "backups").objects(name)] == [job.incoming_key]


def test_each_missing_file_is_named_once_in_order(app: Flask, owner: User, tmp_path: Path) -> None:
    jobs = waiting_jobs(owner, 3)
    with transaction() as session:
        for job_id, key in zip(jobs, ("b", "a", "there"), strict=True):
            session.get_one(Job, job_id).incoming_key = key
    store, folder = DiskStore(tmp_path / "instance" / "store", ["key"]), BackupFolder(tmp_path / "backups")
    put(store, "there", b"sound")
    name, summary, _ = make_backup(folder.root, DAYS)
    assert (summary.missing, summary.objects) == (["a", "b"], 1)
    store.delete("there")  # a row names it, and the last backup has it
    second, summary, _ = make_backup(folder.root, DAYS)
    assert (summary.missing, [each.key for each in folder.objects(second)]) == (["a", "b"], ["there"])
    assert folder.path(name, ACCOUNTS).read_text() == f"{owner.id}\n"


def test_old_backups_go_with_the_next_one(app: Flask, tmp_path: Path) -> None:
    folder = BackupFolder(tmp_path / "backups")
    old = "2020-01-01T00-00-00.000Z"
    folder.path(old).mkdir(parents=True)
    (folder.root / "objects").mkdir()
    folder.write_summary(folder.path(old), BackupSummary("", ""))
    name, *_ = make_backup(tmp_path / "backups", DAYS)
    assert folder.names() == [name]


def test_a_backup_that_fails_says_why_and_leaves_the_others(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = make_backup(tmp_path / "backups", DAYS)
    (tmp_path / "file").touch()
    with pytest.raises(BackupError, match="The backup was not made: "):
        make_backup(tmp_path / "file", DAYS)

    def fail(_: object) -> None:
        raise StorageError("no answer")

    monkeypatch.setattr(making, "open_store", fail)
    with pytest.raises(BackupError, match=r"The backup was not made: no answer"):
        make_backup(tmp_path / "backups", DAYS)
    assert BackupFolder(tmp_path / "backups").names() == [first]


def test_nobody_else_may_read_a_backup_and_later_files_are_made_as_before(app: Flask, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        put(DiskStore(tmp_path / "instance" / "store", ["key"]), "one", b"sound")
        make_backup(tmp_path / "backups", DAYS)
        modes = {each.name: each.stat().st_mode for each in (tmp_path / "backups").rglob("*")}
        assert {name for name, mode in modes.items() if mode & 0o077} == set()
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
