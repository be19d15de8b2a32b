"""A pattern of a kit."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model


class KitPattern(Model):
    """A pattern at its place on the unit, which is named like a pad."""

    __tablename__ = "kit_patterns"

    kit_id: Mapped[str] = mapped_column(ForeignKey("kits.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[str] = mapped_column(String(3), primary_key=True)  # A1 to J16
    name: Mapped[str] = mapped_column(String(60))
    bars: Mapped[int]
    ptn: Mapped[str] = mapped_column(Text)  # the unit's file, compressed with zlib, in Base64
