"""Sessions of the pages: begun at sign-in, listed in the settings, ended one by one or all at once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete, select, update

from app.extensions import db
from app.models import User, UserSession
from app.models.base import transaction, utcnow
from app.models.display_names import visible_text

# A browser that does not come back for so long has to sign in again.
IDLE_LIMIT = timedelta(days=90)
# The first that fits: most browsers also name those they descend from.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
SEEN_UPDATE_INTERVAL = timedelta(minutes=5)


def start_session(user: User, address: str, agent: str) -> str:
    """A new session; returns what its cookie carries."""
    secret = secrets.token_urlsafe(32)
    session = UserSession(
        user_id=user.id,
        secret_sha256=_hash_secret(secret),
        address=address[:45],
        agent=describe_browser(agent),
    )
    with transaction() as database:
        database.add(session)
    return f"{secret}.{user.session_epoch}"


def find_session(cookie: str) -> UserSession | None:
    """The live session that a cookie names."""
    secret, _, epoch = cookie.partition(".")
    session = db.session.scalar(select(UserSession).where(UserSession.secret_sha256 == _hash_secret(secret)))
    if session is None or str(session.user.session_epoch) != epoch or session.seen_at < utcnow() - IDLE_LIMIT:
        return None
    if session.seen_at < utcnow() - SEEN_UPDATE_INTERVAL:
        seen = update(UserSession).where(UserSession.id == session.id)
        with transaction() as database:
            database.execute(seen.values(seen_at=utcnow()))
    return session


def list_sessions(user: User) -> list[UserSession]:
    """The sessions of a user, the latest used first."""
    live = select(UserSession).where(
        UserSession.user_id == user.id, UserSession.seen_at > utcnow() - IDLE_LIMIT
    )
    return list(db.session.scalars(live.order_by(UserSession.seen_at.desc(), UserSession.id)))


def end_session(session_id: str) -> None:
    """A copy of its cookie opens nothing from now on; a second time changes nothing."""
    with transaction() as database:
        database.execute(delete(UserSession).where(UserSession.id == session_id))


def end_all_sessions(user: User, but: str | None = None) -> None:
    """Every session of an account, but for one."""
    with transaction():
        delete_sessions(user, but)


def delete_sessions(user: User, but: str | None = None) -> None:
    """The same inside the caller's transaction."""
    ended = delete(UserSession).where(UserSession.user_id == user.id)
    db.session.execute(ended.where(UserSession.id != but) if but else ended)


def purge_idle_sessions() -> None:
    with transaction() as database:
        database.execute(delete(UserSession).where(UserSession.seen_at < utcnow() - IDLE_LIMIT))


def describe_browser(agent: str) -> str:
    """`Firefox on Windows`: enough for its owner to know it again."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return f"{browser} on {system}" if browser and system else visible_text(agent[:80])


def _hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
