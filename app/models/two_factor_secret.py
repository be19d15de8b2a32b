"""The second step of signing in: the secret of an authenticator app, and recovery codes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UtcDateTime


class TwoFactor(Model):
    """Required to sign in once `confirmed_at` is set; until then the secret is only shown."""

    __tablename__ = "two_factors"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[str] = mapped_column(String(64))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The half minute of the last code that was accepted, so that each works only once.
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    # SHA-256 hashes of the unused recovery codes.
    recovery: Mapped[list[str]] = mapped_column(JSON, default=list)
