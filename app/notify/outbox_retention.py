"""Keep addresses and finished messages in the outbox no longer than they are needed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, update

from app.models import OutboxMessage
from app.models.base import transaction, utcnow
from app.models.user import CLOSED_DOMAIN

# How long after its creation a finished message is kept, for operators and so that its key is not reused.
RETENTION = timedelta(days=30)
ADDRESS_REMOVED = {"to": None}


def spent_values(message: OutboxMessage) -> dict[str, Any]:
    """Return the new values of a message that is sent or given up: an address in its payload is removed."""
    return {"payload": ADDRESS_REMOVED} if "to" in message.payload else {}


def may_be_sent(message: OutboxMessage) -> bool:
    """Return whether a message can still be sent: a mail whose address was removed can't."""
    return bool(message.payload != ADDRESS_REMOVED)


def is_closed_address(address: str) -> bool:
    """Return whether this is the address of an account that was closed while its mail was written."""
    return address.endswith(f"@{CLOSED_DOMAIN}")


def purge_finished() -> None:
    """Delete finished messages older than RETENTION, and remove addresses from the other finished ones."""
    finished = OutboxMessage.next_try_at.is_(None)
    old = OutboxMessage.created_at < utcnow() - RETENTION
    # The previous version did not remove the address when a mail was sent.
    with_address = OutboxMessage.payload["to"].as_string().is_not(None)
    with transaction() as session:
        session.execute(delete(OutboxMessage).where(finished, old))
        session.execute(update(OutboxMessage).where(finished, with_address).values(payload=ADDRESS_REMOVED))
