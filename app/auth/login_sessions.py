"""Create, find, list and end the login sessions of browsers."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, delete, select, update

from app.extensions import db
from app.models import User, UserSession
from app.models.base import transaction, utcnow
from app.models.display_names import visible_text

# A browser that stays away for longer has to sign in again.
IDLE_LIMIT = timedelta(days=90)
# The first match counts: most browsers also name the browsers they descend from.
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
# `seen_at` is written at most this often, so that reading pages does not write to the database.
SEEN_UPDATE_INTERVAL = timedelta(minutes=5)


class AccessEndedError(Exception):
    """The password was changed, or every session ended, while somebody was signing in."""


def credential_stamp(user: User) -> str:
    """Return what changes with the password, and when every session is ended."""
    return hashlib.sha256(f"{user.session_epoch}:{user.password_hash}".encode()).hexdigest()[:16]


def start_session(user: User, address: str, agent: str) -> str:
    """Create a session and return the value of its cookie.

    Raises AccessEndedError when the password was changed, or every session ended, since the user proved who
    they are.
    """
    secret = secrets.token_urlsafe(32)
    session = UserSession(
        user_id=user.id,
        secret_sha256=_hash_secret(secret),
        address=address[:45],
        agent=describe_browser(agent),
    )
    with transaction() as database:
        row = select(User).where(User.id == user.id).with_for_update(of=User)
        now = database.scalar(row.execution_options(populate_existing=True))
        if now is None or (user.proven_stamp and user.proven_stamp != credential_stamp(now)):
            raise AccessEndedError
        database.add(session)
        epoch = now.session_epoch
    return f"{secret}.{epoch}"


def find_session(cookie: str) -> UserSession | None:
    """Return the live session of a cookie, and note that it was seen."""
    secret, _, epoch = cookie.partition(".")
    session = db.session.scalar(_select_session(), {"secret": _hash_secret(secret)})
    if session is None or str(session.user.session_epoch) != epoch or session.seen_at < utcnow() - IDLE_LIMIT:
        return None
    if session.user.closed_at is not None:  # the account was closed during this sign-in
        return None
    if session.seen_at < utcnow() - SEEN_UPDATE_INTERVAL:
        this_row = update(UserSession).where(UserSession.id == session.id)
        with transaction() as database:
            database.execute(this_row.values(seen_at=utcnow()))
    return session


def find_live_row(cookie: str, about_user: Select[*tuple[Any, ...]]) -> tuple[str, tuple[Any, ...]] | None:
    """Return the user's id and the other columns of a statement about users, for a cookie's live session.

    One statement reads both. Return None when there is no such session, or when it is time to note that it
    was seen. The first column of `about_user` is the user's id.
    """
    secret, _, epoch = cookie.partition(".")
    values = {"secret": _hash_secret(secret)}
    row = db.session.connection().execute(_join_session(about_user), values).one_or_none()
    if row is None:
        return None
    seen_at, session_epoch, closed_at, user_id, *found = row
    is_live = str(session_epoch) == epoch and closed_at is None
    return (user_id, tuple(found)) if is_live and seen_at >= utcnow() - SEEN_UPDATE_INTERVAL else None


@lru_cache(maxsize=1)
def _select_session() -> Select[UserSession]:
    return select(UserSession).where(UserSession.secret_sha256 == bindparam("secret"))


@lru_cache(maxsize=8)
def _join_session(about_user: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Select a live session by its secret, together with what a statement tells of its user."""
    signed_in = UserSession.seen_at, User.session_epoch, User.closed_at
    this_one = UserSession.secret_sha256 == bindparam("secret")
    both = about_user.join(UserSession, UserSession.user_id == User.id).where(this_one)
    return both.with_only_columns(*signed_in, *about_user.selected_columns).group_by(*signed_in)


def list_sessions(user: User) -> list[UserSession]:
    """Return the user's live sessions, the most recently used first."""
    live = select(UserSession).where(
        UserSession.user_id == user.id, UserSession.seen_at > utcnow() - IDLE_LIMIT
    )
    return list(db.session.scalars(live.order_by(UserSession.seen_at.desc(), UserSession.id)))


def end_session(session_id: str) -> None:
    """End a session, so that its cookie and every copy of it stop working; safe to call twice."""
    with transaction() as database:
        database.execute(delete(UserSession).where(UserSession.id == session_id))


def delete_sessions(user: User, keep_id: str | None = None) -> int:
    """Delete the sessions of an account, except one if given, inside the caller's transaction.

    Returns how many were live.
    """
    ended = delete(UserSession).where(UserSession.user_id == user.id).returning(UserSession.seen_at)
    seen = db.session.scalars(ended.where(UserSession.id != keep_id) if keep_id else ended)
    return sum(each > utcnow() - IDLE_LIMIT for each in seen.all())


def purge_idle_sessions() -> None:
    """Delete the sessions that have been idle for longer than IDLE_LIMIT."""
    with transaction() as database:
        database.execute(delete(UserSession).where(UserSession.seen_at < utcnow() - IDLE_LIMIT))


def describe_browser(agent: str) -> str:
    """Return a name such as `Firefox on Windows`, by which the owner recognises the session."""
    return recognised_browser(agent) or visible_text(agent[:80])


def recognised_browser(agent: str) -> str:
    """Return a name such as `Firefox on Windows`, or an empty text for a browser that is not in our lists."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return f"{browser} on {system}" if browser and system else ""


def _hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
