"""Keep addresses and finished messages in the outbox no longer than they are needed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, or_, update

from app.models import OutboxMessage
from app.models.account_export import ARCHIVE_LIFETIME
from app.models.base import transaction, utcnow
from app.models.outbox_message import ADDRESS_REMOVED
from app.models.user import CLOSED_DOMAIN

# How long after its creation a finished message is kept, for operators and so that its key is not reused.
RETENTION = timedelta(days=30)
# How long a mail that was given up keeps its address, so that an operator can send it again: as long as the
# ZIP of a deleted account, to which it may link, is there.
ADDRESS_KEPT_FOR = ARCHIVE_LIFETIME


def spent_values(message: OutboxMessage) -> dict[str, Any]:
    """Return the new values of a message that is sent: an address in its payload is removed."""
    return {"payload": ADDRESS_REMOVED} if "to" in message.payload else {}


def is_closed_address(address: str) -> bool:
    """Return whether this is the address of an account that was closed while its mail was written."""
    return address.endswith(f"@{CLOSED_DOMAIN}")


def purge_finished() -> None:
    """Delete finished messages older than RETENTION, and remove addresses from the other finished ones.

    Mails that were sent lose the address at once, mails that were given up after ADDRESS_KEPT_FOR.
    """
    finished = OutboxMessage.next_try_at.is_(None)
    old = OutboxMessage.created_at < utcnow() - RETENTION
    # The previous version did not remove the address when a mail was sent.
    with_address = OutboxMessage.payload["to"].as_string().is_not(None)
    is_spent = or_(OutboxMessage.sent_at.is_not(None), OutboxMessage.created_at < utcnow() - ADDRESS_KEPT_FOR)
    with transaction() as session:
        session.execute(delete(OutboxMessage).where(finished, old))
        spent = update(OutboxMessage).where(finished, with_address, is_spent)
        session.execute(spent.values(payload=ADDRESS_REMOVED))
