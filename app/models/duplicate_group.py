"""Duplicates: which samples of a library are the same recording, and what was freed of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UtcDateTime, new_id, utcnow

FREEING, FREED, UNDOING, UNDONE = "freeing", "freed", "undoing", "undone"


class DuplicateGroup(Model):
    """The samples of one recording. Those in the trash still belong to it, but are not counted.

    Every member holds the same audio as its anchor, or was compared with it and confirmed. A group with one
    sample is on no page: it has no bytes to spare.
    """

    __tablename__ = "duplicate_groups"
    __table_args__ = (Index("ix_duplicate_groups_space", "user_id", "spare_bytes", "id"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # No foreign keys: another member takes the place of a sample that is gone.
    anchor_id: Mapped[str] = mapped_column(String(26))
    kept_id: Mapped[str | None] = mapped_column(String(26))  # stays when the others are freed
    is_chosen: Mapped[bool] = mapped_column(default=False)  # whether its user chose the one to keep
    # The same in groups that their user has told apart. They are never put together.
    told_apart: Mapped[str | None] = mapped_column(String(26))
    samples: Mapped[int] = mapped_column(default=0)  # those not in the trash
    spare_bytes: Mapped[int] = mapped_column(BigInteger, default=0)  # of all but the one that is kept


class DuplicateMember(Model):
    """A sample in its group."""

    __tablename__ = "duplicate_members"

    sample_id: Mapped[str] = mapped_column(ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[str] = mapped_column(ForeignKey("duplicate_groups.id", ondelete="CASCADE"), index=True)


class DuplicateCleanup(Model):
    """A user's order to free duplicates. What it moves to the trash has its time as the time of deletion."""

    __tablename__ = "duplicate_cleanups"
    __table_args__ = (Index("ix_duplicate_cleanups_user", "user_id", "requested_at"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # When its first samples were moved to the trash, once they are.
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    state: Mapped[str] = mapped_column(String(8), default=FREEING, index=True)
    group_ids: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))  # None for all groups
    samples: Mapped[int] = mapped_column(default=0)  # in the trash because of it
    freed_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    problem: Mapped[str | None] = mapped_column(Text)  # why it could not be undone
