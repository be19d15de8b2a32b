"""The recipe of a shaped sound: what is done to an original, in values that a producer knows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.audio.unit_format import MIN_FRAMES

RECIPE_VERSION = 1
"""Rises when an equal recipe would give other samples."""

PEAK: Literal["dBFS"] = "dBFS"
TRUE_PEAK: Literal["dBTP"] = "dBTP"
LUFS: Literal["LUFS"] = "LUFS"
LEVEL_UNITS = (PEAK, TRUE_PEAK, LUFS)
SLICES: Literal["slices"] = "slices"
WHOLE: Literal["whole"] = "whole"
UP_45_RPM = 1.35
"""The speed of a record for 33⅓ played at 45: up now, and down again on the unit."""

NO_TEMPO = "No tempo is known for this sound. Enter its original tempo."

MAX_SPEED = 4.0
MAX_TRANSPOSE = 12.0
MAX_SLICES = 2_000
MIN_BPM, MAX_BPM = 20.0, 400.0
MAX_BEATS = 10_000

Tempo = Annotated[float, Field(ge=MIN_BPM, le=MAX_BPM)]
FadeMs = Annotated[float, Field(ge=0, le=60_000)]


class RecipeError(Exception):
    """A recipe can't be followed. The message is a sentence for a producer."""


class RenderRecipe(BaseModel):
    """The steps that shape an original into a pad's sound. Every default leaves the sound as it is.

    Attributes
    ----------
    start, end : int or None
        The part of the original that is used, in frames at its own rate; None is the end.
    trim_db : float or None
        Cut what is quieter than this at both ends, in dB below the peak of the part: -60 suits most sounds.
    whole_beats : bool
        Cut the end to a whole number of beats of `from_bpm`.
    remove_dc : bool
        Subtract each channel's mean.
    mono : str
        "" leaves the channels; "sum", "left" and "right" make one of two; "auto" sums them where the sides
        are below -60 dB of the middle.
    speed : float
        Play this many times as fast; the pitch follows, like a record.
    transpose : float
        Semitones; the tempo stays.
    bpm, length_s : float or None
        The tempo, or the length in seconds, to stretch to with the pitch kept.
    from_bpm : float or None
        The tempo that the original has now.
    beats : int or None
        How many beats the part has: it gets the length of exactly that many beats of `bpm`.
    method : str
        How it is stretched: by moving "slices", or as a "whole".
    onsets : tuple of float
        Where the slices begin, in seconds of the original.
    reverse : bool
    fade_in_ms, fade_out_ms : float
    fade_curve : str
        Of both fades: "linear", "smooth" (a half cosine) or "fast" (a quarter sine, of equal power).
    level : float or None
        The level that the result gets, in `level_unit`.
    gain_db : float
        Added to that.
    min_frames : int
        A shorter result gets silence at its end, up to this length at 48 kHz.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    version: Annotated[int, Field(ge=RECIPE_VERSION, le=RECIPE_VERSION)] = RECIPE_VERSION
    start: Annotated[int, Field(ge=0)] = 0
    end: Annotated[int, Field(ge=1)] | None = None
    trim_db: Annotated[float, Field(ge=-96, le=-6)] | None = None
    whole_beats: bool = False
    remove_dc: bool = False
    mono: Literal["", "sum", "left", "right", "auto"] = ""
    speed: Annotated[float, Field(ge=1 / MAX_SPEED, le=MAX_SPEED)] = 1.0
    transpose: Annotated[float, Field(ge=-MAX_TRANSPOSE, le=MAX_TRANSPOSE)] = 0.0
    bpm: Tempo | None = None
    length_s: Annotated[float, Field(ge=0.01, le=960)] | None = None
    from_bpm: Tempo | None = None
    beats: Annotated[int, Field(ge=1, le=MAX_BEATS)] | None = None
    method: Literal["slices", "whole"] = WHOLE
    onsets: Annotated[tuple[float, ...], Field(max_length=MAX_SLICES, strict=False)] = ()
    reverse: bool = False
    fade_in_ms: FadeMs = 0.0
    fade_out_ms: FadeMs = 0.0
    fade_curve: Literal["linear", "smooth", "fast"] = "linear"
    level: Annotated[float, Field(ge=-60, le=0)] | None = None
    level_unit: Literal["dBFS", "dBTP", "LUFS"] = TRUE_PEAK
    gain_db: Annotated[float, Field(ge=-60, le=40)] = 0.0
    min_frames: Annotated[int, Field(ge=0, le=480_000)] = MIN_FRAMES

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError("The end must come after the start.")
        if self.bpm is not None and self.length_s is not None:
            raise ValueError("Choose a tempo or a length to stretch to, not both.")
        if any(first >= second for first, second in pairwise(self.onsets)):
            raise ValueError("The slices must be in order of time.")
        return self

    @property
    def known_tempo(self) -> float:
        """The tempo that the original has now. Raises RecipeError when it is not known."""
        if self.from_bpm is None:
            raise RecipeError(NO_TEMPO)
        return self.from_bpm

    @property
    def changes_nothing(self) -> bool:
        """Whether the result is the unit's WAV of the original."""
        return self == RenderRecipe()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON: the version, and what differs from the defaults."""
        return {"version": self.version} | self.model_dump(mode="json", exclude_defaults=True)

    def digest(self) -> str:
        """Return 64 hexadecimal digits that equal recipes have in common."""
        return digest_plain(self.to_dict())


def digest_plain(plain: Mapping[str, Any]) -> str:
    """Return 64 hexadecimal digits that stand for plain JSON, in whichever order it was written.

    Parameters
    ----------
    plain : mapping of str to value
    """
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read_recipe(plain: Mapping[str, Any]) -> RenderRecipe:
    """Return the recipe of plain JSON, such as `RenderRecipe.to_dict` gives.

    Parameters
    ----------
    plain : mapping of str to value

    Raises
    ------
    RecipeError
        A field is unknown or has no fit value; the message names the first one.
    """
    try:
        return RenderRecipe.model_validate(dict(plain))
    except ValidationError as error:
        raise RecipeError(_sentence(error)) from error


def _sentence(error: ValidationError) -> str:
    """Return what is wrong with the first wrong field."""
    first = error.errors()[0]
    if not first["loc"]:
        return str(first["ctx"]["error"])
    name = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return f"A recipe has no field “{name[:40]}”."
    return f"{name}: {first['msg']}."
