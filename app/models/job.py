"""A processing job: the row is the job, and everything a worker does is fenced by its lease."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, UtcDateTime, new_id, utcnow
from app.models.sample import Sample
from app.models.user import User

PENDING, PROCESSING = "pending", "processing"
COMPLETED, FAILED, CANCELLED = "completed", "failed", "cancelled"
UNFINISHED = (PENDING, PROCESSING)
# A job of an upload makes a sample; the others are about one that is there.
UPLOAD, ANALYSE, DESCRIBE = "upload", "analyse", "describe"
STORED, DECODED, ANALYSED, DESCRIBED, READY = "stored", "decoded", "analysed", "described", "ready"
# Which steps a purpose has. The worker and the cards both go by this.
STEPS = {
    UPLOAD: (STORED, DECODED, ANALYSED, DESCRIBED, READY),
    ANALYSE: (STORED, DECODED, ANALYSED, READY),
    DESCRIBE: (STORED, DESCRIBED, READY),
}
MAX_ATTEMPTS = 3


class Batch(Model):
    """Files dropped together: they get one message when the last of them is done."""

    __tablename__ = "batches"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # How many files the browser announced, and how many of them never became a job.
    expected: Mapped[int] = mapped_column(default=1)
    refused: Mapped[int] = mapped_column(default=0)
    # Set once everything is done and the message, if one is wanted, is promised.
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    touched_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    jobs: Mapped[list[Job]] = relationship(back_populates="batch", order_by="Job.id")


class Job(Model):
    __tablename__ = "processing_jobs"
    __table_args__ = (
        # The claim reads the line of a tier by the first, and one user's place in it by the second.
        Index("ix_processing_jobs_ready", "state", "priority", "run_at", "id"),
        Index("ix_processing_jobs_line", "state", "priority", "user_id", "run_at", "id"),
        Index("ix_processing_jobs_user_state", "user_id", "state"),
        Index("ix_processing_jobs_finished", "state", "finished_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.id", ondelete="CASCADE"), index=True)
    sample_id: Mapped[str | None] = mapped_column(ForeignKey("samples.id", ondelete="SET NULL"), index=True)

    purpose: Mapped[str] = mapped_column(String(12), default=UPLOAD, server_default=UPLOAD)
    filename: Mapped[str] = mapped_column(String(200))
    format: Mapped[str] = mapped_column(String(16))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    content_sha256: Mapped[str] = mapped_column(String(64))
    incoming_key: Mapped[str] = mapped_column(String(200))

    state: Mapped[str] = mapped_column(String(16), default=PENDING)
    step: Mapped[str] = mapped_column(String(16), default="stored")
    tier: Mapped[str] = mapped_column(String(16))
    priority: Mapped[int] = mapped_column()  # lower runs first
    run_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    attempt: Mapped[int] = mapped_column(default=0)  # tries since it was queued, by the upload or a retry
    retries: Mapped[int] = mapped_column(default=0, server_default="0")  # how often somebody queued it again
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    worker: Mapped[str | None] = mapped_column(String(120))

    # Whether its owner asked for the unit's WAV; it is made for the player in any case.
    export_sp404: Mapped[bool] = mapped_column(default=True, server_default=true())
    # What finished steps left behind, so that a retry repeats none of them.
    results: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    error: Mapped[str | None] = mapped_column(Text)
    error_detail: Mapped[str | None] = mapped_column(Text)

    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Failed by no fault of the file, which is kept until then for another try.
    kept_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    batch: Mapped[Batch] = relationship(back_populates="jobs")
    sample: Mapped[Sample | None] = relationship()
    user: Mapped[User] = relationship()

    @property
    def title(self) -> str:
        """The file's name without its extension: what the sample is called at first."""
        stem, dot, extension = self.filename.rpartition(".")
        return stem.strip() if dot and stem.strip() and len(extension) <= 5 else self.filename

    @property
    def is_upload(self) -> bool:
        return self.purpose not in (ANALYSE, DESCRIBE)

    @property
    def original_key(self) -> str:
        """Where an upload puts its original; empty for a job about a sample, which owns no object."""
        suffix = PurePath(self.incoming_key).suffix
        return f"samples/{self.user_id}/{self.id}/original{suffix}" if self.is_upload else ""

    @property
    def sp404_key(self) -> str:
        """The same for the unit's WAV."""
        return f"samples/{self.user_id}/{self.id}/sp404.wav" if self.is_upload else ""

    @property
    def steps(self) -> tuple[str, ...]:
        return STEPS[self.purpose]

    @property
    def next_step(self) -> str:
        """What is being worked on, or will be."""
        place = self.steps.index(self.step) + 1
        return self.steps[min(place, len(self.steps) - 1)]

    @property
    def is_finished(self) -> bool:
        return self.state not in UNFINISHED

    @property
    def is_delayed(self) -> bool:
        return self.state == PENDING and self.run_at > utcnow()

    @property
    def playable_key(self) -> str | None:
        """Where the unit's WAV is: in the store as soon as the file is decoded, gone with its sample."""
        if self.sample is not None:
            return self.sample.sp404_key if self.sample.deleted_at is None else None
        return self.results.get("sp404_key")

    @property
    def has_tries_left(self) -> bool:
        return self.attempt < MAX_ATTEMPTS

    @property
    def may_be_retried(self) -> bool:
        """Somebody may queue it again: it failed, and its file is still there."""
        return self.state == FAILED and self.kept_until is not None and self.kept_until > utcnow()

    def start(self, token: str, worker: str, lease: timedelta) -> None:
        now = utcnow()
        self.state, self.attempt = PROCESSING, self.attempt + 1
        self.lease_token, self.lease_until, self.worker = token, now + lease, worker
        self.started_at, self.error, self.error_detail = now, None, None

    def release(self, run_at: datetime) -> None:
        """Back to the queue; whoever held the lease no longer does."""
        self.state, self.run_at = PENDING, run_at
        self.lease_token = self.lease_until = self.worker = None

    def retry(self, tier: str, priority: int) -> None:
        """Once more from the start of the line, with all its tries; steps that were done stay done."""
        self.state, self.run_at, self.attempt = PENDING, utcnow(), 0
        self.retries += 1
        self.tier, self.priority = tier, priority
        self.finished_at = self.kept_until = None
        self.error = self.error_detail = None

    def cancel(self, sentence: str | None = None) -> None:
        self.error = sentence
        self._finish(CANCELLED)

    def complete(self, sample: Sample) -> None:
        self.sample_id = sample.id
        self._finish(COMPLETED)
        self.step = "ready"

    def fail(self, sentence: str, detail: str | None = None, keep_for: timedelta | None = None) -> None:
        self.error, self.error_detail = sentence, detail
        self._finish(FAILED)
        self.kept_until = utcnow() + keep_for if keep_for is not None else None

    def _finish(self, state: str) -> None:
        self.state, self.finished_at = state, utcnow()
        self.lease_token = self.lease_until = None
