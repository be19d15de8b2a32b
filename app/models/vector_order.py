"""The samples whose similarity vector is still to be made, because an older engine measured them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UtcDateTime, utcnow


class VectorOrder(Model):
    """An order for the vector of one sample. It goes when the vector is stored.

    One that failed for good stays without a due time, so that the sample is not ordered again until a new
    version of vectors comes.
    """

    __tablename__ = "vector_orders"

    sample_id: Mapped[str] = mapped_column(
        String(26), ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int]  # layout.SIMILARITY_VERSION of the vector that is wanted
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=utcnow, index=True)
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(String(200), default="")  # of the last try
