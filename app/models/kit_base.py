"""What a kit keeps of the project of the unit that it was imported from."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UtcDateTime, utcnow


class KitBase(Model):
    """A ZIP with patterns, pictures, unknown files and bytes. Copies of a kit share it; it never changes."""

    __tablename__ = "kit_bases"

    kit_id: Mapped[str] = mapped_column(ForeignKey("kits.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    store_key: Mapped[str] = mapped_column(String(200), index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
