"""Register by a mailed link where there is a mail server, so that nobody can find out who has an account.

The account is created only when the link is opened, so a stranger cannot set the password of an address.
"""

from __future__ import annotations

from datetime import timedelta

from app.auth import guess_limits
from app.extensions import settings
from app.mail_addresses import normalize_address
from app.models.base import new_id, transaction
from app.models.user_lookup import find_user
from app.notify import message_kinds, outbox, signed_tokens
from app.notify.mail_links import DeadLinkError

LINK_LIFETIME = timedelta(days=2)


def needs_email_link() -> bool:
    """Return whether registering goes through a mailed link.

    Without a mail server people register directly: the run is their own, or its operator's choice.
    """
    return settings().smtp_url is not None


def request_link(email: str) -> None:
    """Mail a link that completes the registration, or a note that the account exists.

    The caller can't tell which of the two was mailed, or whether anything was. A mailbox that has had enough
    of them for now gets none; the links in its earlier mails still work.
    """
    if not guess_limits.take_mail(guess_limits.account_key(email)):
        return
    kind = message_kinds.REGISTER if find_user(email) is None else message_kinds.ACCOUNT_EXISTS
    with transaction():
        outbox.enqueue(f"register:{new_id()}", None, kind, {"to": normalize_address(email)})


def email_from_token(token: str) -> str:
    """Return the address a registration link was mailed to, or raise DeadLinkError (404)."""
    email = signed_tokens.registration_email(token, LINK_LIFETIME)
    if email is None:
        raise DeadLinkError
    return email
