"""Accounts: registering, checking a password, and the demo account of a local run."""

from __future__ import annotations

import threading
from zoneinfo import ZoneInfo, available_timezones

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import Subscription, User
from app.models.base import transaction

DEMO_EMAIL = "demo@localhost"
_hasher = PasswordHasher()
# Each check takes 64 MB on purpose; many at once must not take all there is.
_AT_ONCE = threading.Semaphore(4)
# Checked when no account is found, so that an unknown address takes as long as a known one.
_NOBODY = _hasher.hash("nobody has this password")


class EmailTakenError(Exception):
    """There is an account with this address already."""


def register(email: str, password: str, timezone: str) -> User:
    user = User(email=_normal(email), password_hash=_hasher.hash(password), timezone=_known_zone(timezone))
    try:
        with transaction() as session:
            session.add(user)
    except IntegrityError as error:
        raise EmailTakenError(email) from error
    return user


def authenticate(email: str, password: str) -> User | None:
    user = _by_email(email)
    password_hash = user.password_hash if user is not None else None
    if not _matches(password_hash or _NOBODY, password) or user is None or password_hash is None:
        return None
    if _hasher.check_needs_rehash(password_hash):
        with transaction():
            user.password_hash = _hasher.hash(password)
    return user


def demo_user() -> User:
    """The local demo account, on the Pro plan and without a password. For embedded runs only."""
    found = _by_email(DEMO_EMAIL)
    if found is not None:
        return found
    with transaction() as session:
        user = User(email=DEMO_EMAIL)
        user.subscription = Subscription(plan="pro", status="active")
        session.add(user)
    return user


def from_session(session_id: str) -> User | None:
    """The account of a session cookie, unless its sessions were ended since."""
    user_id, _, epoch = session_id.partition(".")
    user = db.session.get(User, user_id)
    return user if user is not None and str(user.session_epoch) == epoch else None


def timezones() -> list[str]:
    return sorted(name for name in available_timezones() if "/" in name or name == "UTC")


def _by_email(email: str) -> User | None:
    found: User | None = db.session.scalar(select(User).where(User.email == _normal(email)))
    return found


def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        return "UTC"


def _matches(password_hash: str, password: str) -> bool:
    try:
        with _AT_ONCE:
            return _hasher.verify(password_hash, password)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def _normal(email: str) -> str:
    return email.strip().lower()
