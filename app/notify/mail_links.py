"""Links in mails: each is signed, serves one purpose, works once and expires."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select, update

from app.extensions import db
from app.models import MailLink, User
from app.models.base import transaction, utcnow
from app.models.ownership import RowNotFoundError
from app.models.user_session import CHANGE, RESET, VERIFY
from app.notify import message_kinds, outbox, signed_tokens

LIFETIMES = {VERIFY: timedelta(days=2), RESET: timedelta(hours=1), CHANGE: timedelta(hours=24)}
KIND_BY_PURPOSE = {
    VERIFY: message_kinds.VERIFY_EMAIL,
    RESET: message_kinds.RESET_PASSWORD,
    CHANGE: message_kinds.CONFIRM_EMAIL,
}
# How long a link that has expired stays, with the address it was mailed to.
EXPIRED_KEPT_FOR = timedelta(days=30)


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


def revoke_every_link(user: User) -> None:
    """Mark all unused links of every purpose as used, inside the caller's transaction."""
    unused = update(MailLink).where(MailLink.user_id == user.id, MailLink.used_at.is_(None))
    db.session.execute(unused.values(used_at=utcnow()))


def was_sent_within(user: User, purpose: str, wait: timedelta) -> bool:
    """Return whether a link was sent within the given time, so that another would flood the mailbox."""
    is_recent = MailLink.created_at > utcnow() - wait
    recent = select(MailLink.id).where(MailLink.user_id == user.id, MailLink.purpose == purpose, is_recent)
    return db.session.scalar(recent.limit(1)) is not None


def purge_old_links() -> None:
    """Delete links that expired EXPIRED_KEPT_FOR ago, and the addresses in them."""
    with transaction() as session:
        session.execute(delete(MailLink).where(MailLink.expires_at < utcnow() - EXPIRED_KEPT_FOR))
