"""The folder of backups: a backup is there whole or not at all, and only what none needs is removed."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from app.backup.backup_folder import (
    ACCOUNTS,
    OBJECTS,
    ROWS,
    SUMMARY,
    BackupFolder,
    BackupSummary,
    file_sha256,
)
from app.backup.errors import BackupError

DAYS = 30
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


@pytest.fixture
def backups(tmp_path: Path) -> BackupFolder:
    """Return a folder for backups that is not made yet, two levels below one that is there."""
    return BackupFolder(tmp_path / "a" / "b")


def add_backup(backups: BackupFolder, made_at: datetime, contents: dict[str, bytes] | None = None) -> str:
    """Make a backup of these objects and return its name."""
    with backups.locked(), backups.new_backup(made_at) as draft:
        lines = []
        for key, data in (contents or {}).items():
            (backups.root / "new").write_bytes(data)
            sha256, size = backups.add_object(backups.root / "new")
            lines.append(json.dumps([key, size, "1", sha256]) + "\n")
        with gzip.open(draft / OBJECTS, "wt") as manifest:
            manifest.writelines(lines)
        (draft / ROWS).write_bytes(b"rows")
        backups.write_summary(draft, BackupSummary(made_at.isoformat(), "0001", objects=len(lines)))
    return backups.names()[-1]


def stored_hashes(backups: BackupFolder) -> set[str]:
    return {each.name for each in (backups.root / "objects").rglob("*") if each.is_file()}


def test_a_backup_is_named_by_its_time_in_utc(backups: BackupFolder) -> None:
    assert backups.names() == []
    in_india = timezone(timedelta(hours=5, minutes=30))
    second = add_backup(backups, datetime(2026, 11, 30, 9, 30, 0, 123_999, in_india))
    first = "2026-11-30T03-59-59.999Z"
    add_backup(backups, datetime(2026, 11, 30, 3, 59, 59, 999_000, UTC))
    assert second == "2026-11-30T04-00-00.123Z"
    assert backups.names() == [first, second]
    assert backups.path(first, ROWS).read_bytes() == b"rows"
    for made in (
        backups.root,
        backups.path(first),
        *(backups.root / part for part in ("backups", "objects")),
    ):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_a_backup_that_breaks_off_leaves_nothing(backups: BackupFolder) -> None:
    first = add_backup(backups, NOON)

    def break_off() -> None:
        with backups.locked(), backups.new_backup(NOON + MILLISECOND) as draft:
            (draft / ROWS).write_bytes(b"half of the rows")
            assert backups.names() == [first]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert [each.name for each in (backups.root / "backups").iterdir()] == [first]


def test_a_backup_is_on_the_disk_before_it_has_its_name(
    backups: BackupFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut right after the renaming must not leave a backup with empty files."""
    written: list[tuple[int, bool]] = []
    numbers: list[int] = []

    def fsync(number: int) -> None:
        written.append((os.fstat(number).st_ino, bool(backups.names())))
        numbers.append(number)

    monkeypatch.setattr(os, "fsync", fsync)
    made = backups.path(add_backup(backups, NOON))
    inodes = {path.stat().st_ino for path in (made, *(made / each for each in (OBJECTS, ROWS, SUMMARY)))}
    assert {inode for inode, is_named in written if not is_named} == inodes
    assert written[-1] == (made.parent.stat().st_ino, True)
    assert len(set(numbers)) < len(numbers)  # each was closed again


def test_only_one_at_a_time_changes_the_folder(backups: BackupFolder) -> None:
    with backups.locked():
        left = [backups.root / ".copy-x", backups.root / "backups" / "2026.part"]
        for each in left:
            each.mkdir()
            (each / "file").touch()
        with (
            pytest.raises(BackupError, match=r"Another backup to .*/a/b is under way\."),
            backups.locked(),
        ):
            raise AssertionError("The folder was locked twice.")
        assert all(each.is_dir() for each in left)  # of the one that is at work
    with backups.locked():
        assert not any(each.exists() for each in left)  # of one that was killed


def test_a_changed_file_is_found_by_its_hash(backups: BackupFolder) -> None:
    name = add_backup(backups, NOON, {"k": b"sound"})
    summary = backups.read_summary(name)
    assert (summary.made_at, summary.revision, summary.objects, summary.format) == (
        NOON.isoformat(), "0001", 1, 1,
    )  # fmt: skip
    assert set(summary.files) == {OBJECTS, ROWS}
    empty = BackupSummary(NOON.isoformat(), "0001")
    assert (empty.objects, empty.object_bytes, empty.missing) == (0, 0, [])
    for damage in (lambda path: path.write_bytes(b"rowS"), Path.unlink):
        damage(backups.path(name, ROWS))
        with pytest.raises(BackupError, match=f"{name} is damaged: {ROWS} is missing or was changed or cut"):
            backups.read_summary(name)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"made_at": "then"}', '{"made_at": "a", "revision": "b", "c": 1}']
)
def test_what_is_no_summary_is_no_backup(backups: BackupFolder, text: str) -> None:
    name = add_backup(backups, NOON)
    backups.path(name, SUMMARY).write_text(text)
    with pytest.raises(BackupError, match=f"{name} is no backup: {SUMMARY} can't be read"):
        backups.read_summary(name)


@pytest.mark.parametrize("number", [0, 2])
def test_another_format_is_not_guessed_at(backups: BackupFolder, number: int) -> None:
    name = add_backup(backups, NOON)
    path = backups.path(name, SUMMARY)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": number}))
    with pytest.raises(BackupError, match=f"has the format {number}; this version reads 1"):
        backups.read_summary(name)


def test_a_big_file_has_the_hash_of_all_of_it(tmp_path: Path) -> None:
    data = bytes(range(256)) * 9000
    (tmp_path / "big").write_bytes(data)
    assert file_sha256(tmp_path / "big") == hashlib.sha256(data).hexdigest()


def test_an_object_is_there_once_under_its_hash(backups: BackupFolder) -> None:
    add_backup(backups, NOON, {"one": b"sound", "two": b"sound"})
    sha256 = hashlib.sha256(b"sound").hexdigest()
    path = backups.root / "objects" / sha256[:2] / sha256
    assert (backups.object_path(sha256), path.read_bytes()) == (path, b"sound")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [backups.has_object(sha256, size) for size in (4, 5, 6)] == [False, True, False]
    path.unlink()
    assert not backups.has_object(sha256, 5)
    path.mkdir()
    assert not backups.has_object(sha256, path.stat().st_size)


def test_the_accounts_of_a_backup_are_read_line_by_line(backups: BackupFolder) -> None:
    name = add_backup(backups, NOON)
    backups.path(name, ACCOUNTS).write_text("one\ntwo\n")
    assert backups.accounts(name) == {"one", "two"}


def test_backups_go_when_they_are_older_than_so_many_days(backups: BackupFolder) -> None:
    older, just, newest = (
        add_backup(backups, NOON + shift) for shift in (-MILLISECOND, 0 * MILLISECOND, MILLISECOND)
    )
    in_tokyo = (NOON + timedelta(days=DAYS)).astimezone(timezone(timedelta(hours=9)))
    assert backups.remove_older(DAYS, in_tokyo) == 1
    assert backups.names() == [just, newest]
    assert not backups.path(older).exists()
    assert backups.remove_older(DAYS, in_tokyo + timedelta(days=400)) == 1
    assert backups.names() == [newest]
    assert backups.remove_older(DAYS, in_tokyo + timedelta(days=400)) == 0


def test_objects_go_with_the_last_backup_that_names_them(backups: BackupFolder) -> None:
    contents = {"both": b"both", "first": b"first"}
    hashes = {key: hashlib.sha256(data).hexdigest() for key, data in contents.items()}
    add_backup(backups, NOON, contents)
    add_backup(backups, NOON + timedelta(days=1), {"both": b"both"})
    backups.remove_older(DAYS, NOON)
    assert stored_hashes(backups) == set(hashes.values())
    backups.remove_older(DAYS, NOON + timedelta(days=DAYS, seconds=1))
    assert stored_hashes(backups) == {hashes["both"]}


@pytest.mark.parametrize("manifest", [b"", b"no gzip", gzip.compress(b"{]"), gzip.compress(b"[1]"), None])
def test_no_object_goes_while_a_manifest_can_not_be_read(
    backups: BackupFolder, manifest: bytes | None
) -> None:
    """A manifest that is cut, no gzip, no JSON, of another form, or gone; empty gzip is an empty manifest."""
    damaged = add_backup(backups, NOON, {"old": b"old"})
    path = backups.path(damaged, OBJECTS)
    whole = path.read_bytes()
    path.unlink()
    if manifest is not None:
        path.write_bytes(manifest or whole[:-9])
    add_backup(backups, NOON + MILLISECOND, {"new": b"new"})
    assert backups.readable_objects(damaged) is None
    backups.remove_older(DAYS, NOON)
    assert len(stored_hashes(backups)) == 2
