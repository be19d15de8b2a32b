"""A worker process that is alive, or was until lately."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UtcDateTime, utcnow

RUNNING, PAUSED, DRAINING = "running", "paused", "draining"
MODES = (RUNNING, PAUSED, DRAINING)
# Three heartbeats missed: it is dead, stopped, or cut off from the database.
SILENT_AFTER = timedelta(seconds=20)


class Worker(Model):
    """A worker. `mode` is set by operators, and every claim of the worker follows it."""

    __tablename__ = "workers"
    __table_args__ = (
        CheckConstraint(f"mode IN {MODES}", name="mode"),
        CheckConstraint("slots >= 1", name="slots"),
    )

    id: Mapped[str] = mapped_column(String(100), primary_key=True)  # its machine and its process id
    host: Mapped[str] = mapped_column(String(80))
    pid: Mapped[int]
    slots: Mapped[int]
    mode: Mapped[str] = mapped_column(String(8), default=RUNNING)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow, index=True)

    @property
    def is_silent(self) -> bool:
        return self.beat_at < utcnow() - SILENT_AFTER
