"""A file that was promised and goes straight to the object store; gone when it is a job."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UtcDateTime, new_id, utcnow

# The link is followed within minutes, but many megabytes over a slow line take their time.
MAX_UPLOAD_TIME = timedelta(hours=3)


class DirectUpload(Model):
    __tablename__ = "direct_uploads"

    # The job that the file becomes gets the same id.
    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.id", ondelete="CASCADE"), index=True)
    filename: Mapped[str] = mapped_column(String(200))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    export_sp404: Mapped[bool] = mapped_column(default=True)
    ai_analysis: Mapped[bool] = mapped_column(default=True)
    # Why it was not taken: said again to whoever asks again.
    refusal: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow, index=True)

    @property
    def arrival_key(self) -> str:
        """Where its link leads. Nothing is read from there but to look at it."""
        return f"incoming/{self.user_id}/{self.id}/arrived"
