"""What one bank of a kit has of its own."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model


class KitBank(Model):
    """A bank that differs from a fresh one."""

    __tablename__ = "kit_banks"

    kit_id: Mapped[str] = mapped_column(ForeignKey("kits.id", ondelete="CASCADE"), primary_key=True)
    bank: Mapped[str] = mapped_column(String(1), primary_key=True)
    tempo: Mapped[int]  # in hundredths of a beat a minute
    volume: Mapped[int]
    protect: Mapped[bool]
