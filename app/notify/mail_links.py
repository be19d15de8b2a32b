"""Links in mails: each is signed, serves one purpose, works once and expires."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select, update

from app.extensions import db
from app.models import MailLink, User
from app.models.base import utcnow
from app.models.ownership import RowNotFoundError
from app.models.user_session import CHANGE, RESET, SIGN_IN, VERIFY
from app.notify import message_kinds, outbox, signed_tokens

LIFETIMES = {
    VERIFY: timedelta(days=2),
    RESET: timedelta(hours=1),
    CHANGE: timedelta(hours=24),
    SIGN_IN: timedelta(hours=2),
}
KIND_BY_PURPOSE = {
    VERIFY: message_kinds.VERIFY_EMAIL,
    RESET: message_kinds.RESET_PASSWORD,
    CHANGE: message_kinds.CONFIRM_EMAIL,
    SIGN_IN: message_kinds.SIGN_IN_LINK,
}
# Links that strangers can ask for: a mailbox gets this many unused ones in half a lifetime.
MAX_FRESH_LINKS = 2
MIN_MAIL_INTERVAL = timedelta(minutes=2)


class DeadLinkError(RowNotFoundError):
    """A mailed link is used, expired or forged. All three get the same answer, with 404."""


def enqueue_link(user: User, purpose: str, email: str) -> MailLink:
    """Create a link and enqueue the mail that carries it, inside the caller's transaction."""
    link = MailLink(user_id=user.id, purpose=purpose, email=email, expires_at=utcnow() + LIFETIMES[purpose])
    db.session.add(link)
    db.session.flush()
    outbox.enqueue(f"link:{link.id}", user.id, KIND_BY_PURPOSE[purpose], {"link_id": link.id})
    return link


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


def revoke_links(user: User, purpose: str) -> None:
    """Mark all unused links of a purpose as used, inside the caller's transaction."""
    unused = update(MailLink).where(
        MailLink.user_id == user.id, MailLink.purpose == purpose, MailLink.used_at.is_(None)
    )
    db.session.execute(unused.values(used_at=utcnow()))


def has_room(user: User, purpose: str) -> bool:
    """Return whether another link should be mailed, inside the caller's transaction.

    When it should not, the mailbox holds one that works for at least half its lifetime. So strangers who ask
    can neither flood the mailbox nor leave its owner without a link.
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
    """Return whether a link was sent within the given time, so that another would flood the mailbox."""
    is_recent = MailLink.created_at > utcnow() - wait
    recent = select(MailLink.id).where(MailLink.user_id == user.id, MailLink.purpose == purpose, is_recent)
    return db.session.scalar(recent.limit(1)) is not None
