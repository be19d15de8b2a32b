"""The usage ledger. Rows are only ever added, and every quota is a sum over them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UtcDateTime, utcnow

UPLOAD, STORAGE, AI, EXPORT = "upload", "storage", "ai", "export"
# An upload over the quota is charged as upload and as overage; metered is what the customer is billed for.
OVERAGE, METERED = "overage", "metered"
# Bytes of the account's data export: they cost the service storage, but do not count towards the plan.
ARCHIVE = "archive"
RENDER = "render"  # a preview of a shaped sound that was downloaded
RowId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only INTEGER keys by itself


class Usage(Model):
    """`quantity` counts events, or bytes of storage; a returned charge is negative."""

    __tablename__ = "api_usage"
    __table_args__ = (
        # One charge and one return per subject, even when the request is repeated.
        UniqueConstraint("entry_key"),
        Index("ix_api_usage_account", "user_id", "kind", "effective_at"),
        Index("ix_api_usage_numbered", "user_id", "kind", "id"),  # what a kept total lacks
        Index("ix_api_usage_kind", "kind", "effective_at"),  # for the budget of the whole service
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    # Empty once the account is gone: what it cost the service was still spent.
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    kind: Mapped[str] = mapped_column(String(12))
    entry_key: Mapped[str] = mapped_column(String(80))
    quantity: Mapped[int] = mapped_column(BigInteger)
    cost_usd: Mapped[Decimal] = mapped_column(Numeric(12, 6), default=Decimal(0))
    # The time it counts for: a return counts for the time of its charge, so that no other day gains by it.
    effective_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


class StorageTotal(Model):
    """The sum of an account's storage rows up to a number: see `app.billing.storage_totals`."""

    __tablename__ = "storage_totals"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    up_to: Mapped[int] = mapped_column(BigInteger)  # `Usage.id` of the last row that it counts
    quantity: Mapped[int] = mapped_column(BigInteger)
