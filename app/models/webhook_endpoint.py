"""Endpoints that users register for events, and the deliveries to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, UtcDateTime, new_id, utcnow

JOB_COMPLETED, JOB_FAILED, EXPORT_READY = "job.completed", "job.failed", "export.ready"
KIT_EXPORT_READY, KIT_EXPORT_FAILED = "kit_export.ready", "kit_export.failed"
EVENTS = (JOB_COMPLETED, JOB_FAILED, EXPORT_READY, KIT_EXPORT_READY, KIT_EXPORT_FAILED)


class WebhookEndpoint(Model):
    __tablename__ = "webhook_endpoints"

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    url: Mapped[str] = mapped_column(String(500))
    # `whsec_…`. Each delivery is signed with it, so a hash would not do.
    secret: Mapped[str] = mapped_column(String(80))
    events: Mapped[list[str]] = mapped_column(JSON)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    disabled_because: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    # How often it has failed since it last answered with success, and since when.
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Its messages wait until then, because it failed several times in a row.
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Set while a message is being sent to it; if the worker dies, the lease expires by itself.
    sending_until: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    # The seconds that sending to it has taken in one hour; hours are numbered from 1970.
    spent_hour: Mapped[int] = mapped_column(default=0, server_default="0")
    spent_s: Mapped[float] = mapped_column(default=0.0, server_default="0")

    @property
    def is_paused(self) -> bool:
        """Return whether its messages wait because it failed several times in a row."""
        return self.disabled_at is None and self.paused_until is not None and self.paused_until > utcnow()


class WebhookDelivery(Model):
    """The delivery of one event to one endpoint. The outbox decides when it is tried."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "message_id"),
        Index("ix_webhook_deliveries_created", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    # The `webhook-id`, by which a receiver recognises a repetition.
    message_id: Mapped[str] = mapped_column(String(64))
    event: Mapped[str] = mapped_column(String(24))
    body: Mapped[str] = mapped_column(Text)
    tries: Mapped[int] = mapped_column(default=0)
    status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(300))
    tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    endpoint: Mapped[WebhookEndpoint] = relationship(lazy="joined")
