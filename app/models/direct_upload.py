"""A file that is announced and goes straight to the object store. The row is deleted when it is a job."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UtcDateTime, new_id, utcnow
from app.models.sample_places import MAX_COLLECTION_NAME, MAX_FOLDER_PATH, SamplePlace

# The link is used within minutes, but many megabytes over a slow line take long.
MAX_UPLOAD_TIME = timedelta(hours=3)


class DirectUpload(Model):
    __tablename__ = "direct_uploads"

    # The job made of the file gets the same id.
    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.id", ondelete="CASCADE"), index=True)
    filename: Mapped[str] = mapped_column(String(200))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    export_sp404: Mapped[bool] = mapped_column(default=True)
    ai_analysis: Mapped[bool] = mapped_column(default=True)
    # Where its sample will be kept, by names; the collection is created with the job.
    collection: Mapped[str] = mapped_column(String(MAX_COLLECTION_NAME), default="", server_default="")
    folder: Mapped[str] = mapped_column(String(MAX_FOLDER_PATH), default="", server_default="")
    # Why it was refused, to give the same answer to the same request.
    refusal: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow, index=True)

    @property
    def arrival_key(self) -> str:
        """Return the key its link writes to. Bytes there are only checked; jobs work on a copy."""
        return f"incoming/{self.user_id}/{self.id}/arrived"

    @property
    def place(self) -> SamplePlace:
        """Return where its sample will be kept."""
        return SamplePlace(self.collection, self.folder)
