"""Paid uploads beyond the quota: who agreed to them, up to what cost, and where Stripe counts differently."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UtcDateTime, utcnow


class OverageConsent(Model):
    """A user's consent. It holds for one subscription; a new subscription needs a new one."""

    __tablename__ = "overages"
    __table_args__ = (CheckConstraint("cap_cents > 0", name="cap"),)

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    customer_id: Mapped[str] = mapped_column(String(64))
    subscription_id: Mapped[str] = mapped_column(String(64))
    cap_cents: Mapped[int]  # in a calendar month of the user's time zone
    is_on: Mapped[bool] = mapped_column(default=True)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow, onupdate=utcnow)


class MeterDifference(Model):
    """A day in UTC on which Stripe counted more or fewer uploads than the ledger."""

    __tablename__ = "meter_differences"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    ours: Mapped[int]
    theirs: Mapped[int]
    found_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
