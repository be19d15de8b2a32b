"""Export everything in an account as a ZIP, at most once a day; only the newest is kept.

Its size is counted separately from the plan's storage. So an account whose storage is full still gets its
data, and no account can fill the store with ZIPs.
"""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, or_, select, update

from app.account import export_archive, kept_archives
from app.account.export_archive import NoDiskSpaceError
from app.account.keep_alive import WORK_LEASE, keep_alive
from app.billing import quota
from app.extensions import db, settings
from app.integrations.storage import StorageError, open_store
from app.models import DataExport, User
from app.models.base import transaction, utcnow
from app.models.usage import ARCHIVE
from app.models.webhook_endpoint import EXPORT_READY
from app.notify import message_kinds, outbox, webhook_delivery

log = logging.getLogger(__name__)

MIN_INTERVAL = timedelta(days=1)
RETRY_S = (60, 300, 1800, 2 * 3600, 6 * 3600)
MAX_TRIES = len(RETRY_S) + 1
# A worker of the previous version sets only `started_at`, and counts as dead after this time.
OLD_LEASE = timedelta(hours=1)


class ExportTooSoonError(Exception):
    """The last export is less than a day old; `next_at` says when another one can be made."""

    def __init__(self, next_at: datetime) -> None:
        super().__init__(f"the next export can be made at {next_at.isoformat()}")
        self.next_at = next_at


def request_export(user: User) -> DataExport:
    """Request an export; while one is pending, another request returns the same one.

    Raises ExportTooSoonError within a day of the last one. One that failed does not count.
    """
    with transaction() as session:
        quota.lock_account(user.id)
        newest = session.scalar(kept_archives.exports_of(user.id).where(DataExport.failed_at.is_(None)))
        if newest is not None and newest.is_pending:
            return newest
        next_at = _next_time(newest)
        if next_at is not None and next_at > utcnow():
            raise ExportTooSoonError(next_at)
        failed = DataExport.user_id == user.id, DataExport.failed_at.is_not(None)
        session.execute(delete(DataExport).where(*failed))
        pending = DataExport(user_id=user.id)
        session.add(pending)
    return pending


def list_exports(user: User) -> list[DataExport]:
    """Return the user's exports, newest first: at most one kept, and one pending or failed."""
    return list(db.session.scalars(kept_archives.exports_of(user.id).limit(3)))


def next_export_at(exports: list[DataExport]) -> datetime | None:
    """Return when the next export can be made, or None if that is now. `exports` are the newest first."""
    next_at = next((_next_time(export) for export in exports if export.failed_at is None), None)
    return next_at if next_at is not None and next_at > utcnow() else None


def kept_bytes(user: User) -> int:
    """Return the size of the ZIP that is kept for the user; it does not count towards the plan."""
    kept = select(func.coalesce(func.sum(DataExport.size_bytes), 0)).where(DataExport.user_id == user.id)
    return int(db.session.scalar(kept.where(DataExport.ready_at.is_not(None))) or 0)


def make_due_exports() -> None:
    """Make every pending export. Safe to call from several workers, and again after a crash."""
    while (export := _claim_next()) is not None:
        _try_export(export)


def has_due_exports() -> bool:
    """Return whether an export is due and no worker is making it."""
    return db.session.scalar(_due_exports()) is not None


def _claim_next() -> DataExport | None:
    """Claim the next due export for WORK_LEASE; its first worker chooses its storage key."""
    now = utcnow()
    with transaction() as session:
        export = session.scalar(_due_exports().with_for_update(skip_locked=True, of=DataExport))
        if export is not None:
            export.started_at, export.next_try_at = now, now + WORK_LEASE
            export.tries += 1
            # Random, so that the name in the store tells nothing about the account.
            export.storage_key = export.storage_key or f"{kept_archives.EXPORTS}{secrets.token_hex(16)}.zip"
    return export


def _due_exports() -> Select[DataExport]:
    now = utcnow()
    untaken = (
        DataExport.next_try_at.is_(None),
        or_(DataExport.started_at.is_(None), DataExport.started_at < now - OLD_LEASE),
    )
    due = or_(DataExport.next_try_at <= now, untaken[0] & untaken[1])
    pending = DataExport.ready_at.is_(None), DataExport.failed_at.is_(None), ~DataExport.then_delete
    is_open = DataExport.user_id.in_(select(User.id).where(User.closed_at.is_(None)))
    return select(DataExport).where(*pending, is_open, due).order_by(DataExport.id).limit(1)


def _try_export(export: DataExport) -> None:
    export_id, user, key, tries = export.id, export.user, export.key, export.tries
    user_id = user.id
    if tries > MAX_TRIES:  # every worker that tried has died
        _postpone(export_id, tries, is_full=False)
        return
    try:
        with keep_alive(lambda: _extend_lease(export_id, key)):
            size_bytes = export_archive.store_archive(user, user.email, key, tries >= MAX_TRIES)
        _finish_export(export_id, user_id, key, size_bytes)
    except Exception as error:
        db.session.rollback()
        log.warning("export %s failed at try %s of %s", export_id, tries, MAX_TRIES, exc_info=True)
        _postpone(export_id, tries, is_full=isinstance(error, NoDiskSpaceError))


def _extend_lease(export_id: str, key: str) -> None:
    export_archive.touch_work(key)
    taken = update(DataExport).where(DataExport.id == export_id, DataExport.ready_at.is_(None))
    with transaction() as session:
        session.execute(taken.values(next_try_at=utcnow() + WORK_LEASE))


def _finish_export(export_id: str, user_id: str, key: str, size_bytes: int) -> None:
    """Mark the export as ready and replace the one kept before, in one transaction; then tell the owner."""
    removed: list[str] = []
    with transaction() as session:
        quota.lock_account(user_id)  # before the export, as everywhere, so that no two wait in a circle
        pending = DataExport.id == export_id, DataExport.ready_at.is_(None), DataExport.failed_at.is_(None)
        export = session.scalar(select(DataExport).where(*pending).with_for_update(of=DataExport))
        if export is None:  # the account was closed meanwhile, or another worker was faster
            removed += [] if kept_archives.has_row(key) else [key]
        else:
            kept = DataExport.id != export_id, DataExport.ready_at.is_not(None)
            replaced = session.scalars(kept_archives.exports_of(export.user_id).where(*kept)).all()
            removed += [kept_archives.delete_row(old) for old in replaced]
            export.ready_at, export.size_bytes, export.next_try_at = utcnow(), size_bytes, None
            quota.add_usage(export.user_id, ARCHIVE, f"archive:{export_id}", size_bytes)
            event = {"export_id": export.id, "size_bytes": size_bytes}
            webhook_delivery.enqueue_event(export.user_id, EXPORT_READY, export.id, event)
            payload = {"key": key}
            outbox.enqueue(f"export:{export.id}", export.user_id, message_kinds.EXPORT_READY, payload)
    for old_key in removed:
        with suppress(StorageError):  # `kept_archives.purge_old_exports` finds it: no row names it any more
            open_store(settings()).delete(old_key)


def _postpone(export_id: str, tries: int, is_full: bool) -> None:
    """Schedule the next try; after the last one, tell the owner that there will be no ZIP."""
    with transaction() as session:
        export = session.get(DataExport, export_id, populate_existing=True)
        if export is None or not export.is_pending:
            return
        if tries < MAX_TRIES:
            export.next_try_at = utcnow() + timedelta(seconds=RETRY_S[tries - 1])
            return
        log.error("export %s was given up after %s tries", export_id, tries)
        export.failed_at, export.next_try_at = utcnow(), None
        outbox.enqueue(
            f"export-failed:{export_id}", export.user_id, message_kinds.EXPORT_FAILED, {"is_full": is_full}
        )


def _next_time(newest: DataExport | None) -> datetime | None:
    return newest.created_at + MIN_INTERVAL if newest is not None else None
