"""A change of a kit that can be undone: what was there before, and after."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UtcDateTime, utcnow

MAX_CHANGES = 50  # kept of one kit


class KitChange(Model):
    """One change. `before` and `after` are JSON of only those values, banks and pads that it changed."""

    __tablename__ = "kit_changes"

    kit_id: Mapped[str] = mapped_column(ForeignKey("kits.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    words: Mapped[str] = mapped_column(String(120))  # what was done: "Place Dusty kick on A1"
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
