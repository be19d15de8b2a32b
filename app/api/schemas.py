"""What the JSON API takes and gives. The OpenAPI document is made from these."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from app.models import Job, Sample
from app.models.sample import MAX_BPM, MIN_BPM

KEY_PATTERN = r"^(C|C#|D|D#|E|F|F#|G|G#|A|A#|B) (major|minor)$"
ID_PATTERN = r"^[0-9A-HJKMNP-TV-Z]{26}$"
MOST_A_PAGE = 100
MOST_BYTES = 10**12
WRITTEN = ("moods", "energy", "texture", "use")


Key = Annotated[str, Field(pattern=KEY_PATTERN, examples=["F# minor"])]
Bpm = Annotated[float, Field(ge=MIN_BPM, le=MAX_BPM, allow_inf_nan=False)]
TagName = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^,]+$")]


class Taken(BaseModel):
    """Values a client sends: a name we don't know is a mistake, not something to pass over."""

    model_config = ConfigDict(extra="forbid")


class UploadForm(Taken):
    """The fields beside the file."""

    export_sp404: bool = Field(True, description="Name the WAV for the SP-404MKII in the job's answer.")
    ai_analysis: bool = Field(True, description="Find words for the sound: moods, texture, use.")


class LinkRequest(UploadForm):
    """Which file it will be."""

    filename: str = Field(min_length=1, max_length=1000)
    size_bytes: int = Field(ge=1, le=MOST_BYTES, description="Exactly: the link takes no other size.")


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
    status: Literal["pending", "processing", "completed", "failed", "cancelled"]
    step: Literal["stored", "decoded", "analysed", "described", "ready"]
    filename: str
    size_bytes: int
    created_at: datetime
    starts_at: datetime | None = Field(description="When it may start, while it waits for its time.")
    estimated_completion: datetime | None
    finished_at: datetime | None
    error: str | None = Field(description="What went wrong and what to do, when it failed.")
    sample_id: str | None = Field(description="The sample it became, unless that was deleted since.")
    sp404_url: str | None = Field(description="Its WAV for the unit, when one was asked for.")

    @classmethod
    def of(cls, job: Job, estimate: datetime | None, sp404_url: str | None) -> JobAnswer:
        there = job.sample is not None and job.sample.deleted_at is None
        same = ("id", "step", "filename", "size_bytes", "created_at", "finished_at", "error")
        return cls(
            **{name: getattr(job, name) for name in same},
            status=job.state,  # type: ignore[arg-type]  # a constraint of the table
            starts_at=job.run_at if job.is_delayed else None,
            estimated_completion=estimate,
            sample_id=job.sample_id if there else None,
            sp404_url=sp404_url if there and job.export_sp404 else None,
        )


class Vibe(BaseModel):
    moods: list[str]
    energy: int
    texture: str
    use: str


class SampleAnswer(BaseModel):
    id: str
    name: str
    filename: str
    format: str
    size_bytes: int
    duration_s: float
    kind: str = Field(description="loop or one-shot")
    sound: str | None
    bpm: float | None
    bpm_source: str | None = Field(description="Where it came from; `user` is a correction.")
    key: str | None
    key_source: str | None
    tags: list[str]
    liked: bool
    vibe: Vibe | None = Field(description="Missing when it was uploaded without ai_analysis.")
    created_at: datetime

    @classmethod
    def of(cls, sample: Sample) -> SampleAnswer:
        own = cls.model_fields.keys() - {"tags", "vibe"}
        words = {name: sample.vibe[name] for name in WRITTEN} if sample.vibe else None
        values = {name: getattr(sample, name) for name in own}
        return cls(**values, tags=sample.tag_names, vibe=Vibe(**words) if words else None)


class SamplesAnswer(BaseModel):
    samples: list[SampleAnswer]
    total: int = Field(description="How many match, on all pages.")
    next_after: str | None = Field(description="Send it as `after` for the next page; null on the last.")


class SamplesQuery(Taken):
    q: str = Field("", max_length=200, description='Words; `-word` leaves out, `"two words"` is a phrase.')
    ask: str = Field(
        "",
        max_length=200,
        description="A sentence: `dusty 90 bpm drum loops in A minor, not too bright`. What it says about "
        "brightness, noise, level, attack and length sorts, unless `sort` does.",
    )
    kind: Literal["loop", "one-shot"] | None = None
    sound: str = Field("", max_length=24, description="Such as kick, snare, hi-hat.")
    key: Key | None = None
    compatible: bool = Field(False, description="With `key`: harmonically close keys too.")
    bpm_min: float | None = Field(None, gt=0, lt=1000)
    bpm_max: float | None = Field(None, gt=0, lt=1000)
    tag: str = Field("", max_length=40)
    liked: bool = False
    sort: Literal["newest", "name", "bpm", "length"] = "newest"
    after: str | None = Field(None, pattern=ID_PATTERN, description="`next_after` of the page before.")
    limit: int = Field(50, ge=1, le=MOST_A_PAGE)


class SamplePatch(Taken):
    """Only what is sent is changed. A `bpm` or `key` of null says that the sound has none."""

    name: str | SkipJsonSchema[None] = Field(None, min_length=1, max_length=200)
    tags: list[TagName] | SkipJsonSchema[None] = Field(None, max_length=20)
    bpm: Bpm | None = None
    key: Key | None = None
    liked: bool | SkipJsonSchema[None] = None


class DownloadQuery(Taken):
    format: Literal["original", "sp404"] = Field(
        "original", description="The untouched file, or a 48 kHz / 16-bit WAV for the SP-404MKII."
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
