"""Record what operators do in the audit log, and make accounts operators."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.extensions import db
from app.models import AuditEntry, User
from app.models.base import transaction
from app.models.user_lookup import find_user

COMMAND_LINE = "command line"


class NoSuchAccountError(Exception):
    """No account has this email address."""


def record_action(user: User | None, action: str, subject: str, **detail: Any) -> None:
    """Record an action before it is done: a record of a failed action is better than an unrecorded one."""
    with transaction() as session:
        session.add(_audit_entry(user, action, subject, detail))


def set_admin(email: str, is_admin: bool) -> None:
    """Make an account an operator or a producer again; safe to repeat. Raise NoSuchAccountError."""
    with transaction() as session:
        user = find_user(email)
        if user is None:
            raise NoSuchAccountError(email)
        user.is_admin = is_admin
        action = "grant admin" if is_admin else "revoke admin"
        session.add(_audit_entry(None, action, email, {"user_id": user.id}))


def latest_entries(limit: int = 50, subject: str | None = None) -> list[AuditEntry]:
    """Return the newest entries of the log, or of one subject."""
    entries = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if subject is not None:
        entries = entries.where(AuditEntry.subject == subject)
    return list(db.session.scalars(entries))


def _audit_entry(user: User | None, action: str, subject: str, detail: dict[str, Any]) -> AuditEntry:
    return AuditEntry(
        user_id=user.id if user is not None else None,
        actor=user.email if user is not None else COMMAND_LINE,
        action=action,
        subject=subject[:120],
        detail=detail,
    )
