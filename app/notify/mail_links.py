"""Links in mails: signed, for one purpose, used once, and only until their time is over."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from app.extensions import db
from app.models import MailLink, User
from app.models.base import utcnow
from app.models.ownership import RowNotFoundError
from app.models.user_session import CHANGE, RESET, VERIFY
from app.notify import message_kinds, outbox, signed_tokens

LIFETIMES = {VERIFY: timedelta(days=2), RESET: timedelta(hours=1), CHANGE: timedelta(hours=24)}
KIND_BY_PURPOSE = {
    VERIFY: message_kinds.VERIFY_EMAIL,
    RESET: message_kinds.RESET_PASSWORD,
    CHANGE: message_kinds.CONFIRM_EMAIL,
}


def enqueue_link(user: User, purpose: str, email: str) -> MailLink:
    """A new link and the mail with it, inside the caller's transaction."""
    link = MailLink(user_id=user.id, purpose=purpose, email=email, expires_at=utcnow() + LIFETIMES[purpose])
    db.session.add(link)
    db.session.flush()
    outbox.enqueue(f"link:{link.id}", user.id, KIND_BY_PURPOSE[purpose], {"link_id": link.id})
    return link


def find_live_link(token: str, purpose: str) -> MailLink:
    """The live link that an address names, or 404: for a used, an old and an invented one alike."""
    link_id = signed_tokens.link_id_from_token(token, purpose)
    link = db.session.get(MailLink, link_id) if link_id is not None else None
    if link is None or link.purpose != purpose or not link.is_live:
        raise RowNotFoundError
    return link


def use_link(link: MailLink) -> bool:
    """Use a link up inside the caller's transaction; of two requests at once, one does."""
    unused = update(MailLink).where(MailLink.id == link.id, MailLink.used_at.is_(None))
    used = db.session.scalar(unused.values(used_at=utcnow()).returning(MailLink.id))
    return used is not None


def revoke_links(user: User, purpose: str) -> None:
    """None of the links that are still out does anything any more. Inside the caller's transaction."""
    out = update(MailLink).where(
        MailLink.user_id == user.id, MailLink.purpose == purpose, MailLink.used_at.is_(None)
    )
    db.session.execute(out.values(used_at=utcnow()))


def was_sent_within(user: User, purpose: str, wait: timedelta) -> bool:
    """Whether one went out so lately that another would only flood the mailbox."""
    lately = MailLink.created_at > utcnow() - wait
    mine = select(MailLink.id).where(MailLink.user_id == user.id, MailLink.purpose == purpose, lately)
    return db.session.scalar(mine.limit(1)) is not None
