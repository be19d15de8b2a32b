"""End every way into an account (sessions, mailed links, API tokens), and say what was ended."""

from __future__ import annotations

from typing import NamedTuple

from app.auth import api_tokens, login_sessions
from app.models import User
from app.models.user_session import STOP
from app.notify import mail_links
from app.plurals import join_words, pluralize


class EndedAccess(NamedTuple):
    """How many of each were ended."""

    sessions: int
    links: int
    tokens: int

    def describe(self, session: str = "session") -> str:
        """Return what was ended as a sentence: `Ended: 2 other sessions, 1 link and 3 API tokens.`"""
        nouns = (session, "link", "API token")
        parts = [pluralize(count, noun) for count, noun in zip(self, nouns, strict=True) if count]
        return f"Ended: {join_words(parts)}." if parts else ""


def end_access(user: User, keep_session: str | None = None, with_tokens: bool = False) -> EndedAccess:
    """End every session but one, every mailed link and, if asked, every token, in the caller's transaction.

    A link that stops a change of address keeps working; otherwise a thief of the account could end it.
    """
    if keep_session is None:
        user.session_epoch += 1
    return EndedAccess(
        sessions=login_sessions.delete_sessions(user, keep_session),
        links=mail_links.revoke_every_link(user, keep=(STOP,)),
        tokens=api_tokens.revoke_every_token(user) if with_tokens else 0,
    )
