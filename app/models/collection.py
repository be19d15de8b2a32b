"""A collection: a named part of a library, such as a sample pack, with folders for its samples."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UtcDateTime, new_id, utcnow
from app.models.sample_places import MAX_COLLECTION_NAME, MAX_FOLDER_PATH

MAX_COLLECTIONS = 500  # of one user, without those in the trash


class Collection(Model):
    """A collection. Its samples name it; one in the trash keeps them for as long as it can be restored."""

    __tablename__ = "collections"
    __table_args__ = (UniqueConstraint("user_id", "folded_name"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(MAX_COLLECTION_NAME))
    # For comparing; folding may make a name longer. Empty in the trash, so that its name is free again.
    folded_name: Mapped[str | None] = mapped_column(String(3 * MAX_COLLECTION_NAME))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


class SampleMove(Model):
    """The place that a sample had before its latest move, kept for as long as that can be undone."""

    __tablename__ = "sample_moves"
    __table_args__ = (Index("ix_sample_moves_time", "moved_at", "sample_id"),)

    sample_id: Mapped[str] = mapped_column(ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True)
    moved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    collection_id: Mapped[str | None] = mapped_column(String(26))
    folder: Mapped[str] = mapped_column(String(MAX_FOLDER_PATH))
