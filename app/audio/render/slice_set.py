"""The slices of one sound: where they are cut, and what they are called."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.audio.render.chop import MAX_CHOPS
from app.audio.render.recipe import RECIPE_VERSION, digest_plain

Cut = Annotated[int, Field(ge=0)]
WavName = Annotated[str, Field(pattern=r"^[^/\\\x00-\x1f]{1,80}\.wav$")]


class SliceSet(BaseModel):
    """Where a sound is cut, and what its slices are called.

    Attributes
    ----------
    cuts : tuple of int
        Where slices begin, in frames of the original, rising; the last one ends with the sound.
    names : tuple of str
        The file name of each slice.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[int, Field(ge=RECIPE_VERSION, le=RECIPE_VERSION)] = RECIPE_VERSION
    cuts: Annotated[tuple[Cut, ...], Field(min_length=1, max_length=MAX_CHOPS, strict=False)]
    names: Annotated[tuple[WavName, ...], Field(strict=False)]

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if any(first >= second for first, second in pairwise(self.cuts)):
            raise ValueError("The cuts must be in order of time.")
        if len(set(self.names)) != len(self.cuts):
            raise ValueError("Each slice needs a name of its own.")
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return self.model_dump(mode="json")

    def digest(self) -> str:
        """Return 64 hexadecimal digits that equal sets of slices have in common."""
        return digest_plain(self.to_dict())
