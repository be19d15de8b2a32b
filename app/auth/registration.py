"""Registering by way of one's mailbox, where there is a mail server: so nobody learns who has an account.

Until the link comes back there is no account, so no password of a stranger waits in somebody's name.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from app.auth.accounts import normalize_email
from app.extensions import db, settings
from app.models import User
from app.models.base import new_id, transaction
from app.models.ownership import RowNotFoundError
from app.notify import message_kinds, outbox, signed_tokens

LINK_LIFETIME = timedelta(days=2)


def needs_email_link() -> bool:
    """A run without a mail server lets people start at once; it is their own, or its operator's choice."""
    return settings().smtp_url is not None


def request_link(email: str) -> None:
    """Mail a link that completes the registration, or that there is an account: who asks isn't told which."""
    address = normalize_email(email)
    is_known = db.session.scalar(select(User.id).where(User.email == address)) is not None
    kind = message_kinds.ACCOUNT_EXISTS if is_known else message_kinds.REGISTER
    with transaction():
        outbox.enqueue(f"register:{new_id()}", None, kind, {"to": address})


def email_from_token(token: str) -> str:
    """Whose mailbox the link came from, or 404."""
    email = signed_tokens.registration_email(token, LINK_LIFETIME)
    if email is None:
        raise RowNotFoundError
    return email
