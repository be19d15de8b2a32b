"""Everything in an account as one ZIP, requested by its owner. An account keeps only the newest."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, UtcDateTime, new_id, utcnow
from app.models.user import User

ARCHIVE_LIFETIME = timedelta(days=7)


class DataExport(Model):
    """An export is pending until `ready_at` or `failed_at` is set."""

    __tablename__ = "data_exports"

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # Set by the previous version only, where closing an account was an export.
    then_delete: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ready_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    # Set when a worker takes the export; a ZIP of the previous version has none.
    storage_key: Mapped[str | None] = mapped_column(String(80))
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    # When to try next, after a failure or the death of its worker. Empty before the first try.
    next_try_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    user: Mapped[User] = relationship(lazy="joined")

    @property
    def key(self) -> str:
        """Return the key of the ZIP in the store."""
        return self.storage_key or f"exports/{self.user_id}/{self.id}.zip"

    @property
    def is_pending(self) -> bool:
        return self.ready_at is None and self.failed_at is None

    @property
    def kept_until(self) -> datetime | None:
        """Return when the ZIP is deleted; None for one that is not ready."""
        return self.ready_at + ARCHIVE_LIFETIME if self.ready_at is not None else None
