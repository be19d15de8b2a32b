"""The answer of the JSON API for what a job made: a shaped sound, or a card."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from app.models import CardExport, Render
from app.notify.external_urls import external_url


class RenderAnswer(BaseModel):
    id: str
    sample_id: str
    recipe: dict[str, Any] = Field(
        description="The recipe as it was fitted to the sample. Of slices: their cuts and names."
    )
    done: list[str] = Field(description="What was done, in words.")
    frames: int = Field(description="At 48 kHz; of slices all together.")
    channels: int
    bpm: float | None = Field(description="The tempo it has now, when it was stretched to one.")
    size_bytes: int
    created_at: datetime
    url: str = Field(description="Redirects to the WAV (48 kHz, 16 bits), or to the ZIP of slices.")

    @classmethod
    def from_render(cls, render: Render) -> RenderAnswer:
        """Return the answer for a shaped sound."""
        same = ("id", "sample_id", "recipe", "done", "frames", "channels", "bpm", "size_bytes", "created_at")
        url = external_url("api.download_render", render_id=render.id)
        return cls(**{name: getattr(render, name) for name in same}, url=url)


def card_url(card: CardExport) -> str:
    """Return the address that redirects to the ZIP of a card."""
    return external_url("api.download_export", export_id=card.id)
