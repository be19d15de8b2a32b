"""Keep addresses and finished messages in the outbox no longer than they are needed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, update

from app.models import OutboxMessage
from app.models.base import transaction, utcnow
from app.models.user import CLOSED_DOMAIN

# A message that was sent or given up stays so long, for operators and so that its key is not used again.
RETENTION = timedelta(days=30)
ADDRESS_REMOVED = {"to": None}


def spent_values(message: OutboxMessage) -> dict[str, Any]:
    """Return what changes in a message that is sent or given up: an address in its payload is removed."""
    return {"payload": ADDRESS_REMOVED} if "to" in message.payload else {}


def may_be_sent(message: OutboxMessage) -> bool:
    """Return whether a message still says what to send; a mail whose address was removed does not."""
    return bool(message.payload != ADDRESS_REMOVED)


def is_closed_address(address: str) -> bool:
    """Return whether this is the address of an account that was closed while its mail was written."""
    return address.endswith(f"@{CLOSED_DOMAIN}")


def purge_finished() -> None:
    """Delete messages that were sent or given up RETENTION ago, and older addresses of the others."""
    finished = OutboxMessage.next_try_at.is_(None)
    old = OutboxMessage.created_at < utcnow() - RETENTION
    # The previous version left the address in mails that were sent.
    with_address = OutboxMessage.payload["to"].as_string().is_not(None)
    with transaction() as session:
        session.execute(delete(OutboxMessage).where(finished, old))
        session.execute(update(OutboxMessage).where(finished, with_address).values(payload=ADDRESS_REMOVED))
