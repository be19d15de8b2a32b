"""Delete the files and rows of a closed account, and anonymise what has to stay.

What stays: what calls to models cost, because the service paid for them; invoices and Stripe's events about
them, under Stripe's customer id, because they are the books; and what operators did, without naming the
account. None of it has the account's address, its id or the id of any of its rows.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, case, cast, delete, func, literal, or_, select, update

from app.account import account_rows
from app.ai.budget import WORDS_KEY_PREFIX
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.models import (
    AccountClosing,
    AiCall,
    AuditEntry,
    DataExport,
    Job,
    OutboxMessage,
    Sample,
    SampleChange,
    SearchRow,
    Usage,
    User,
)
from app.models.account_export import ARCHIVE_LIFETIME
from app.models.base import new_id, transaction, utcnow
from app.notify import message_kinds, outbox

BATCH_ROWS = 500
DELETED_ACCOUNT = "deleted account"


def delete_objects(user_id: str) -> None:
    """Delete every object of an account, except the ZIP that its last mail links to. Safe to repeat."""
    store, soon = open_store(settings()), utcnow() + timedelta(minutes=1)
    exports = db.session.scalars(select(DataExport).where(DataExport.user_id == user_id)).all()
    keys = [export.key for export in exports]
    db.session.commit()
    for key in keys:
        store.delete(key)
    for folder in ("incoming", "samples", "made", "kept", "projects", "exports"):
        for key in store.older_than(f"{folder}/{user_id}/", soon):
            store.delete(key)


def delete_rows(closing: AccountClosing) -> None:
    """Delete the account and everything that belongs to it, and enqueue its last mail. Safe to repeat.

    The largest tables go first, in batches, so that no other account waits for long.
    """
    user_id, email, closed_at = closing.user_id, closing.email, closing.requested_at
    kept_until = closing.archived_at + ARCHIVE_LIFETIME if closing.archived_at is not None else None
    archive = {"key": closing.archive_key, "until": _iso_time(kept_until)}
    with transaction():
        _anonymise_audit_log(user_id, email, closed_at)
    while _delete_some_jobs(user_id) or _delete_some_samples(user_id):
        pass
    with transaction() as session:
        _anonymise_audit_log(user_id, email, closed_at)
        _anonymise_ledger(user_id)
        _forget_mails_to(email, closed_at)
        deleted = session.scalar(delete(User).where(User.id == user_id).returning(User.id))
        session.execute(delete(SampleChange).where(SampleChange.user_id == user_id))
        if deleted is not None:  # else another worker was faster, and has told its owner
            payload = {"to": email} | archive
            outbox.enqueue(f"farewell:{new_id()}", None, message_kinds.ACCOUNT_DELETED, payload)
    db.session.expire_all()
    delete_objects(user_id)  # what a worker stored just before it saw that its job was cancelled


def _delete_some_jobs(user_id: str) -> bool:
    """Delete up to BATCH_ROWS jobs and the usage reports about them; return whether there were any."""
    with transaction() as session:
        ids = session.scalars(select(Job.id).where(Job.user_id == user_id).limit(BATCH_ROWS)).all()
        # The reports are for subscriptions that have ended, so Stripe charges nothing for them any more.
        keys = [f"meter:{job_id}" for job_id in ids]
        session.execute(delete(OutboxMessage).where(OutboxMessage.key.in_(keys)))
        session.execute(delete(Job).where(Job.id.in_(ids)))
    return bool(ids)


def _delete_some_samples(user_id: str) -> bool:
    with transaction() as session:
        ids = session.scalars(select(Sample.id).where(Sample.user_id == user_id).limit(BATCH_ROWS)).all()
        session.execute(delete(SearchRow).where(SearchRow.sample_id.in_(ids)))
        session.execute(delete(Sample).where(Sample.id.in_(ids)))
    return bool(ids)


def _anonymise_audit_log(user_id: str, email: str, closed_at: datetime) -> None:
    """Keep what operators did, but remove the account as operator, as subject and from the details."""
    closed = select(User.email).where(User.id == user_id).scalar_subquery()
    # From then on, the address may be another account's.
    before = (AuditEntry.actor == email) & (AuditEntry.at <= closed_at)
    own = or_(AuditEntry.user_id == user_id, AuditEntry.actor == closed, before)
    db.session.execute(update(AuditEntry).where(own).values(actor=DELETED_ACCOUNT, user_id=None))
    about = account_rows.mentions_account(user_id, email, closed_at)
    values: dict[str, Any] = {"subject": DELETED_ACCOUNT, "detail": {}}
    db.session.execute(update(AuditEntry).where(about).values(**values))


def _anonymise_ledger(user_id: str) -> None:
    """Keep the rows with costs, but remove their user and the keys that name jobs or questions."""
    db.session.execute(delete(Usage).where(Usage.user_id == user_id, Usage.cost_usd == 0))
    mine = select(Usage.id).where(Usage.user_id == user_id)
    db.session.execute(update(AiCall).where(AiCall.usage_id.in_(mine)).values(generation_id=None))
    words = Usage.entry_key.startswith(WORDS_KEY_PREFIX)
    prefix = case((words, literal(f"{WORDS_KEY_PREFIX}deleted:")), else_=literal("deleted:"))
    key = prefix.concat(cast(Usage.id, String))
    db.session.execute(update(Usage).where(Usage.user_id == user_id).values(entry_key=key))


def _forget_mails_to(email: str, closed_at: datetime) -> None:
    """Delete finished messages that carry the address itself, such as the link of the registration.

    Not what is of another account at this address: its last mail, or what was written after the closing.
    """
    to = OutboxMessage.payload["to"].as_string()
    finished = OutboxMessage.next_try_at.is_(None), OutboxMessage.user_id.is_(None)
    own = OutboxMessage.created_at <= closed_at, OutboxMessage.kind != message_kinds.ACCOUNT_DELETED
    db.session.execute(delete(OutboxMessage).where(*finished, *own, func.lower(to) == email))


def _iso_time(time: datetime | None) -> str | None:
    return time.isoformat() if time is not None else None
