"""Totals of what has ended, so that a scrape of the metrics reads a few rows and not the history."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model


class MetricTotal(Model):
    """How much of something ended up to a time; the row of the metric `counted_until` has that Unix time."""

    __tablename__ = "metric_totals"

    metric: Mapped[str] = mapped_column(String(24), primary_key=True)
    label: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[float] = mapped_column(default=0.0)
