"""Request and response schemas of the JSON API for shaped sounds and chops."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.api.render_answer import RenderAnswer
from app.api.schemas import RequestModel
from app.audio.render.chop import DEFAULT_SENSITIVITY, MAX_CHOPS, Way
from app.audio.render.recipe import RenderRecipe
from app.models import Job, Render
from app.shaping.chops import Chops


class RenderRequest(RenderRecipe):
    """A recipe: what is left out is left as it is, or fitted to the sample."""

    model_config = ConfigDict(title="RenderRequest")


class RenderOrderAnswer(BaseModel):
    job_id: str | None = Field(description="Poll this job; null when the sound is ready already.")
    status: Literal["pending", "processing", "completed", "failed", "cancelled"]
    render: RenderAnswer | None = Field(description="The shaped sound, when it is ready already.")

    @classmethod
    def from_order(cls, order: Render | Job) -> RenderOrderAnswer:
        """Return the answer for a cached render, or for the job that makes it."""
        if isinstance(order, Render):
            return cls(job_id=None, status="completed", render=RenderAnswer.from_render(order))
        return cls.model_validate({"job_id": order.id, "status": order.state, "render": None})


class ChopsQuery(RequestModel):
    by: Way = Field("onsets", description="`grid` cuts at sixteenths of the tempo.")
    count: int = Field(16, ge=1, le=MAX_CHOPS, description="The most slices.")
    sensitivity: float = Field(
        DEFAULT_SENSITIVITY, ge=0, le=1, description="Of onsets: higher also cuts at weaker hits."
    )


class SlicesRequest(ChopsQuery):
    """Where to cut: at `cuts`, or else where the chops of the other values are."""

    cuts: list[Annotated[int, Field(ge=0)]] = Field(
        default_factory=list,
        max_length=MAX_CHOPS,
        description="Each is the `frame` of a chop, or a place of your own: it is moved to the nearest zero "
        "crossing within 2 ms. The first slice begins at 0 in any case. `by`, `count` and `sensitivity` are "
        "not used then.",
    )


class ChopAnswer(BaseModel):
    frame: int = Field(description="Where the slice begins, at 48 kHz.")
    time_s: float
    start: int = Field(description="The same as `start` of a recipe: at the original's own rate.")


class ChopsAnswer(BaseModel):
    frames: int = Field(description="The length of the sound, at 48 kHz.")
    chops: list[ChopAnswer] = Field(description="The first one begins at 0.")

    @classmethod
    def from_chops(cls, chops: Chops) -> ChopsAnswer:
        """Return the answer for the chops of a sample."""
        return cls(
            frames=chops.frames,
            chops=[
                ChopAnswer(frame=frame, time_s=frame / chops.rate, start=chops.source_frame(frame))
                for frame in chops.cuts
            ],
        )
