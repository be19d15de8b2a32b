"""A token for the JSON API. Only its hash is stored, so the database alone opens nothing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, UtcDateTime, new_id, utcnow
from app.models.user import User

SAMPLES_READ, SAMPLES_WRITE = "samples:read", "samples:write"
JOBS_READ, EXPORTS_WRITE = "jobs:read", "exports:write"
KITS_READ, KITS_WRITE = "kits:read", "kits:write"
ABILITIES = (SAMPLES_READ, SAMPLES_WRITE, KITS_READ, KITS_WRITE, JOBS_READ, EXPORTS_WRITE)


class ApiToken(Model):
    __tablename__ = "api_tokens"

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    # Its last characters, by which its owner recognises it.
    hint: Mapped[str] = mapped_column(String(4))
    abilities: Mapped[list[str]] = mapped_column(JSON)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    user: Mapped[User] = relationship(lazy="joined")

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= utcnow()

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and not self.is_expired

    def allows(self, ability: str) -> bool:
        return ability in self.abilities
