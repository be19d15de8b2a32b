"""A file with projects of the unit that was sent, and waits until its owner has chosen what to import."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UtcDateTime, new_id, utcnow

# A failed job may be tried again for three days.
UPLOAD_LIFETIME = timedelta(days=4)


class ProjectUpload(Model):
    """The file, and what was found in it. Its jobs read it from the store; it is removed after some days."""

    __tablename__ = "project_uploads"

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    store_key: Mapped[str] = mapped_column(String(200), index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    found: Mapped[list[dict[str, Any]]] = mapped_column(JSON)  # each as `FoundKit` makes it plain
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow, index=True)
