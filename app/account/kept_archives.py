"""Say who may download a ZIP from the store, and delete each ZIP in time."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Select, or_, select

from app.billing import quota
from app.download_names import ZIP_TYPE
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.models import DataExport, User
from app.models.account_export import ARCHIVE_LIFETIME
from app.models.base import transaction, utcnow
from app.models.usage import ARCHIVE
from app.notify import signed_tokens
from app.notify.mail_links import DeadLinkError

# The folders of the store for open accounts and for deleted ones.
EXPORTS, FAREWELLS = "exports/", "farewell/"
DOWNLOAD_NAME = "sp404mk2-sample-agent.zip"
# A ZIP that no row names is deleted at this age: its worker died before it could write the row.
MIN_STRAY_AGE = timedelta(days=1)


def exports_of(user_id: str) -> Select[DataExport]:
    """Select the exports of an account, newest first."""
    mine = select(DataExport).where(DataExport.user_id == user_id)
    return mine.order_by(DataExport.created_at.desc(), DataExport.id.desc())


def download_url(token: str) -> str:
    """Return a short-lived URL of the ZIP that a mailed token stands for.

    Raises DeadLinkError (404) for a forged or old token, and when the ZIP was replaced by a newer one or its
    account has been closed since.
    """
    key = signed_tokens.export_key_from_token(token, ARCHIVE_LIFETIME)
    if key is None or not (key.startswith(FAREWELLS) or _is_kept(key)):
        raise DeadLinkError
    return _store_url(key)


def own_url(user: User) -> str:
    """Return a short-lived URL of the user's kept ZIP, or raise DeadLinkError (404) when there is none."""
    kept = db.session.scalar(exports_of(user.id).where(DataExport.ready_at.is_not(None)))
    if kept is None:
        raise DeadLinkError
    return _store_url(kept.key)


def purge_old_exports() -> None:
    """Delete ZIPs and export rows older than ARCHIVE_LIFETIME, and ZIPs that no row names."""
    old = utcnow() - ARCHIVE_LIFETIME
    with transaction() as session:
        expired = select(DataExport).where(or_(DataExport.ready_at < old, DataExport.failed_at < old))
        for export in session.scalars(expired).all():
            delete_row(export)
    store = open_store(settings())
    for prefix in (EXPORTS, FAREWELLS):
        for key in store.older_than(prefix, old):
            store.delete(key)
    for key in store.older_than(EXPORTS, utcnow() - MIN_STRAY_AGE):
        if not _is_old_farewell(key) and not has_row(key):
            store.delete(key)


def delete_row(export: DataExport) -> str:
    """Delete a row and stop counting its bytes, inside the caller's transaction; return its ZIP's key."""
    key = export.key
    if export.size_bytes:
        quota.add_usage(export.user_id, ARCHIVE, f"archive:{export.id}:back", -export.size_bytes)
    db.session.delete(export)
    return key


def _store_url(key: str) -> str:
    return open_store(settings()).url(key, content_type=ZIP_TYPE, download_name=DOWNLOAD_NAME)


def _is_kept(key: str) -> bool:
    """Return whether the ZIP is the kept one of an open account."""
    if _is_old_farewell(key):
        return True
    export = _row_of(key)
    return export is not None and export.ready_at is not None and export.user.closed_at is None


def has_row(key: str) -> bool:
    """Return whether an export names this ZIP."""
    return _row_of(key) is not None


def _row_of(key: str) -> DataExport | None:
    """Return the export of a key. The previous version named its row: exports/<user>/<id>.zip."""
    export_id = key.rpartition("/")[2].removesuffix(".zip")
    old = DataExport.storage_key.is_(None) & (DataExport.id == export_id)
    return db.session.scalar(select(DataExport).where(or_(DataExport.storage_key == key, old)))


def _is_old_farewell(key: str) -> bool:
    """Return whether this is a ZIP that the previous version made of an account deleted since."""
    owner_id = key.removeprefix(EXPORTS).rpartition("/")[0]
    return bool(owner_id) and db.session.get(User, owner_id) is None
