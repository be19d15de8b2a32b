"""One run of a job by a worker, written with the claim and with the transition that ends it."""

from __future__ import annotations

import signal
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UtcDateTime, utcnow
from app.models.usage import RowId

COMPLETED, REFUSED, RETRY, FAILED = "completed", "refused", "retry", "failed"
WAITING, ABANDONED, CANCELLED = "waiting", "abandoned", "cancelled"
OUTCOMES = (COMPLETED, REFUSED, RETRY, FAILED, WAITING, ABANDONED, CANCELLED)


class Attempt(Model):
    """`outcome` is empty while it runs.

    Retry and failed: it broke on our side. Refused: the file can't be used. Waiting: a dependency was away,
    or its worker was told to stop, which does not count as a try. Abandoned: its worker was gone.
    """

    __tablename__ = "job_attempts"
    __table_args__ = (
        UniqueConstraint("token"),
        UniqueConstraint("job_id", "number"),
        CheckConstraint(f"outcome IN {OUTCOMES}", name="outcome"),
        CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name="ended"),
        Index("ix_job_attempts_ended", "ended_at"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("processing_jobs.id", ondelete="CASCADE"))
    number: Mapped[int]  # 1, 2, 3 … of this job, also when it is not counted as a try
    token: Mapped[str] = mapped_column(String(32))  # the lease it ran under
    tier: Mapped[str] = mapped_column(String(16))
    worker: Mapped[str] = mapped_column(String(120))
    wait_s: Mapped[float]  # from when it was due until it was claimed
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    run_s: Mapped[float | None]
    outcome: Mapped[str | None] = mapped_column(String(12))
    # How the engine's child ended without an answer: its exit code, or minus the signal.
    exit_status: Mapped[int | None]
    detail: Mapped[str | None] = mapped_column(Text)
    steps: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # step: seconds after the start

    @property
    def exit_words(self) -> str:
        """Return `exit code 1`, `signal 11 (SIGSEGV)`, or an empty string."""
        if self.exit_status is None:
            return ""
        if self.exit_status >= 0:
            return f"exit code {self.exit_status}"
        number = -self.exit_status
        known = number in {known.value for known in signal.Signals}
        return f"signal {number} ({signal.Signals(number).name})" if known else f"signal {number}"
