"""Taking everything out, and ending an account: first the ZIP, then the farewell with its link."""

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
from app.models.ownership import RowNotFoundError
from app.models.webhook_endpoint import EXPORT_READY
from app.notify import message_kinds, outbox, signed_tokens, webhook_delivery

log = logging.getLogger(__name__)

ZIP_MIME = "application/zip"
# Whoever began and has not ended by then is gone.
STALLED_AFTER = timedelta(hours=1)
ARCHIVE_LIFETIME = timedelta(days=7)


def request_export(user: User) -> DataExport:
    """An export to be made; while one is, another request is the same one."""
    with transaction() as session:
        pending = session.scalar(_exports_of(user).where(DataExport.ready_at.is_(None)).limit(1))
        if pending is None:
            pending = DataExport(user_id=user.id)
            session.add(pending)
    return pending


def close_account(user: User) -> None:
    """The end of an account begins: nobody signs in any more, by password, session, token or link."""
    with transaction() as session:
        session.execute(
            delete(DataExport).where(DataExport.user_id == user.id, DataExport.ready_at.is_(None))
        )
        session.add(DataExport(user_id=user.id, then_delete=True))
        user.password_hash = None
        login_sessions.delete_sessions(user)
        session.execute(delete(ApiToken).where(ApiToken.user_id == user.id))


def list_exports(user: User) -> list[DataExport]:
    return list(db.session.scalars(_exports_of(user).order_by(DataExport.id.desc())))


def make_due_exports() -> None:
    """Make every export that waits; safe to call from anywhere, and again after a crash."""
    while (export := _claim_next()) is not None:
        _make_export(export)


def download_url(token: str) -> str:
    """Where the ZIP of a mailed link is now, for some minutes; 404 for an old or altered one."""
    key = signed_tokens.export_key_from_token(token, ARCHIVE_LIFETIME)
    if key is None:
        raise RowNotFoundError
    return open_store(settings()).url(key, content_type=ZIP_MIME, download_name="sp404mk2-sample-agent.zip")


def purge_old_exports() -> None:
    """Archives are kept for a week."""
    store, old = open_store(settings()), utcnow() - ARCHIVE_LIFETIME
    for key in store.older_than("exports/", old):
        store.delete(key)
    with transaction() as session:
        session.execute(delete(DataExport).where(DataExport.ready_at < old))


def has_due_exports() -> bool:
    """Whether an export waits that nobody is making."""
    return db.session.scalar(_due_exports()) is not None


def _due_exports() -> Select[DataExport]:
    free = or_(DataExport.started_at.is_(None), DataExport.started_at < utcnow() - STALLED_AFTER)
    return select(DataExport).where(DataExport.ready_at.is_(None), free).limit(1)


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
        # First of all, and again should it fail: nothing is deleted while it may still be charged for.
        checkout.end_subscriptions(user)
        _cancel_unfinished_jobs(user)
    size_bytes = _store_archive(user, key)
    if export.then_delete:
        _delete_account(user, key)
        return
    with transaction() as session:
        done = update(DataExport).where(DataExport.id == export.id, DataExport.ready_at.is_(None))
        session.execute(done.values(ready_at=utcnow(), size_bytes=size_bytes))
        told = {"export_id": export.id, "size_bytes": size_bytes}
        webhook_delivery.enqueue_event(user.id, EXPORT_READY, export.id, told)
        outbox.enqueue(f"export:{export.id}", user.id, message_kinds.EXPORT_READY, {"key": key})


def _store_archive(user: User, key: str) -> int:
    folder = settings().data_dir / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=folder, prefix="export-", suffix=".zip") as file:
        export_archive.write_archive(user, Path(file.name))
        open_store(settings()).put(key, Path(file.name), ZIP_MIME)
        return Path(file.name).stat().st_size


def _delete_account(user: User, key: str) -> None:
    """The rows go with the account's; the farewell is of nobody's any more and carries its address."""
    user_id, email = user.id, user.email
    with transaction() as session:
        # What was paid for them to others stays in the sums of the service, as nobody's.
        session.execute(delete(Usage).where(Usage.user_id == user_id, Usage.cost_usd == 0))
        session.execute(delete(User).where(User.id == user_id))
        outbox.enqueue(f"farewell:{user_id}", None, message_kinds.ACCOUNT_DELETED, {"to": email, "key": key})
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
