"""A pad of a kit that holds a sound, or did."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model


class KitPad(Model):
    """A pad with its settings. Its sample may be in the trash, or removed for good: then it is a gap.

    A gap keeps the name and the hash of what it held. A pad with neither sample nor hash is locked empty.
    """

    __tablename__ = "kit_pads"

    kit_id: Mapped[str] = mapped_column(ForeignKey("kits.id", ondelete="CASCADE"), primary_key=True)
    pad: Mapped[str] = mapped_column(String(3), primary_key=True)  # A1 to J16
    sample_id: Mapped[str | None] = mapped_column(ForeignKey("samples.id", ondelete="SET NULL"), index=True)
    sample_name: Mapped[str] = mapped_column(String(200), default="")
    content_sha256: Mapped[str | None] = mapped_column(String(64))
    locked: Mapped[bool] = mapped_column(default=False)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)  # of `PadSettings`, with its version
