"""Register users, check passwords, change settings, and load the user of a session cookie."""

from __future__ import annotations

from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy.exc import IntegrityError

from app.auth import login_sessions, passwords
from app.auth.hashing_queue import hashing_queue
from app.mail_addresses import normalize_address
from app.models import Subscription, User
from app.models.base import transaction, utcnow
from app.models.user_lookup import find_user
from app.notify import mail_links

DEMO_EMAIL = "demo@localhost"


class EmailTakenError(Exception):
    """Another account already has this address, or had it until a moment ago and may go back to it."""


def register_user(email: str, password: str, timezone: str, is_verified: bool = False) -> User:
    """Create an account, or raise EmailTakenError.

    Pass `is_verified` when the request came by a link that was mailed to the address.
    """
    if find_user(email) is not None or mail_links.is_reserved(normalize_address(email)):
        raise EmailTakenError(email)
    user = User(
        email=normalize_address(email),
        password_hash=passwords.hash_password(password),
        timezone=_valid_timezone(timezone),
        email_verified_at=utcnow() if is_verified else None,
    )
    try:
        with transaction() as session:
            session.add(user)
    except IntegrityError as error:
        raise EmailTakenError(email) from error
    return user


def authenticate(email: str, password: str) -> User | None:
    """Return the user with this address and password, and rehash the password if its hash is outdated.

    Raises HashingBusyError when too many passwords are being hashed.
    """
    with hashing_queue.turn():
        # Looked up only now, so that requests that wait for their turn hold no database connection.
        return _check_password(email, password)


def is_current_password(user: User, password: str) -> bool:
    """Return whether this is the user's password; asked before any change that could lock them out."""
    return user.password_hash is not None and passwords.verify_password(user.password_hash, password)


def change_settings(
    user: User, *, key_notation: str, timezone: str, autoplay: bool, mail_on_completion: bool
) -> None:
    """Save the user's settings; `timezone_changed_at` keeps a new zone from starting a new day of uploads."""
    with transaction():
        if timezone != user.timezone:
            user.timezone_changed_at = utcnow()
        user.key_notation, user.timezone = key_notation, timezone
        user.autoplay, user.mail_on_completion = autoplay, mail_on_completion


def demo_user() -> User:
    """Return the demo account of a local run: on the Pro plan and without a password."""
    user = find_user(DEMO_EMAIL)
    if user is not None:
        return user
    with transaction() as session:
        user = User(email=DEMO_EMAIL)
        user.subscription = Subscription(plan="pro", status="active")
        session.add(user)
    return user


def start_session(user: User, address: str, agent: str) -> None:
    """Create this browser's session; Flask-Login then writes its cookie. Raises AccessEndedError."""
    user.session_cookie = login_sessions.start_session(user, address, agent)


def user_from_cookie(cookie: str) -> User | None:
    """Return the user of a session cookie, or None if the session has ended."""
    session = login_sessions.find_session(cookie)
    if session is None:
        return None
    user = session.user
    user.session_cookie, user.session_id = cookie, session.id
    return user


def timezone_names() -> list[str]:
    """Return the time zones a user can choose from, sorted."""
    return sorted(name for name in available_timezones() if "/" in name or name == "UTC")


def _check_password(email: str, password: str, may_retry: bool = True) -> User | None:
    user = find_user(email)
    user_id, password_hash = (user.id, user.password_hash) if user is not None else (None, None)
    # An unknown address takes as long as a known one.
    spelling = passwords.matching_spelling(password_hash or passwords.UNKNOWN_HASH, password)
    if spelling is None or password_hash is None:
        return None
    is_old = passwords.needs_rehash(password_hash, spelling)
    new_hash = passwords.hash_password(password) if is_old else password_hash
    with transaction() as session:
        user = session.get(User, user_id, with_for_update={"of": User})
        is_unchanged = user is not None and user.password_hash == password_hash
        if user is not None and is_unchanged:
            user.password_hash = new_hash
            user.proven_stamp = login_sessions.credential_stamp(user)
    if is_unchanged:
        return user
    # Another sign-in has renewed the hash meanwhile, or the password was changed.
    return _check_password(email, password, may_retry=False) if may_retry else None


def _valid_timezone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        return "UTC"
