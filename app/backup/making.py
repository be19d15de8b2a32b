"""Make a backup: the objects of the store, the rows as of one moment, and the objects that are new by then.

An object is stored before the row that names it, so the second pass finds what the first could not know.
What was deleted between the two, such as the file of a job that ended, is there from the first. So is what
the store has lost, while the last backup has it and a row names it. Only an object that came and went between
the two passes is in neither; its key is listed as missing.
"""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

from app.backup import row_snapshot
from app.backup.backup_contents import Sealer
from app.backup.backup_folder import (
    ACCOUNTS,
    OBJECTS,
    ROWS,
    SCRATCH_PREFIX,
    BackupFolder,
    BackupSummary,
    SavedObject,
)
from app.backup.errors import BackupError
from app.extensions import settings
from app.integrations.storage import ObjectMissingError, StorageError, Store, StoredObject, open_store
from app.models.base import utcnow

PRIVATE = 0o077


class ObjectCopier:
    """Copies the store's objects into a folder, and reads none again that the last backup has unchanged.

    An object is unchanged if its key, size and version are: on disk, the version is the time of the last
    change and the inode; in a bucket, the etag and the time of the last change.
    """

    def __init__(self, folder: BackupFolder, store: Store) -> None:
        self._folder, self._store = folder, store
        last = folder.names()[-1:]
        self._known = {each.key: each for name in last for each in folder.readable_objects(name) or ()}
        self.read = 0

    def copy_all(self) -> Iterator[SavedObject]:
        """Copy what is new, and yield every object that the store has."""
        for found in self._store.list_objects():
            known = self._known.get(found.key)
            if known is not None and self._is_unchanged(known, found):
                yield known
            elif (saved := self._copy(found)) is not None:
                yield saved

    def find_copy(self, key: str) -> SavedObject | None:
        """Return the copy of an object that the store no longer has, of this backup or the last."""
        known = self._known.get(key)
        is_there = known is not None and self._folder.has_object(known.sha256, known.size_bytes)
        return known if is_there else None

    def _is_unchanged(self, known: SavedObject, found: StoredObject) -> bool:
        same = (known.size_bytes, known.version) == (found.size_bytes, found.version)
        return same and self._folder.has_object(known.sha256, known.size_bytes)

    def _copy(self, found: StoredObject) -> SavedObject | None:
        """Copy an object; None if it was deleted since it was listed."""
        with tempfile.TemporaryDirectory(dir=self._folder.root, prefix=SCRATCH_PREFIX) as scratch:
            draft = Path(scratch) / "object"
            try:
                self._store.fetch(found.key, draft)
            except ObjectMissingError:
                return None
            sha256, size_bytes = self._folder.add_object(draft)
        self.read += 1
        self._known[found.key] = SavedObject(found.key, size_bytes, found.version, sha256)
        return self._known[found.key]


def make_backup(root: Path, keep_days: int) -> tuple[str, BackupSummary, int]:
    """Make a backup and remove those older than `keep_days`.

    Return its name, its summary and how many objects were read. Raise BackupError if it can't be made; then
    the folder has the backups that it had.
    """
    mask = os.umask(PRIVATE)
    folder = BackupFolder(root)
    try:
        with folder.locked():
            summary, read = _write_backup(folder)
            folder.remove_older(keep_days, utcnow())
            return folder.names()[-1], summary, read
    except (StorageError, OSError) as error:
        raise BackupError(f"The backup was not made: {error}") from error
    finally:
        os.umask(mask)


def _write_backup(folder: BackupFolder) -> tuple[BackupSummary, int]:
    copier = ObjectCopier(folder, open_store(settings()))
    for _ in copier.copy_all():
        pass
    now, sealer = utcnow(), Sealer(settings().signing_keys)
    with folder.new_backup(now) as draft:
        snapshot = row_snapshot.write_rows(draft / ROWS, sealer, now)
        (draft / ACCOUNTS).write_text("".join(f"{each}\n" for each in snapshot.accounts))
        summary = BackupSummary(now.isoformat(), snapshot.revision, tables=snapshot.tables)
        _write_manifest(draft / OBJECTS, copier, snapshot.keys, summary)
        folder.write_summary(draft, summary)
    return summary, copier.read


def _write_manifest(target: Path, copier: ObjectCopier, named: set[str], summary: BackupSummary) -> None:
    """List every object that is in the store, and those that rows name and only the folder has."""
    unseen = set(named)
    with gzip.open(target, "wt") as manifest:
        for saved in _seen_objects(copier, unseen):
            manifest.write(json.dumps(astuple(saved)) + "\n")
            summary.objects += 1
            summary.object_bytes += saved.size_bytes
    summary.missing = sorted(unseen)


def _seen_objects(copier: ObjectCopier, unseen: set[str]) -> Iterator[SavedObject]:
    """Yield each object once, and leave in `unseen` the keys that no object has."""
    for saved in copier.copy_all():
        unseen.discard(saved.key)
        yield saved
    for key in sorted(unseen):
        if (known := copier.find_copy(key)) is not None:
            unseen.discard(key)
            yield known
