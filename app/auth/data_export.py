"""Export everything of an account as a ZIP, and delete accounts: their ZIP is made before anything goes."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

from sqlalchemy import Select, delete, or_, select, update

from app.auth import export_archive, login_sessions
from app.billing import checkout
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.jobs import transitions
from app.models import ApiToken, DataExport, Job, Usage, User
from app.models.base import transaction, utcnow
from app.models.job import UNFINISHED
from app.models.webhook_endpoint import EXPORT_READY
from app.notify import mail_links, message_kinds, outbox, signed_tokens, webhook_delivery
from app.notify.mail_links import DeadLinkError

log = logging.getLogger(__name__)

ZIP_MIME = "application/zip"
# A worker that has not finished an export by then is taken for dead, and another one makes it.
STALLED_AFTER = timedelta(hours=1)
ARCHIVE_LIFETIME = timedelta(days=7)


def request_export(user: User) -> DataExport:
    """Request an export; while one is pending, another request returns the same one."""
    with transaction() as session:
        pending = session.scalar(_exports_of(user).where(DataExport.ready_at.is_(None)).limit(1))
        if pending is None:
            pending = DataExport(user_id=user.id)
            session.add(pending)
    return pending


def close_account(user: User) -> None:
    """Lock an account for good and request its last export, after which it is deleted.

    From now on nobody signs in to it: its password, sessions and tokens are gone.
    """
    with transaction() as session:
        session.execute(
            delete(DataExport).where(DataExport.user_id == user.id, DataExport.ready_at.is_(None))
        )
        session.add(DataExport(user_id=user.id, then_delete=True))
        user.password_hash = None
        login_sessions.delete_sessions(user)
        session.execute(delete(ApiToken).where(ApiToken.user_id == user.id))
        mail_links.revoke_every_link(user)


def list_exports(user: User) -> list[DataExport]:
    """Return the user's exports, newest first."""
    return list(db.session.scalars(_exports_of(user).order_by(DataExport.id.desc())))


def make_due_exports() -> None:
    """Make every pending export. Safe to call from several workers, and again after a crash."""
    while (export := _claim_next()) is not None:
        _make_export(export)


def download_url(token: str) -> str:
    """Return a short-lived URL of the ZIP a mailed token stands for.

    Raises DeadLinkError (404) for an expired or altered token.
    """
    key = signed_tokens.export_key_from_token(token, ARCHIVE_LIFETIME)
    if key is None:
        raise DeadLinkError
    return open_store(settings()).url(key, content_type=ZIP_MIME, download_name="sp404mk2-sample-agent.zip")


def purge_old_exports() -> None:
    """Delete archives, and the rows of exports, older than ARCHIVE_LIFETIME."""
    store, old = open_store(settings()), utcnow() - ARCHIVE_LIFETIME
    for key in store.older_than("exports/", old):
        store.delete(key)
    with transaction() as session:
        session.execute(delete(DataExport).where(DataExport.ready_at < old))


def has_due_exports() -> bool:
    """Return whether an export is pending that no worker is making."""
    return db.session.scalar(_due_exports()) is not None


def _due_exports() -> Select[DataExport]:
    unclaimed = or_(DataExport.started_at.is_(None), DataExport.started_at < utcnow() - STALLED_AFTER)
    return select(DataExport).where(DataExport.ready_at.is_(None), unclaimed).limit(1)


def _claim_next() -> DataExport | None:
    now = utcnow()
    with transaction() as session:
        export = session.scalar(_due_exports().with_for_update(skip_locked=True, of=DataExport))
        if export is not None:
            export.started_at = now
    return export


def _make_export(export: DataExport) -> None:
    user, key = export.user, export.key
    if export.then_delete:
        # The subscription ends first, and is tried again if that fails: a deleted account is never charged.
        checkout.end_subscriptions(user)
        _cancel_unfinished_jobs(user)
    size_bytes = _store_archive(user, key)
    if export.then_delete:
        _delete_account(user, key)
        return
    with transaction() as session:
        pending = update(DataExport).where(DataExport.id == export.id, DataExport.ready_at.is_(None))
        session.execute(pending.values(ready_at=utcnow(), size_bytes=size_bytes))
        event = {"export_id": export.id, "size_bytes": size_bytes}
        webhook_delivery.enqueue_event(user.id, EXPORT_READY, export.id, event)
        outbox.enqueue(f"export:{export.id}", user.id, message_kinds.EXPORT_READY, {"key": key})


def _store_archive(user: User, key: str) -> int:
    """Write the archive to the store and return its size in bytes."""
    folder = settings().data_dir / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=folder, prefix="export-", suffix=".zip") as file:
        export_archive.write_archive(user, Path(file.name))
        open_store(settings()).put(key, Path(file.name), ZIP_MIME)
        return Path(file.name).stat().st_size


def _delete_account(user: User, key: str) -> None:
    """Delete the account's rows and files, and enqueue the account-deleted email.

    That message has no user id, as the account is gone when it is sent; it carries the address itself.
    """
    user_id, email = user.id, user.email
    with transaction() as session:
        # Rows with costs stay, without a user: they are part of the totals the service paid to others.
        session.execute(delete(Usage).where(Usage.user_id == user_id, Usage.cost_usd == 0))
        session.execute(delete(User).where(User.id == user_id))
        payload = {"to": email, "key": key}
        outbox.enqueue(f"farewell:{user_id}", None, message_kinds.ACCOUNT_DELETED, payload)
    log.info("account %s is deleted", user_id)
    store = open_store(settings())
    for prefix in (f"incoming/{user_id}/", f"samples/{user_id}/"):
        for object_key in store.older_than(prefix, utcnow() + timedelta(minutes=1)):
            store.delete(object_key)


def _cancel_unfinished_jobs(user: User) -> None:
    unfinished = select(Job.id).where(Job.user_id == user.id, Job.state.in_(UNFINISHED))
    for job_id in db.session.scalars(unfinished).all():
        transitions.cancel(job_id)


def _exports_of(user: User) -> Select[DataExport]:
    return select(DataExport).where(DataExport.user_id == user.id)
