"""Links in mails: each is signed, serves one purpose, works once and expires."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update

from app.extensions import db
from app.models import DataExport, MailLink, User
from app.models.base import transaction, utcnow
from app.models.ownership import RowNotFoundError
from app.models.user_session import CHANGE, RESET, SIGN_IN, STOP, VERIFY
from app.notify import message_kinds, outbox, signed_tokens

LIFETIMES = {
    VERIFY: timedelta(days=2),
    RESET: timedelta(hours=1),
    CHANGE: timedelta(hours=24),
    STOP: timedelta(hours=72),
    SIGN_IN: timedelta(hours=2),
}
KIND_BY_PURPOSE = {
    VERIFY: message_kinds.VERIFY_EMAIL,
    RESET: message_kinds.RESET_PASSWORD,
    CHANGE: message_kinds.CONFIRM_EMAIL,
    STOP: message_kinds.CHANGE_REQUESTED,
    SIGN_IN: message_kinds.SIGN_IN_LINK,
}
# Strangers can ask for links, so a mailbox gets only this many unused ones in half a lifetime.
MAX_FRESH_LINKS = 2
MIN_MAIL_INTERVAL = timedelta(minutes=2)
# How long an expired link is kept, with the address it was mailed to.
EXPIRED_KEPT_FOR = timedelta(days=30)


class DeadLinkError(RowNotFoundError):
    """A mailed link is used, expired or forged. All three get the same answer, with 404."""


def add_link(user: User, purpose: str, email: str, **details: Any) -> MailLink:
    """Create a link inside the caller's transaction; the caller enqueues the mail that carries it."""
    until = utcnow() + LIFETIMES[purpose]
    link = MailLink(user_id=user.id, purpose=purpose, email=email, expires_at=until, **details)
    db.session.add(link)
    db.session.flush()
    return link


def enqueue_link(user: User, purpose: str, email: str, **details: Any) -> MailLink:
    """Create a link and enqueue the mail that carries it, inside the caller's transaction."""
    link = add_link(user, purpose, email, **details)
    outbox.enqueue(f"link:{link.id}", user.id, KIND_BY_PURPOSE[purpose], {"link_id": link.id})
    return link


def mail_bounded_link(user: User | None, purpose: str) -> None:
    """Mail a link that anybody can ask for, if the account has a password and its mailbox has room for it.

    The account is locked, so that simultaneous requests don't each mail a link.
    """
    if user is None:
        return
    with transaction() as session:
        account = session.get(User, user.id, with_for_update={"of": User})
        if account is not None and account.password_hash is not None and has_room(account, purpose):
            enqueue_link(account, purpose, account.email)


def find_live_link(token: str, purpose: str) -> MailLink:
    """Return the live link of a token, or raise DeadLinkError (404) if it is used, expired or forged."""
    link_id = signed_tokens.link_id_from_token(token, purpose)
    link = db.session.get(MailLink, link_id) if link_id is not None else None
    if link is None or link.purpose != purpose or not link.is_live:
        raise DeadLinkError
    return link


def use_link(link: MailLink) -> bool:
    """Mark a link as used inside the caller's transaction; return False if another request used it first."""
    unused = update(MailLink).where(MailLink.id == link.id, MailLink.used_at.is_(None))
    used = db.session.scalar(unused.values(used_at=utcnow()).returning(MailLink.id))
    return used is not None


def revoke_links(user: User, purpose: str, newer_than: MailLink | None = None) -> None:
    """Mark all unused links of a purpose, or only those newer than a link, as used, without committing."""
    unused = update(MailLink).where(
        MailLink.user_id == user.id, MailLink.purpose == purpose, MailLink.used_at.is_(None)
    )
    if newer_than is not None:
        unused = unused.where(MailLink.created_at > newer_than.created_at)
    db.session.execute(unused.values(used_at=utcnow()))


def revoke_every_link(user: User, keep: Collection[str] = ()) -> int:
    """End every outstanding link, except those of purposes to keep, inside the caller's transaction.

    Links to exports end too: their tokens are older than `links_ended_at`. Returns how many still worked.
    """
    now = utcnow()
    exports = _outstanding_exports(user)
    unused = MailLink.user_id == user.id, MailLink.used_at.is_(None), MailLink.purpose.not_in(keep)
    ended = update(MailLink).where(*unused).values(used_at=now).returning(MailLink.expires_at)
    live = sum(expires_at > now for expires_at in db.session.scalars(ended).all())
    user.links_ended_at = now
    return live + exports


def stoppable_until(user: User) -> datetime | None:
    """Return until when a change of this account's address can be stopped; None if there is none to stop."""
    until: datetime | None = db.session.scalar(
        select(func.max(MailLink.expires_at)).where(MailLink.user_id == user.id, *_stoppable())
    )
    return until


def is_reserved(email: str, user: User | None = None) -> bool:
    """Return whether another account may still go back to this address."""
    others = select(MailLink.id).where(MailLink.email == email, *_stoppable())
    if user is not None:
        others = others.where(MailLink.user_id != user.id)
    return db.session.scalar(others.limit(1)) is not None


def has_room(user: User, purpose: str) -> bool:
    """Return whether another link should be mailed; call it inside a transaction.

    If not, the mailbox holds one that works for at least half its lifetime. So strangers who ask for links
    can neither flood the mailbox nor leave its owner without one.
    """
    if was_sent_within(user, purpose, MIN_MAIL_INTERVAL):
        return False
    fresh = select(func.count()).where(
        MailLink.user_id == user.id,
        MailLink.purpose == purpose,
        MailLink.used_at.is_(None),
        MailLink.created_at > utcnow() - LIFETIMES[purpose] / 2,
    )
    return (db.session.scalar(fresh) or 0) < MAX_FRESH_LINKS


def was_sent_within(user: User, purpose: str, wait: timedelta) -> bool:
    """Return whether an unused link was sent within the given time; another would flood the mailbox."""
    is_recent = (MailLink.created_at > utcnow() - wait) & MailLink.used_at.is_(None)
    recent = select(MailLink.id).where(MailLink.user_id == user.id, MailLink.purpose == purpose, is_recent)
    return db.session.scalar(recent.limit(1)) is not None


def purge_old_links() -> None:
    """Delete links that expired more than EXPIRED_KEPT_FOR ago, and the addresses in them."""
    with transaction() as session:
        session.execute(delete(MailLink).where(MailLink.expires_at < utcnow() - EXPIRED_KEPT_FOR))


def _stoppable() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for a stop link that still works and whose change was made."""
    is_live = MailLink.used_at.is_(None), MailLink.expires_at > utcnow()
    return MailLink.purpose == STOP, MailLink.changed_at.is_not(None), *is_live


def _outstanding_exports(user: User) -> int:
    """Return how many exports have a mailed link that still works."""
    ready = select(func.count()).where(DataExport.user_id == user.id, DataExport.ready_at.is_not(None))
    if user.links_ended_at is not None:
        ready = ready.where(DataExport.ready_at > user.links_ended_at)
    return db.session.scalar(ready) or 0
