"""Request and response schemas of the JSON API for uploads, jobs and usage."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.api.render_answer import RenderAnswer, card_url
from app.billing.plan_room import PlanUsage
from app.models import CardExport, Job, Render
from app.models.display_names import MAX_READ
from app.models.sample_places import MAX_COLLECTION_NAME, MAX_DEPTH, SamplePlace

ID_PATTERN = r"^[0-9A-HJKMNP-TV-Z]{26}$"
MAX_LINK_BYTES = 10**12
MAX_HASHES = 500
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
PURPOSES = (
    "upload",
    "demo",
    "analyse",
    "describe",
    "render",
    "preview",
    "slice",
    "unpack",
    "slice_zip",
    "kit_export",
    "bundle",
    "kit_import",
)
"""The purposes this version knows. While a newer one is deployed, a job may have another."""


class RequestModel(BaseModel):
    """Values that a client sends. An unknown name is an error, because it is probably a typing mistake."""

    model_config = ConfigDict(extra="forbid")


class UploadForm(RequestModel):
    """The fields sent together with the file."""

    export_sp404: bool = Field(True, description="Whether the job's response links to the SP-404MKII WAV.")
    ai_analysis: bool = Field(True, description="Whether to describe the sound: moods, texture, use.")
    collection: str = Field(
        "",
        max_length=MAX_READ,
        description="The name of the collection to keep the sample in. It is created if you have none of "
        f"that name; of a longer one, {MAX_COLLECTION_NAME} characters are kept.",
    )
    folder: str = Field(
        "",
        max_length=MAX_READ,
        description="With `collection`: the path of a folder in it, such as `Drums/Kicks`; at most "
        f"{MAX_DEPTH} folders deep.",
    )

    @property
    def place(self) -> SamplePlace:
        """Return where the sample will be kept."""
        return SamplePlace.from_texts(self.collection, self.folder)


class LinkRequest(UploadForm):
    """The file that will be sent to the link."""

    filename: str = Field(min_length=1, max_length=1000)
    size_bytes: int = Field(ge=1, le=MAX_LINK_BYTES, description="The exact size: the link accepts no other.")


class KnownRequest(RequestModel):
    """Hashes of files."""

    sha256: list[Sha256] = Field(min_length=1, max_length=MAX_HASHES)


class KnownFile(BaseModel):
    sha256: str
    sample_id: str | None = Field(description="The sample that it is the original of.")
    job_id: str | None = Field(description="Its upload, while that is not finished.")


class KnownAnswer(BaseModel):
    known: list[KnownFile] = Field(description="Those that are there, in the order of the request.")


class LinkAnswer(BaseModel):
    upload_id: str = Field(description="Send it to make the job.")
    url: str = Field(description="Where to send the bytes, without your token.")
    method: Literal["PUT"]
    headers: dict[str, str] = Field(description="Send these with the bytes.")
    expires_at: datetime = Field(description="Start sending before this time.")


class UploadHeaders(BaseModel):
    idempotency_key: str | None = Field(
        None,
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,255}$",
        description="Any text you choose. A request with the same key within 24 hours uploads nothing and "
        "gets the same answer.",
    )


class UploadAnswer(BaseModel):
    job_id: str
    status: Literal["pending", "processing", "completed", "failed", "cancelled"]
    estimated_completion: datetime | None = Field(description="Estimated from the latest jobs.")
    message: str

    @classmethod
    def from_job(cls, job: Job, estimate: datetime | None, message: str) -> UploadAnswer:
        """Return the answer to a request that made a job."""
        values = {"job_id": job.id, "status": job.state, "message": message}
        return cls.model_validate(values | {"estimated_completion": estimate})


class JobAnswer(BaseModel):
    id: str
    purpose: str = Field(
        description=f"One of `{'`, `'.join(PURPOSES)}`, or another one that a later version adds."
    )
    status: Literal["pending", "processing", "completed", "failed", "cancelled"]
    step: Literal["stored", "decoded", "analysed", "described", "shaped", "unpacked", "ready"]
    filename: str
    size_bytes: int
    created_at: datetime
    starts_at: datetime | None = Field(description="When a delayed job may start; null for any other.")
    estimated_completion: datetime | None
    finished_at: datetime | None
    error: str | None = Field(description="What went wrong and what to do, when it failed.")
    sample_id: str | None = Field(description="The sample that it made or is about, unless that was deleted.")
    sp404_url: str | None = Field(description="Link to its WAV for the SP-404MKII, when one was asked for.")
    render: RenderAnswer | None = Field(
        description="The shaped sound or slices it made, as long as they are stored."
    )
    card_url: str | None = Field(description="Link to the ZIP of the card it made, as long as that is kept.")
    kit_id: str | None = Field(description="The kit that it imported.")
    left_out: list[str] = Field(description="What the import or the ZIP left out, and what was wrong.")

    @classmethod
    def from_job(
        cls, job: Job, estimate: datetime | None, sp404_url: str | None, made: Render | CardExport | None
    ) -> JobAnswer:
        """Return the state of a job and what it made; a sample in the trash counts as deleted."""
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
            render=RenderAnswer.from_render(made) if there and isinstance(made, Render) else None,
            card_url=card_url(made) if isinstance(made, CardExport) else None,
            kit_id=(job.outcome or {}).get("kit_id"),
            left_out=(job.outcome or {}).get("problems", []),
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
    export_bytes: int = Field(description="The kept export of all data; it does not count as storage.")
    max_file_bytes: int

    @classmethod
    def from_usage(cls, now: PlanUsage, export_bytes: int) -> UsageAnswer:
        """Return the answer for what is used of a plan."""
        stored, room = now.storage_bytes, now.plan.storage_bytes
        return cls(
            plan=now.plan.name,
            period=now.plan.period,
            resets_at=now.resets_at,
            uploads=Used(used=now.uploads, limit=now.plan.uploads, left=now.uploads_left),
            storage_bytes=Used(used=stored, limit=room, left=now.storage_left_bytes),
            export_bytes=export_bytes,
            max_file_bytes=now.plan.max_file_bytes,
        )
