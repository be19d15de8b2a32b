"""Messages to send, written in the transaction they tell of and sent after it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app import tracing
from app.models.base import Model, UtcDateTime, utcnow
from app.models.usage import RowId

# What is left of a payload with an address that is no longer needed.
ADDRESS_REMOVED = {"to": None}


class OutboxMessage(Model):
    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "sent_at", "next_try_at"),
        Index("ix_outbox_endpoint_due", "endpoint_id", "next_try_at"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    # The account-deleted mail has no user id: the account is gone when it is sent, so its payload has the
    # address.
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(24))
    # Only for webhooks. The previous version leaves it empty; `app.notify.webhook_turns` fills it in.
    endpoint_id: Mapped[str | None] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    attempts: Mapped[int] = mapped_column(default=0)
    # Empty once the message is sent or given up.
    next_try_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=utcnow)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    # The span that made the row, to which its work is added when traces are on.
    trace_parent: Mapped[str | None] = mapped_column(String(55), default=tracing.current_traceparent)

    @property
    def may_be_sent(self) -> bool:
        """Whether the message still says what to send; a mail whose address was removed does not."""
        return self.payload != ADDRESS_REMOVED
