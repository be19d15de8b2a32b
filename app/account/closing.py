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
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update

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
# The right to be deleted wins: when no ZIP could be made for so long, the account is deleted without one.
# Only time counts, so that no operator who tries again costs the ZIP. But a ZIP that other steps delayed is
# tried STUCK_AFTER times.
ARCHIVE_PATIENCE = timedelta(days=3)
ACCOUNT_CLOSED = "The account was closed."


class ClosingClaim(NamedTuple):
    """The right to work on a closing, while its row has this token."""

    user_id: str
    token: str
    # The archive that a worker which died has left behind.
    leftover_key: str | None

    @property
    def archive_key(self) -> str:
        """A name in the store that only this try writes to."""
        return _key_of(self.token)

    @property
    def is_mine(self) -> tuple[ColumnElement[bool], ...]:
        """The conditions that no other worker has taken over."""
        return AccountClosing.user_id == self.user_id, AccountClosing.claim == self.token


def close_account(user: User) -> None:
    """Close an account for good; workers then delete it. Safe to call twice.

    Its address is free at once, so that its owner can register again.
    """
    with transaction() as session:
        if not quota.lock_account(user.id):
            return
        session.add(AccountClosing(user_id=user.id, email=user.email))
        user.closed_at = utcnow()
        _end_access(user)
        actions.cancel_all(user.id)
        _stop_messages(user.id)
        # Last, as it locks the row against new rows that refer to it, too.
        user.email = f"{user.id.lower()}@{CLOSED_DOMAIN}"


def finish_due_closings() -> None:
    """Continue every closing that is due. Safe to call from several workers, and again after a crash."""
    _adopt_old_closings()
    while (claim := _claim_next()) is not None:
        _work_on(claim)


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


def is_held(user_id: str) -> bool:
    """Return whether a worker is at the closing of an account."""
    closing = db.session.get(AccountClosing, user_id)
    return closing is not None and closing.is_held


def try_again_now(user_id: str) -> bool:
    """Make a closing due at once; return False when there is none, or a worker is at it."""
    waiting = or_(AccountClosing.claim.is_(None), AccountClosing.next_try_at <= utcnow())
    with transaction() as session:
        due = update(AccountClosing).where(AccountClosing.user_id == user_id, waiting)
        due = due.values(next_try_at=utcnow()).returning(AccountClosing.user_id)
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


def _claim_next() -> ClosingClaim | None:
    with transaction() as session:
        closing = session.scalar(_due_closings().with_for_update(skip_locked=True, of=AccountClosing))
        if closing is None:
            return None
        closing.next_try_at = utcnow() + WORK_LEASE
        closing.tries += 1
        token, before = secrets.token_hex(16), closing.claim
        closing.claim = token
        leftover = _key_of(before) if before is not None else None
        return ClosingClaim(closing.user_id, token, leftover if leftover != closing.archive_key else None)


def _work_on(claim: ClosingClaim) -> None:
    """Do the remaining steps of a closing; a step that fails is tried again later."""
    try:
        with keep_alive(lambda: _extend_lease(claim)):
            if claim.leftover_key is not None:
                export_archive.discard_archive(claim.leftover_key)
            while (closing := _claimed(claim)) is not None:
                step = closing.step
                _FUNCTIONS[step](closing)
                _advance(claim, step)
    except Exception as error:
        db.session.rollback()
        _postpone(claim, error)


def _claimed(claim: ClosingClaim) -> AccountClosing | None:
    """Return the closing as it is now, or None when it is done or another worker has taken it over."""
    mine = select(AccountClosing).where(*claim.is_mine).execution_options(populate_existing=True)
    closing: AccountClosing | None = db.session.scalar(mine)
    return closing


def _extend_lease(claim: ClosingClaim) -> None:
    export_archive.touch_work(claim.archive_key)
    with transaction() as session:
        mine = update(AccountClosing).where(*claim.is_mine)
        session.execute(mine.values(next_try_at=utcnow() + WORK_LEASE))


def _advance(claim: ClosingClaim, step: str) -> None:
    """Note that a step is done. After the last one the row is gone, and this changes nothing."""
    following = STEPS[min(STEPS.index(step) + 1, len(STEPS) - 1)]
    this_step = update(AccountClosing).where(*claim.is_mine, AccountClosing.step == step)
    with transaction() as session:
        session.execute(this_step.values(step=following, tries=1, last_error=None))


def _postpone(claim: ClosingClaim, error: Exception) -> None:
    with transaction():
        closing = _claimed(claim)
        if closing is None:
            return
        wait_s = RETRY_S[min(closing.tries, len(RETRY_S)) - 1]
        closing.next_try_at, closing.claim = utcnow() + timedelta(seconds=wait_s), None
        closing.last_error = redact_addresses(f"{type(error).__name__}: {error}")[:300]
        level = logging.ERROR if closing.is_stuck else logging.WARNING
        log.log(
            level,
            "account %s is not deleted yet: step %s failed at try %s",
            claim.user_id,
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
    """Store the ZIP that the last mail links to; after ARCHIVE_PATIENCE the account goes without it."""
    if closing.archived_at is not None:  # by a worker that died just after
        return
    user, email, tries = closing.user, closing.email, closing.tries
    mine = ClosingClaim(closing.user_id, closing.claim or "", None)
    if tries > STUCK_AFTER and closing.requested_at < utcnow() - ARCHIVE_PATIENCE:
        log.error("account %s is deleted without a ZIP of its data", mine.user_id)
        return
    export_archive.store_archive(user, email, mine.archive_key, skip_unreadable=tries >= STUCK_AFTER)
    if not _note_archive(mine):  # another worker has taken over, and makes or has made its own
        export_archive.discard_archive(mine.archive_key)


def _note_archive(claim: ClosingClaim) -> bool:
    """Name the stored ZIP in the closing; return False when it is another worker's by now."""
    mine = update(AccountClosing).where(*claim.is_mine, AccountClosing.step == ARCHIVE)
    noted = mine.values(archive_key=claim.archive_key, archived_at=utcnow())
    with transaction() as session:
        return session.scalar(noted.returning(AccountClosing.user_id)) is not None


def _key_of(token: str) -> str:
    return f"{FAREWELLS}{token}.zip"


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
