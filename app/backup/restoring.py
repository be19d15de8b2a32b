"""Restore a backup into an empty database: check all of it first, then objects, then rows in one transaction.

A restore that is refused has changed nothing. One that breaks off has no row: it can be run again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from flask_migrate import downgrade, upgrade
from sqlalchemy import select

from app.account import closing
from app.backup.backup_contents import Sealer
from app.backup.backup_folder import BackupFolder, BackupSummary, SavedObject, file_sha256
from app.backup.errors import BackupError
from app.backup.row_loading import RowReader, insert_rows
from app.backup.row_snapshot import known_revisions, stored_revision
from app.extensions import Base, db, settings
from app.integrations.storage import BINARY_MIME, StorageError, Store, open_store
from app.jobs import attempt_log
from app.models import Job, User
from app.models.base import WRITE_OPTIONS, transaction, utcnow
from app.models.job import is_running
from app.models.job_attempt import WAITING
from app.search import indexing

# Tables with rows before anybody has an account: migrations and workers write them.
MAY_BE_FILLED = {"ai_switch", "metric_totals", "workers"}
SHOWN_KEYS = 5
RESTORED = "It ran when the backup was made that this database was restored from."


@dataclass(frozen=True)
class RestoreReport:
    """The numbers that the operator reads when a restore is done."""

    name: str
    rows: int
    objects: int
    requeued_jobs: int
    closed_accounts: int
    missing: list[str]


def check_backup(root: Path, name: str | None) -> tuple[str, BackupSummary]:
    """Read every row and every object of a backup; raise BackupError if anything is missing or damaged."""
    folder = BackupFolder(root)
    name = _choose(folder, name)
    summary = folder.read_summary(name)
    if summary.revision not in known_revisions():
        raise BackupError(
            f"{name} is of a newer version (revision {summary.revision}): restore it with that."
        )
    RowReader(folder, name, summary, Sealer(settings().signing_keys)).check()
    damaged = [each.key for each in folder.objects(name) if not _is_whole(folder, each)]
    if damaged:
        keys = ", ".join(damaged[:SHOWN_KEYS]) + (", …" if len(damaged) > SHOWN_KEYS else "")
        raise BackupError(f"{name} is damaged: the bytes of {len(damaged)} objects are wrong or gone: {keys}")
    return name, summary


def restore_backup(
    root: Path, name: str | None, tell: Callable[[str], None], *, close: int | None = None
) -> RestoreReport:
    """Restore a backup, by default the newest, or raise BackupError.

    `close` is how many accounts shall be closed again, because they were closed since; see `_closed_since`.
    """
    _refuse_filled_database()
    tell("Checking the backup.")
    name, summary = check_backup(root, name)
    folder = BackupFolder(root)
    closed = _closed_since(folder, name, close)
    tell(f"Storing {summary.objects:,} objects.")
    try:
        _store_objects(folder, name, open_store(settings()))
    except StorageError as error:
        raise BackupError(f"The store failed, and the database is still empty: {error}") from error
    tell(f"Inserting {sum(summary.tables.values()):,} rows.")
    _migrate_to(summary.revision)
    reader = RowReader(folder, name, summary, Sealer(settings().signing_keys))
    with db.engine.connect().execution_options(**WRITE_OPTIONS) as connection, connection.begin():
        rows = insert_rows(connection, reader)
    upgrade()
    tell("Making the search index.")
    requeued = _requeue_running_jobs()
    _close_again(closed)
    _index_libraries()
    return RestoreReport(name, rows, summary.objects, requeued, len(closed), summary.missing)


def _choose(folder: BackupFolder, name: str | None) -> str:
    names = folder.names()
    if not names:
        raise BackupError(f"There is no backup in {folder.root}.")
    if name is not None and name not in names:
        raise BackupError(f"There is no backup {name} in {folder.root}. The newest is {names[-1]}.")
    return name or names[-1]


def _is_whole(folder: BackupFolder, saved: SavedObject) -> bool:
    if not folder.has_object(saved.sha256, saved.size_bytes):
        return False
    return file_sha256(folder.object_path(saved.sha256)) == saved.sha256


def _refuse_filled_database() -> None:
    with db.engine.connect() as connection:
        there = set(sa.inspect(connection).get_table_names())
        for table in Base.metadata.sorted_tables:
            if table.name in there - MAY_BE_FILLED and connection.scalar(
                select(sa.literal(1)).select_from(table).limit(1)
            ):
                raise BackupError(
                    f"The database is not empty: {table.name} has rows. Restore into a new database, or "
                    "empty this one yourself first."
                )


def _store_objects(folder: BackupFolder, name: str, store: Store) -> None:
    for saved in folder.objects(name):
        store.put(saved.key, folder.object_path(saved.sha256), BINARY_MIME)


def _migrate_to(revision: str) -> None:
    """Give the empty database the tables that the backup was made from."""
    with db.engine.connect() as connection:
        present = stored_revision(connection)
    if present is not None and present != revision:
        downgrade(revision="base")
    upgrade(revision=revision)


def _requeue_running_jobs() -> int:
    """Put jobs whose worker is gone back into the queue, without counting the try that was cut short."""
    with transaction() as session:
        running = session.scalars(select(Job).where(is_running())).all()
        for job in running:
            attempt_log.record_end(job, WAITING, RESTORED)
            job.attempt -= 1
            job.release(utcnow())
    return len(running)


def _closed_since(folder: BackupFolder, name: str, expected: int | None) -> set[str]:
    """Return the accounts of a backup that the newest one no longer has.

    Raises BackupError unless there are as many as the operator expects: the newest backup may be that of an
    empty database, or of one whose accounts were deleted by mistake.
    """
    newest = folder.names()[-1]
    if expected == 0 or name == newest:
        return set()
    try:
        folder.read_summary(newest)
    except BackupError as error:
        raise BackupError(
            f"Nobody knows which accounts were closed since {name}, because the newest backup can't be read "
            f"({error}). Add --close 0 to restore it all the same."
        ) from error
    closed = folder.accounts(name) - folder.accounts(newest)
    if len(closed) != (expected or 0):
        raise BackupError(
            f"{len(closed):,} accounts of {name} are not in the newest backup. Add --close {len(closed)} to "
            "close them again, if their owners have closed them, or --close 0 to leave them open."
        )
    return closed


def _close_again(user_ids: set[str]) -> None:
    """Close accounts that their owners have closed since; workers then delete them."""
    for user_id in sorted(user_ids):
        if (user := db.session.get(User, user_id)) is not None:
            closing.close_account(user)


def _index_libraries() -> None:
    for user_id in db.session.scalars(select(User.id).order_by(User.id)).all():
        for _ in indexing.rebuild(user_id):
            pass
