"""A processing job. The row is the job, and everything a worker writes is fenced by the lease on it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any

from sqlalchemy import JSON, BigInteger, ColumnElement, ForeignKey, Index, String, Text, event, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app import logs, tracing
from app.models.base import Model, UtcDateTime, new_id, utcnow
from app.models.display_names import file_title
from app.models.sample import Sample
from app.models.user import User

PENDING, PROCESSING = "pending", "processing"
COMPLETED, FAILED, CANCELLED = "completed", "failed", "cancelled"
UNFINISHED = (PENDING, PROCESSING)
STORED, DECODED, ANALYSED, DESCRIBED, READY = "stored", "decoded", "analysed", "described", "ready"
SHAPED, UNPACKED = "shaped", "unpacked"
UPLOAD = "upload"  # the purpose of a job that makes a sample of an uploaded file
MAX_ATTEMPTS = 3
# A worker that goes away is seldom the job's fault, so a job that was running on it is started more often.
MAX_ATTEMPTS_WHEN_LOST = 6
ZIP_ENDING = ".zip"  # of the key of a ZIP whose files get jobs of their own
REQUEST_ID = "request_id"  # a result that is there from the start: the request that queued the job
OUTCOME = "outcome"  # a choice of a finished job that has more to tell than a sample


class Batch(Model):
    """Jobs queued together, such as files dropped at once: one mail is sent when the last of them is done."""

    __tablename__ = "batches"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # How many files the browser announced, and how many of those never became a job.
    expected: Mapped[int] = mapped_column(default=1)
    refused: Mapped[int] = mapped_column(default=0)
    # Set once everything is done and the mail, if one is wanted, is in the outbox.
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    touched_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    jobs: Mapped[list[Job]] = relationship(back_populates="batch", order_by="Job.id")


class Job(Model):
    """A unit of work for one user. Its purpose decides its steps; see `app.jobs.purposes`."""

    __tablename__ = "processing_jobs"
    __table_args__ = (
        # A claim reads the waiting jobs of a tier by the first index, and those of one user by the second.
        Index("ix_processing_jobs_ready", "state", "priority", "run_at", "id"),
        Index("ix_processing_jobs_line", "state", "priority", "user_id", "run_at", "id"),
        Index("ix_processing_jobs_user_state", "user_id", "state"),
        Index("ix_processing_jobs_finished", "state", "finished_at", "id"),
        Index("ix_processing_jobs_user_finished", "user_id", "finished_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.id", ondelete="CASCADE"), index=True)
    sample_id: Mapped[str | None] = mapped_column(ForeignKey("samples.id", ondelete="SET NULL"), index=True)

    # The default is for rows that a version before the purposes writes.
    purpose: Mapped[str] = mapped_column(String(12), server_default=UPLOAD)
    filename: Mapped[str] = mapped_column(String(200))
    # The uploaded file. Other jobs have none.
    format: Mapped[str | None] = mapped_column(String(16))
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    content_sha256: Mapped[str | None] = mapped_column(String(64))
    incoming_key: Mapped[str | None] = mapped_column(String(200))

    state: Mapped[str] = mapped_column(String(16), default=PENDING)
    step: Mapped[str] = mapped_column(String(16), default=STORED)
    tier: Mapped[str] = mapped_column(String(16))
    priority: Mapped[int] = mapped_column()  # lower runs first
    run_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    attempt: Mapped[int] = mapped_column(default=0)  # tries since it was created or queued again
    retries: Mapped[int] = mapped_column(default=0, server_default="0")  # how often a person queued it again
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    worker: Mapped[str | None] = mapped_column(String(120))

    # Whether its owner asked for the unit's WAV; the player needs it in any case.
    export_sp404: Mapped[bool] = mapped_column(default=True, server_default=true())
    # Whether a description was asked for.
    ai_analysis: Mapped[bool] = mapped_column(default=True, server_default=true())
    # Whether its owner let models describe when the job was queued.
    ai_allowed: Mapped[bool] = mapped_column(default=True, server_default=true())
    # What its owner chose, for purposes that leave a choice: plain JSON, whose names are the purpose's own.
    choices: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    # The results of finished steps, so that a retry repeats none of them.
    results: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    error: Mapped[str | None] = mapped_column(Text)
    error_detail: Mapped[str | None] = mapped_column(Text)

    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Set when it failed through no fault of the file: the file is kept until then for a retry.
    kept_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The span that made the row, to which its work is added when traces are on.
    trace_parent: Mapped[str | None] = mapped_column(String(55), default=tracing.current_traceparent)

    batch: Mapped[Batch] = relationship(back_populates="jobs")
    sample: Mapped[Sample | None] = relationship()
    user: Mapped[User] = relationship()

    @property
    def title(self) -> str:
        """Return the name that the sample is first called by."""
        return file_title(self.filename)

    @property
    def original_key(self) -> str:
        """Return where the uploaded original goes; empty for a job whose file does not become a sample."""
        if not self._has_sound:
            return ""
        return f"samples/{self.user_id}/{self.id}/original{PurePath(str(self.incoming_key)).suffix}"

    @property
    def sp404_key(self) -> str:
        """Return where the unit's WAV of the uploaded file goes; empty for a job without one."""
        return f"samples/{self.user_id}/{self.id}/sp404.wav" if self._has_sound else ""

    @property
    def _has_sound(self) -> bool:
        """Return whether it has a file of its own that becomes a sample; one that unpacks a ZIP has not."""
        return bool(self.incoming_key) and not str(self.incoming_key).endswith(ZIP_ENDING)

    @property
    def made_key(self) -> str:
        """Return where a file goes that is kept apart from the library, such as a shaped sound."""
        return f"made/{self.user_id}/{self.id}"

    @property
    def outcome(self) -> dict[str, Any] | None:
        """Return what a job noted at its end about what it made."""
        return (self.choices or {}).get(OUTCOME)

    @property
    def request_id(self) -> str:
        """Return the id of the request that queued the job, until the job is finished; empty for none."""
        return str((self.results or {}).get(REQUEST_ID, ""))

    @property
    def is_finished(self) -> bool:
        return self.state not in UNFINISHED

    @property
    def is_delayed(self) -> bool:
        return self.state == PENDING and self.run_at > utcnow()

    @property
    def playable_key(self) -> str | None:
        """Return where the unit's WAV is; None before the file is decoded and after the sample is deleted."""
        if self.sample is not None:
            return self.sample.sp404_key if self.sample.deleted_at is None else None
        return self.results.get("sp404_key")

    @property
    def has_tries_left(self) -> bool:
        return self.attempt < MAX_ATTEMPTS

    @property
    def may_be_retried(self) -> bool:
        """Return whether it failed and its file is still kept, so that a person may queue it again."""
        return self.state == FAILED and self.kept_until is not None and self.kept_until > utcnow()

    def release(self, run_at: datetime) -> None:
        """Put the job back into the queue and take the lease away."""
        self.state, self.run_at = PENDING, run_at
        self.lease_token = self.lease_until = self.worker = None

    def retry(self, tier: str, priority: int) -> None:
        """Queue the failed job again with all its tries; finished steps stay finished."""
        self.state, self.run_at, self.attempt = PENDING, utcnow(), 0
        self.retries += 1
        self.tier, self.priority = tier, priority
        self.finished_at = self.kept_until = None
        self.error = self.error_detail = None

    def cancel(self, sentence: str | None = None) -> None:
        """End the job as cancelled, with a sentence when its owner did not cancel it."""
        self.error = sentence
        self._finish(CANCELLED)

    def complete(self, sample: Sample | None) -> None:
        """End the job as completed, with the sample it made or is about."""
        if sample is not None:
            self.sample_id = sample.id
        self._finish(COMPLETED)
        self.step = READY

    def fail(self, sentence: str, detail: str | None = None, keep_for: timedelta | None = None) -> None:
        """End the job as failed, with a sentence for its owner and a detail for operators."""
        self.error, self.error_detail = sentence, detail
        self._finish(FAILED)
        self.kept_until = utcnow() + keep_for if keep_for is not None else None

    def _finish(self, state: str) -> None:
        self.state, self.finished_at = state, utcnow()
        self.lease_token = self.lease_until = None


@event.listens_for(Job, "before_insert")
def _keep_request_id(_mapper: object, _connection: object, job: Job) -> None:
    """Keep the id of the request with the job, so that the worker and the engine log it too."""
    if request_id := logs.current_request_id():
        job.results = {**(job.results or {}), REQUEST_ID: request_id}


def is_running() -> ColumnElement[bool]:
    """Return the condition for jobs that a worker holds, as a range of states.

    After `ANALYZE`, SQLite knows how many jobs an average state has. Where a million have ended, it would
    rather read them all than look one state up.
    """
    return Job.state.between(PROCESSING, PROCESSING)


def is_unfinished() -> ColumnElement[bool]:
    """Return the condition for jobs that wait or run, as a range too: no other state lies between the two."""
    return Job.state.between(PENDING, PROCESSING)
