"""What the JSON API takes and gives of uploads, jobs and usage. The OpenAPI document is made from these."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.models import Job

ID_PATTERN = r"^[0-9A-HJKMNP-TV-Z]{26}$"
MAX_LINK_BYTES = 10**12


class RequestModel(BaseModel):
    """Values a client sends: a name we don't know is a mistake, not something to pass over."""

    model_config = ConfigDict(extra="forbid")


class UploadForm(RequestModel):
    """The fields beside the file."""

    export_sp404: bool = Field(True, description="Name the WAV for the SP-404MKII in the job's answer.")
    ai_analysis: bool = Field(True, description="Find words for the sound: moods, texture, use.")


class LinkRequest(UploadForm):
    """Which file it will be."""

    filename: str = Field(min_length=1, max_length=1000)
    size_bytes: int = Field(ge=1, le=MAX_LINK_BYTES, description="Exactly: the link takes no other size.")


class LinkAnswer(BaseModel):
    upload_id: str = Field(description="Name it to make the job.")
    url: str = Field(description="Where to send the bytes, without your token.")
    method: Literal["PUT"]
    headers: dict[str, str] = Field(description="Send these with the bytes.")
    expires_at: datetime = Field(description="Begin to send before that.")


class UploadHeaders(BaseModel):
    idempotency_key: str | None = Field(
        None,
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,255}$",
        description="Any text of your own. Sent again within 24 hours, nothing is uploaded twice and "
        "the answer is the same.",
    )


class UploadAnswer(BaseModel):
    job_id: str
    status: Literal["pending", "processing", "completed", "failed", "cancelled"]
    estimated_completion: datetime | None = Field(description="By the times of the latest jobs.")
    message: str

    @classmethod
    def of(cls, job: Job, estimate: datetime | None, message: str) -> UploadAnswer:
        values = {"job_id": job.id, "status": job.state, "message": message}
        return cls.model_validate(values | {"estimated_completion": estimate})


class JobAnswer(BaseModel):
    id: str
    purpose: Literal["upload", "analyse", "describe"]
    status: Literal["pending", "processing", "completed", "failed", "cancelled"]
    step: Literal["stored", "decoded", "analysed", "described", "ready"]
    filename: str
    size_bytes: int
    created_at: datetime
    starts_at: datetime | None = Field(description="When it may start, while it waits for its time.")
    estimated_completion: datetime | None
    finished_at: datetime | None
    error: str | None = Field(description="What went wrong and what to do, when it failed.")
    sample_id: str | None = Field(description="The sample it became or is about, unless that was deleted.")
    sp404_url: str | None = Field(description="Its WAV for the unit, when one was asked for.")

    @classmethod
    def of(cls, job: Job, estimate: datetime | None, sp404_url: str | None) -> JobAnswer:
        there = job.sample is not None and job.sample.deleted_at is None
        same = ("id", "purpose", "step", "filename", "created_at", "finished_at", "error")
        return cls(
            **{name: getattr(job, name) for name in same},
            size_bytes=job.size_bytes or 0,
            status=job.state,  # type: ignore[arg-type]  # a constraint of the table
            starts_at=job.run_at if job.is_delayed else None,
            estimated_completion=estimate,
            sample_id=job.sample_id if there else None,
            sp404_url=sp404_url if there and job.export_sp404 else None,
        )


class Used(BaseModel):
    used: int
    limit: int
    left: int


class UsageAnswer(BaseModel):
    plan: str
    period: Literal["day", "month"]
    resets_at: datetime
    uploads: Used
    storage_bytes: Used
    max_file_bytes: int
