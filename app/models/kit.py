"""A kit: what a project of the unit holds, made of samples of one library."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UtcDateTime, new_id, utcnow

MAX_KITS = 200  # of one user, without those in the trash


class Kit(Model):
    """A kit's own values; its banks and pads are rows of `KitBank` and `KitPad`.

    Every change raises `revision`. `position` is the number of the latest `KitChange` that is in force: those
    after it were undone.
    """

    __tablename__ = "kits"
    __table_args__ = (Index("ix_kits_user", "user_id", "deleted_at", "id"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(32))
    tempo: Mapped[int]  # in hundredths of a beat a minute, as the unit stores it
    tempo_source: Mapped[str] = mapped_column(String(8))
    notes: Mapped[str] = mapped_column(Text, default="")
    kept: Mapped[str] = mapped_column(Text, default="")  # bytes of the unit's file without a name, in hex
    revision: Mapped[int] = mapped_column(default=1)
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
