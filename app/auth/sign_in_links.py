"""Let an owner sign in by a mailed link while strangers guess at the account."""

from __future__ import annotations

from app.auth import guess_limits, login_sessions
from app.auth.guess_limits import LINK_REQUEST, account_key, guess_here
from app.models import MailLink, User
from app.models.base import transaction
from app.models.user_lookup import find_user
from app.models.user_session import SIGN_IN
from app.notify import mail_links


def request_link(email: str) -> None:
    """Mail a link that signs in, if the account exists; the caller can't tell whether it does.

    Sends nothing while the mailbox holds enough links that still work. Raises TooManyGuessesError when this
    network has asked for too many links.
    """
    guess_limits.reserve(guess_here(LINK_REQUEST, account_key(email)))
    mail_links.mail_bounded_link(find_user(email), SIGN_IN)


def use_link(link: MailLink) -> User | None:
    """Mark a link as used and return its user, or None if it was used meanwhile or the account changed."""
    user = link.user
    with transaction():
        is_unused = mail_links.use_link(link)
        user.proven_stamp = login_sessions.credential_stamp(user)
    return user if is_unused and user.email == link.email and user.password_hash is not None else None
