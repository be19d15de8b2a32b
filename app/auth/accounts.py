"""Accounts: registering, checking a password, and the demo account of a local run."""

from __future__ import annotations

from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.auth import login_sessions, passwords
from app.extensions import db
from app.models import Subscription, User
from app.models.base import transaction, utcnow

DEMO_EMAIL = "demo@localhost"


class EmailTakenError(Exception):
    """There is an account with this address already."""


def register_user(email: str, password: str, timezone: str, is_proven: bool = False) -> User:
    """A new account; `is_proven` when it came by a link that was mailed to the address."""
    user = User(
        email=normalize_email(email),
        password_hash=passwords.hash_password(password),
        timezone=_valid_timezone(timezone),
        email_verified_at=utcnow() if is_proven else None,
    )
    try:
        with transaction() as session:
            session.add(user)
    except IntegrityError as error:
        raise EmailTakenError(email) from error
    return user


def authenticate(email: str, password: str) -> User | None:
    user = _find_by_email(email)
    password_hash = user.password_hash if user is not None else None
    # An unknown address takes as long as a known one.
    matches = passwords.verify_password(password_hash or passwords.DUMMY_HASH, password)
    if not matches or user is None or password_hash is None:
        return None
    if passwords.needs_rehash(password_hash):
        with transaction():
            user.password_hash = passwords.hash_password(password)
    return user


def is_current_password(user: User, password: str) -> bool:
    """Whether it is the user's present password, asked before anything that could lock them out."""
    return user.password_hash is not None and passwords.verify_password(user.password_hash, password)


def demo_user() -> User:
    """The local demo account, on the Pro plan and without a password. For embedded runs only."""
    found = _find_by_email(DEMO_EMAIL)
    if found is not None:
        return found
    with transaction() as session:
        user = User(email=DEMO_EMAIL)
        user.subscription = Subscription(plan="pro", status="active")
        session.add(user)
    return user


def start_session(user: User, address: str, agent: str) -> None:
    """A session of its own for this browser, before Flask-Login writes the cookie."""
    user.session_cookie = login_sessions.start_session(user, address, agent)


def user_from_cookie(cookie: str) -> User | None:
    """The account of a session cookie, unless the session was ended since."""
    session = login_sessions.find_session(cookie)
    if session is None:
        return None
    user = session.user
    user.session_cookie, user.session_id = cookie, session.id
    return user


def normalize_email(email: str) -> str:
    return email.strip().lower()


def timezone_names() -> list[str]:
    return sorted(name for name in available_timezones() if "/" in name or name == "UTC")


def _find_by_email(email: str) -> User | None:
    found: User | None = db.session.scalar(select(User).where(User.email == normalize_email(email)))
    return found


def _valid_timezone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        return "UTC"
