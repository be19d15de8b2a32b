"""Confirm an account's address, and change its password by a mailed link or with the current password."""

from __future__ import annotations

from app.auth import access, passwords
from app.auth.access import EndedAccess
from app.billing import quota
from app.mail_addresses import normalize_address
from app.models import MailLink, User
from app.models.base import transaction, utcnow
from app.models.user_lookup import find_user
from app.models.user_session import RESET, VERIFY
from app.notify import mail_links, message_kinds, outbox
from app.notify.mail_links import DeadLinkError


def request_verification(user: User) -> None:
    """Mail a link that verifies the address, unless it is verified or a link was sent a moment ago.

    The demo account, which has no password, gets no mail.
    """
    with transaction():
        is_needed = user.email_verified_at is None and user.password_hash is not None
        if is_needed and not mail_links.was_sent_within(user, VERIFY, mail_links.MIN_MAIL_INTERVAL):
            mail_links.enqueue_link(user, VERIFY, user.email)


def verify_email(link: MailLink) -> None:
    """Mark the address as verified; raise DeadLinkError if the account has another address by now."""
    user = link.user
    with transaction():
        _lock_open(user)
        if not (mail_links.use_link(link) and user.email == normalize_address(link.email)):
            raise DeadLinkError
        user.email_verified_at = utcnow()


def request_reset(email: str) -> None:
    """Mail a link for a new password if the account exists; the caller cannot tell whether it does."""
    mail_links.mail_bounded_link(find_user(email), RESET)


def reset_password(link: MailLink, password: str, end_tokens: bool = False) -> EndedAccess:
    """Set a new password by a mailed link; end every session, every other link and, if asked, every token."""
    user, new_hash = link.user, passwords.hash_password(password)
    with transaction():
        _lock_open(user)
        if not mail_links.use_link(link) or user.email != normalize_address(link.email):
            raise DeadLinkError
        user.email_verified_at = user.email_verified_at or utcnow()
        return _set_password(user, new_hash, None, end_tokens)


def change_password(user: User, password: str, this_session: str, end_tokens: bool = False) -> EndedAccess:
    """Set a new password; end every session but this one, every mailed link and, if asked, every token."""
    new_hash = passwords.hash_password(password)
    with transaction():
        _lock_open(user)
        return _set_password(user, new_hash, this_session, end_tokens)


def sign_out_everywhere(user: User) -> EndedAccess:
    """End every session and every mailed link of an account."""
    with transaction():
        return access.end_access(user)


def _lock_open(user: User) -> None:
    """Lock the account before anything of it, as everywhere, so that no two wait in a circle."""
    if not quota.lock_account(user.id):  # closed while the password was being hashed
        raise DeadLinkError


def _set_password(user: User, new_hash: str, this_session: str | None, end_tokens: bool) -> EndedAccess:
    user.password_hash = new_hash
    ended = access.end_access(user, this_session, end_tokens)
    changed_at = utcnow()
    key, payload = f"password:{user.id}:{changed_at.timestamp()}", {"at": changed_at.isoformat()}
    outbox.enqueue(key, user.id, message_kinds.PASSWORD_CHANGED, payload)
    return ended
