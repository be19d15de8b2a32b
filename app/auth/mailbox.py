"""What is done by way of somebody's mailbox: proving the address, changing it, a forgotten password."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.auth import passwords, sessions
from app.auth.accounts import EmailTakenError, normal_email
from app.extensions import db
from app.models import MailLink, User
from app.models.base import transaction, utcnow
from app.models.session import CHANGE, RESET, VERIFY
from app.notify import kinds, links, outbox

NOT_AGAIN_FOR = timedelta(minutes=2)


def ask_to_verify(user: User) -> None:
    """Mail a link that proves the address; not again within moments, nor when it is proven.

    An account without a password is the demo one, which gets no mail.
    """
    with transaction():
        wanted = user.email_verified_at is None and user.password_hash is not None
        if wanted and not links.sent_since(user, VERIFY, NOT_AGAIN_FOR):
            links.promise(user, VERIFY, user.email)


def verify(link: MailLink) -> None:
    """The link came back, so the mailbox is theirs; for another address than today's it proves nothing."""
    with transaction():
        if links.use(link) and link.user.email == link.email:
            link.user.email_verified_at = utcnow()


def ask_to_reset(email: str) -> None:
    """Mail a link for a new password, when there is such an account. Nobody is told which."""
    user = db.session.scalar(select(User).where(User.email == normal_email(email)))
    with transaction():
        if user is None or user.password_hash is None:
            return
        if not links.sent_since(user, RESET, NOT_AGAIN_FOR):
            links.promise(user, RESET, user.email)


def reset(link: MailLink, password: str) -> None:
    """A new password by a mailed link: every session ends, and no other such link works any more."""
    user, new_hash = link.user, passwords.hashed(password)
    with transaction():
        if not links.use(link) or user.email != link.email:
            return
        user.email_verified_at = user.email_verified_at or utcnow()
        _set_password(user, new_hash, None)


def change_password(user: User, password: str, this_session: str) -> None:
    """A new password: every session but this one ends."""
    new_hash = passwords.hashed(password)
    with transaction():
        _set_password(user, new_hash, this_session)


def ask_to_change(user: User, email: str) -> None:
    """Mail a link to the new address; until it comes back nothing changes."""
    with transaction():
        links.use_up(user, CHANGE)
        links.promise(user, CHANGE, normal_email(email))


def change_email(link: MailLink) -> None:
    """The link came back from the new address; the old one is told.

    Raises EmailTakenError when somebody has registered with it meanwhile.
    """
    user, old = link.user, link.user.email
    try:
        with transaction():
            if not links.use(link):
                return
            user.email, user.email_verified_at = link.email, utcnow()
            links.use_up(user, RESET)
            told = {"to": old, "email": link.email}
            outbox.promise(f"email-changed:{link.id}", user.id, kinds.EMAIL_CHANGED, told)
    except IntegrityError as error:
        raise EmailTakenError(link.email) from error


def _set_password(user: User, new_hash: str, this_session: str | None) -> None:
    user.password_hash = new_hash
    sessions.drop(user, this_session)
    links.use_up(user, RESET)
    at = utcnow()
    key = f"password:{user.id}:{at.timestamp()}"
    outbox.promise(key, user.id, kinds.PASSWORD_CHANGED, {"at": at.isoformat()})
