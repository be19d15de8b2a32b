"""A card that was made of a kit, as a ZIP that is kept for some days."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UtcDateTime, new_id, utcnow

CARD_LIFETIME = timedelta(days=7)


class CardExport(Model):
    """The ZIP of one export. Its id is that of the job that made it."""

    __tablename__ = "card_exports"
    __table_args__ = (Index("ix_card_exports_newest", "user_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kit_id: Mapped[str | None] = mapped_column(ForeignKey("kits.id", ondelete="SET NULL"), index=True)
    kit_name: Mapped[str] = mapped_column(String(32))
    targets: Mapped[list[str]] = mapped_column(JSON)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON)  # of the kit and of the finished files
    store_key: Mapped[str] = mapped_column(String(200), index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow, index=True)

    @property
    def kept_until(self) -> datetime:
        """Return when its ZIP is deleted."""
        return self.created_at + CARD_LIFETIME
