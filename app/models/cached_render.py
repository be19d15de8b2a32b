"""A cached render: what was made of an original by a recipe."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, UtcDateTime, new_id, utcnow
from app.models.sample import Sample


class Render(Model):
    """The WAV of one original and one recipe, or the ZIP of its slices, cached in the store.

    The least recently used ones make room for others. A render can be made again at any time, so it counts
    neither as a sample nor as storage of the plan.
    """

    __tablename__ = "renders"
    __table_args__ = (
        UniqueConstraint("sample_id", "recipe_sha256"),
        Index("ix_renders_used", "user_id", "used_at", "id"),  # the oldest go first
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    sample_id: Mapped[str] = mapped_column(ForeignKey("samples.id", ondelete="CASCADE"))
    recipe: Mapped[dict[str, Any]] = mapped_column(JSON)  # or its slices: it says everything
    recipe_sha256: Mapped[str] = mapped_column(String(64))
    store_key: Mapped[str] = mapped_column(String(200), index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    frames: Mapped[int]
    channels: Mapped[int]
    bpm: Mapped[float | None]
    loudness_db: Mapped[float | None]
    peaks: Mapped[bytes] = mapped_column(LargeBinary)  # 800 heights, 0..255, for the player; none of a ZIP
    done: Mapped[list[str]] = mapped_column(JSON)  # what was done, in words
    used_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    sample: Mapped[Sample] = relationship()

    @property
    def is_archive(self) -> bool:
        """Return whether this is a ZIP of slices, and not a sound."""
        return "cuts" in self.recipe
