"""Close accounts, and delete everything in them, step by step.

Closing is one transaction: from then on nobody can sign in, no link and no token works, no job runs and no
webhook is sent. Workers do the rest. Each step can be repeated, and the row holds the next one. So a crash at
any point costs only time, and a step that fails is tried again for as long as it takes.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, delete, func, or_, select, update

from app.account import account_deletion, export_archive
from app.account.data_export import OLD_LEASE
from app.account.keep_alive import WORK_LEASE, keep_alive
from app.account.kept_archives import FAREWELLS
from app.billing import checkout, quota
from app.extensions import db
from app.jobs import actions
from app.logs import redact_addresses
from app.models import (
    AccountClosing,
    ApiToken,
    DataExport,
    OutboxMessage,
    User,
    WebhookEndpoint,
)
from app.models.account_closing import ARCHIVE, JOBS, OBJECTS, ROWS, STEPS, STUCK_AFTER, SUBSCRIPTIONS
from app.models.base import transaction, utcnow
from app.models.user import CLOSED_DOMAIN
from app.notify import mail_links

log = logging.getLogger(__name__)

RETRY_S = (60, 300, 1800, 2 * 3600, 6 * 3600)  # then every 6 hours
# The right to be deleted wins: after this many failed tries, which take about three days, the account is
# deleted without a ZIP.
ARCHIVE_TRIES = 16
ACCOUNT_CLOSED = "The account was closed."


def close_account(user: User) -> None:
    """Close an account for good; workers then delete it. Safe to call twice.

    Its address is free at once, so that its owner can register again.
    """
    with transaction() as session:
        if not quota.lock_account(user.id):
            return
        session.add(AccountClosing(user_id=user.id, email=user.email))
        user.closed_at = utcnow()
        user.email = f"{user.id.lower()}@{CLOSED_DOMAIN}"
        _end_access(user)
        actions.cancel_all(user.id)
        _stop_messages(user.id)


def finish_due_closings() -> None:
    """Continue every closing that is due. Safe to call from several workers, and again after a crash."""
    _adopt_old_closings()
    while (user_id := _claim_next()) is not None:
        _work_on(user_id)


def has_due_closings() -> bool:
    """Return whether a closing is due and no worker has it."""
    return any(db.session.scalar(due.limit(1)) is not None for due in (_due_closings(), _old_closings()))


def list_closings(limit: int = 200) -> list[AccountClosing]:
    """Return the closings that are not finished, those tried most often first."""
    rows = select(AccountClosing).order_by(AccountClosing.tries.desc(), AccountClosing.requested_at)
    return list(db.session.scalars(rows.limit(limit)))


def count_closings(stuck_only: bool = False) -> int:
    """Return how many accounts are being deleted, or how many of those fail again and again."""
    count = select(func.count()).select_from(AccountClosing)
    return db.session.scalar(count.where(AccountClosing.tries >= STUCK_AFTER) if stuck_only else count) or 0


def try_again_now(user_id: str) -> bool:
    """Make a closing due at once; return False when there is none."""
    waiting = update(AccountClosing).where(AccountClosing.user_id == user_id)
    with transaction() as session:
        due = waiting.values(next_try_at=utcnow()).returning(AccountClosing.user_id)
        return session.scalar(due) is not None


def _end_access(user: User) -> None:
    """End every way into the account. The rows stay for its ZIP, and are deleted with the account."""
    user.password_hash = None
    user.session_epoch += 1
    live = update(ApiToken).where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
    db.session.execute(live.values(revoked_at=utcnow()))
    mail_links.revoke_every_link(user)


def _stop_messages(user_id: str) -> None:
    """Stop all webhooks, mails and pending exports of the account, inside the caller's transaction."""
    now = utcnow()
    endpoints = update(WebhookEndpoint).where(
        WebhookEndpoint.user_id == user_id, WebhookEndpoint.disabled_at.is_(None)
    )
    db.session.execute(endpoints.values(disabled_at=now, disabled_because=ACCOUNT_CLOSED))
    unsent = OutboxMessage.user_id == user_id, OutboxMessage.sent_at.is_(None)
    db.session.execute(delete(OutboxMessage).where(*unsent))
    pending = update(DataExport).where(
        DataExport.user_id == user_id, DataExport.ready_at.is_(None), DataExport.failed_at.is_(None)
    )
    db.session.execute(pending.values(failed_at=now))


def _adopt_old_closings() -> None:
    """Take over accounts that the previous version has closed: there, closing was an export."""
    for export in db.session.scalars(_old_closings()).all():
        export_id, user = export.id, export.user
        close_account(user)
        with transaction() as session:
            session.execute(delete(DataExport).where(DataExport.id == export_id))


def _old_closings() -> Select[DataExport]:
    """Select the closings of the previous version that none of its workers is making."""
    untaken = or_(DataExport.started_at.is_(None), DataExport.started_at < utcnow() - OLD_LEASE)
    return select(DataExport).where(DataExport.then_delete, DataExport.ready_at.is_(None), untaken)


def _due_closings() -> Select[AccountClosing]:
    due = select(AccountClosing).where(AccountClosing.next_try_at <= utcnow())
    return due.order_by(AccountClosing.next_try_at).limit(1)


def _claim_next() -> str | None:
    with transaction() as session:
        closing = session.scalar(_due_closings().with_for_update(skip_locked=True, of=AccountClosing))
        if closing is None:
            return None
        closing.next_try_at = utcnow() + WORK_LEASE
        closing.tries += 1
        return closing.user_id


def _work_on(user_id: str) -> None:
    """Do the remaining steps of a closing; a step that fails is tried again later."""
    try:
        with keep_alive(lambda: _extend_lease(user_id)):
            while (closing := db.session.get(AccountClosing, user_id, populate_existing=True)) is not None:
                step = closing.step
                _FUNCTIONS[step](closing)
                _advance(user_id, step)
    except Exception as error:
        db.session.rollback()
        _postpone(user_id, error)


def _extend_lease(user_id: str) -> None:
    closing = db.session.get(AccountClosing, user_id)
    if closing is not None:
        export_archive.touch_work(closing.archive_key or "")
        with transaction():
            closing.next_try_at = utcnow() + WORK_LEASE


def _advance(user_id: str, step: str) -> None:
    """Record that a step is done. After the last one the row is gone, and this changes nothing."""
    following = STEPS[min(STEPS.index(step) + 1, len(STEPS) - 1)]
    this_step = update(AccountClosing).where(AccountClosing.user_id == user_id, AccountClosing.step == step)
    with transaction() as session:
        session.execute(this_step.values(step=following, tries=1, last_error=None))


def _postpone(user_id: str, error: Exception) -> None:
    with transaction() as session:
        closing = session.get(AccountClosing, user_id, populate_existing=True)
        if closing is None:
            return
        wait_s = RETRY_S[min(closing.tries, len(RETRY_S)) - 1]
        closing.next_try_at = utcnow() + timedelta(seconds=wait_s)
        closing.last_error = redact_addresses(f"{type(error).__name__}: {error}")[:300]
        level = logging.ERROR if closing.is_stuck else logging.WARNING
        log.log(
            level,
            "account %s is not deleted yet: step %s failed at try %s",
            user_id,
            closing.step,
            closing.tries,
            exc_info=error,
        )


def _end_subscriptions(closing: AccountClosing) -> None:
    """End every subscription, however many tries it takes: a deleted account is never charged."""
    checkout.end_subscriptions(closing.user)


def _cancel_jobs(closing: AccountClosing) -> None:
    with transaction():
        actions.cancel_all(closing.user_id)


def _make_archive(closing: AccountClosing) -> None:
    """Store the ZIP that the last mail links to; after ARCHIVE_TRIES, continue without one."""
    user, email, user_id, tries = closing.user, closing.email, closing.user_id, closing.tries
    key = closing.archive_key or f"{FAREWELLS}{secrets.token_hex(16)}.zip"
    with transaction():
        closing.archive_key = key  # first, so that a repetition replaces what it left behind
    if tries <= ARCHIVE_TRIES:
        export_archive.store_archive(user, email, key, skip_unreadable=tries >= STUCK_AFTER)
        values: dict[str, Any] = {"archived_at": utcnow()}
    else:
        log.error("account %s is deleted without a ZIP of its data", user_id)
        values = {"archive_key": None}
    with transaction() as session:
        session.execute(update(AccountClosing).where(AccountClosing.user_id == user_id).values(**values))


def _delete_objects(closing: AccountClosing) -> None:
    account_deletion.delete_objects(closing.user_id)


def _delete_rows(closing: AccountClosing) -> None:
    user_id = closing.user_id
    account_deletion.delete_rows(closing)
    log.info("account %s is deleted", user_id)


_FUNCTIONS: dict[str, Callable[[AccountClosing], None]] = {
    SUBSCRIPTIONS: _end_subscriptions,
    JOBS: _cancel_jobs,
    ARCHIVE: _make_archive,
    OBJECTS: _delete_objects,
    ROWS: _delete_rows,
}
