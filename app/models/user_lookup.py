"""Find the account of a mail address."""

from __future__ import annotations

from sqlalchemy import select

from app.extensions import db
from app.mail_addresses import lowered_address, normalize_address
from app.models.user import User


def find_user(email: str) -> User | None:
    """Return the account of an address, however its domain is spelt.

    Two accounts can have one address in two spellings, if both were made by an earlier version. Then each is
    found by its own spelling: see migration 0018.
    """
    spellings = lowered_address(email), normalize_address(email)
    found = {user.email: user for user in db.session.scalars(select(User).where(User.email.in_(spellings)))}
    return next((found[spelling] for spelling in spellings if spelling in found), None)
