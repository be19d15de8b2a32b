"""Change an account's email address and password: by a mailed link, or with the current password."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.auth import login_sessions, passwords
from app.auth.accounts import EmailTakenError, normalize_email
from app.extensions import db
from app.models import MailLink, User
from app.models.base import transaction, utcnow
from app.models.user_session import CHANGE, RESET, VERIFY
from app.notify import mail_links, message_kinds, outbox

MIN_MAIL_INTERVAL = timedelta(minutes=2)


def request_verification(user: User) -> None:
    """Mail a link that verifies the address, unless it is verified or a link was sent a moment ago.

    The demo account, which has no password, gets no mail.
    """
    with transaction():
        is_needed = user.email_verified_at is None and user.password_hash is not None
        if is_needed and not mail_links.was_sent_within(user, VERIFY, MIN_MAIL_INTERVAL):
            mail_links.enqueue_link(user, VERIFY, user.email)


def verify_email(link: MailLink) -> None:
    """Mark the address as verified, if the link was mailed to the address the account still has."""
    with transaction():
        if mail_links.use_link(link) and link.user.email == link.email:
            link.user.email_verified_at = utcnow()


def request_reset(email: str) -> None:
    """Mail a link for a new password if the account exists; the caller cannot tell whether it does."""
    user = db.session.scalar(select(User).where(User.email == normalize_email(email)))
    with transaction():
        if user is None or user.password_hash is None:
            return
        if mail_links.has_room(user, RESET):
            mail_links.enqueue_link(user, RESET, user.email)


def reset_password(link: MailLink, password: str) -> None:
    """Set a new password by a mailed link, end every session and revoke all other reset links."""
    user, new_hash = link.user, passwords.hash_password(password)
    with transaction():
        if not mail_links.use_link(link) or user.email != link.email:
            return
        user.email_verified_at = user.email_verified_at or utcnow()
        _set_password(user, new_hash, None)


def change_password(user: User, password: str, this_session: str) -> None:
    """Set a new password and end every session but this one."""
    new_hash = passwords.hash_password(password)
    with transaction():
        _set_password(user, new_hash, this_session)


def request_email_change(user: User, email: str) -> None:
    """Mail a link to the new address; nothing changes until it is used."""
    with transaction():
        mail_links.revoke_links(user, CHANGE)
        mail_links.enqueue_link(user, CHANGE, normalize_email(email))


def change_email(link: MailLink) -> None:
    """Switch to the address the link was mailed to, and notify the old address.

    Raises EmailTakenError when another account has registered with the new address meanwhile.
    """
    user, old = link.user, link.user.email
    try:
        with transaction():
            if not mail_links.use_link(link):
                return
            user.email, user.email_verified_at = link.email, utcnow()
            mail_links.revoke_links(user, RESET)
            payload = {"to": old, "email": link.email}
            outbox.enqueue(f"email-changed:{link.id}", user.id, message_kinds.EMAIL_CHANGED, payload)
    except IntegrityError as error:
        raise EmailTakenError(link.email) from error


def _set_password(user: User, new_hash: str, this_session: str | None) -> None:
    user.password_hash = new_hash
    login_sessions.delete_sessions(user, keep_id=this_session)
    mail_links.revoke_links(user, RESET)
    changed_at = utcnow()
    key, payload = f"password:{user.id}:{changed_at.timestamp()}", {"at": changed_at.isoformat()}
    outbox.enqueue(key, user.id, message_kinds.PASSWORD_CHANGED, payload)
