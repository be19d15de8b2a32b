"""The folder that backups are kept in: its names, its manifests, and what may be removed from it.

    backups/2026-11-30T04-00-00.000Z/   one backup: backup.json, rows.jsonl.gz, objects.jsonl.gz, accounts.txt
    objects/ab/abcd…                    the bytes of an object of any backup, named by their SHA-256

A backup has its name only once it is whole, and it is never changed afterwards.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.backup.errors import BackupError

log = logging.getLogger(__name__)

FORMAT = 1
SUMMARY, ROWS, OBJECTS, ACCOUNTS = "backup.json", "rows.jsonl.gz", "objects.jsonl.gz", "accounts.txt"
UNFINISHED_ENDING = ".part"
SCRATCH_PREFIX = ".copy-"
NAME_FORMAT = "%Y-%m-%dT%H-%M-%S.%f"
PART_BYTES = 1 << 20


@dataclass(frozen=True)
class SavedObject:
    """An object of the store in a backup: its bytes are the file named by `sha256`."""

    key: str
    size_bytes: int
    version: str
    sha256: str


@dataclass
class BackupSummary:
    """The contents of `backup.json`: when a backup was made, and how many rows and objects it has."""

    made_at: str
    revision: str
    files: dict[str, str] = field(default_factory=dict)  # the SHA-256 of each file beside it
    tables: dict[str, int] = field(default_factory=dict)  # the number of rows of each table
    objects: int = 0
    object_bytes: int = 0
    missing: list[str] = field(default_factory=list)  # keys that rows name, and the store did not have
    format: int = FORMAT


class BackupFolder:
    """A folder with backups of one service."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._backups, self._objects = root / "backups", root / "objects"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let nobody else change the folder, or raise BackupError if somebody is changing it."""
        for folder in (self.root, self._backups, self._objects):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.root / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BackupError(f"Another backup to {self.root} is under way.") from error
            for left in (*self.root.glob(f"{SCRATCH_PREFIX}*"), *self._backups.glob(f"*{UNFINISHED_ENDING}")):
                shutil.rmtree(left)
            yield

    def names(self) -> list[str]:
        """Return the names of the complete backups, the oldest first."""
        if not self._backups.is_dir():
            return []
        return sorted(each.name for each in self._backups.iterdir() if each.suffix != UNFINISHED_ENDING)

    def path(self, name: str, file: str = "") -> Path:
        """Return where a backup, or a file of it, is."""
        return self._backups / name / file

    @contextmanager
    def new_backup(self, made_at: datetime) -> Iterator[Path]:
        """Give a folder to write a backup into. It is a backup once this ends without an error."""
        name = f"{made_at.astimezone(UTC).strftime(NAME_FORMAT)[:-3]}Z"
        draft = self._backups / f"{name}{UNFINISHED_ENDING}"
        draft.mkdir(mode=0o700)
        try:
            yield draft
            for path in (*draft.iterdir(), draft):
                _write_through(path)
            draft.rename(self._backups / name)
            _write_through(self._backups)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def read_summary(self, name: str) -> BackupSummary:
        """Return what a backup says about itself, or raise BackupError if its files are not whole."""
        try:
            summary = BackupSummary(**json.loads(self.path(name, SUMMARY).read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise BackupError(f"{name} is no backup: {SUMMARY} can't be read.") from error
        if summary.format != FORMAT:
            raise BackupError(f"{name} has the format {summary.format}; this version reads {FORMAT}.")
        for file, sha256 in summary.files.items():
            path = self.path(name, file)
            if not path.is_file() or file_sha256(path) != sha256:
                raise BackupError(f"{name} is damaged: {file} is missing or was changed or cut.")
        return summary

    def write_summary(self, draft: Path, summary: BackupSummary) -> None:
        """Write `backup.json`, with the hashes of the files that are in the draft by then."""
        summary.files = {each.name: file_sha256(each) for each in sorted(draft.iterdir())}
        (draft / SUMMARY).write_text(json.dumps(asdict(summary), indent=1))

    def objects(self, name: str) -> Iterator[SavedObject]:
        """Yield the objects of a backup, in the order of its manifest."""
        with gzip.open(self.path(name, OBJECTS), "rt") as lines:
            for line in lines:
                yield SavedObject(*json.loads(line))

    def readable_objects(self, name: str) -> list[SavedObject] | None:
        """Return the objects of a backup; None, and a line in the log, if its manifest can't be read."""
        try:
            return list(self.objects(name))
        except (OSError, EOFError, ValueError, TypeError) as error:
            log.warning("the manifest of the backup %s can't be read: %s", name, error)
            return None

    def accounts(self, name: str) -> set[str]:
        """Return the ids of the accounts that were open when a backup was made."""
        return set(self.path(name, ACCOUNTS).read_text().split())

    def object_path(self, sha256: str) -> Path:
        """Return where the bytes with this hash are, or would be."""
        return self._objects / sha256[:2] / sha256

    def has_object(self, sha256: str, size_bytes: int) -> bool:
        """Return whether a file with this name and size is there; its bytes are not read."""
        path = self.object_path(sha256)
        return path.is_file() and path.stat().st_size == size_bytes

    def add_object(self, source: Path) -> tuple[str, int]:
        """Move a file to where its hash says, and return its hash and size."""
        sha256, size_bytes = file_sha256(source), source.stat().st_size
        target = self.object_path(sha256)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        source.replace(target)
        return sha256, size_bytes

    def remove_older(self, keep_days: int, now: datetime) -> int:
        """Remove backups older than so many days but the newest, and objects that no backup names.

        Return how many backups were removed. Call it while the folder is locked.
        """
        oldest = (now.astimezone(UTC) - timedelta(days=keep_days)).strftime(NAME_FORMAT)
        old = [name for name in self.names()[:-1] if name < oldest]
        for name in old:
            shutil.rmtree(self.path(name))
        self._remove_unnamed()
        return len(old)

    def _remove_unnamed(self) -> None:
        manifests = [self.readable_objects(name) for name in self.names()]
        if None in manifests:
            return  # nobody knows which objects that backup needs
        named = {each.sha256 for manifest in manifests for each in manifest or ()}
        for path in self._objects.rglob("*"):
            if path.is_file() and path.name not in named:
                path.unlink()


def _write_through(path: Path) -> None:
    """Have a file or a folder on the disk before what comes next."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(PART_BYTES):
            digest.update(part)
    return digest.hexdigest()
