"""What a vibe is: one model that is asked for, checked and kept, whoever describes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import CoreSchema, core_schema

from app.vibe.vocabulary import ERAS, FEATURES, GENRES, INSTRUMENTS, MOODS, ROLES, TEXTURES, USES

SCHEMA_VERSION = 1
NAME = "vibe"
LONGEST_DESCRIPTION = 200
MOST_MOODS, MOST_GENRES, MOST_INSTRUMENTS, MOST_TAGS = 3, 3, 6, 8
# Nothing a sentence about a sound needs, and what links, markup and templates are made of.
_UNSAFE = re.compile(r"[<>{}\[\]`|\\]|https?:|www\.|\S@\S", re.IGNORECASE)
Word = TypeVar("Word")
Unsent = SkipJsonSchema[None]


def _plain(text: str) -> str:
    if not text.isprintable() or _UNSAFE.search(text):
        raise ValueError("a plain sentence without links or markup is wanted")
    return text


def _once(words: list[Word]) -> list[Word]:
    return list(dict.fromkeys(words))


@dataclass(frozen=True)
class OneOf:
    """One of a vocabulary's words, which `Literal` can't say of a tuple made elsewhere."""

    words: tuple[str, ...]

    def __get_pydantic_core_schema__(self, *_: object) -> CoreSchema:
        return core_schema.literal_schema(list(self.words))


Share = Annotated[float, Field(ge=0, le=1)]
Feature = Annotated[str, OneOf(FEATURES)]
Resting = Annotated[list[Feature], Field(min_length=1, max_length=8), AfterValidator(_once)]

Mood = Annotated[str, OneOf(tuple(MOODS))]
Moods = Annotated[list[Mood], Field(min_length=1, max_length=MOST_MOODS), AfterValidator(_once)]
Energy = Annotated[int, Field(ge=0, le=100)]
Texture = Annotated[str, OneOf(TEXTURES)]
Era = Annotated[str, OneOf(ERAS)]
Use = Annotated[str, OneOf(USES)]
Role = Annotated[str, OneOf(ROLES)]
Description = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=3, max_length=LONGEST_DESCRIPTION),
    AfterValidator(_plain),
]
TagWord = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,23}$")]
Tags = Annotated[list[TagWord], Field(max_length=MOST_TAGS), AfterValidator(_once)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Genre(Strict):
    name: Annotated[str, OneOf(GENRES)]
    weight: Share


class Instrument(Strict):
    name: Annotated[str, OneOf(INSTRUMENTS)]
    heard: bool = Field(description="true when it sounds, false when it is only implied")


class RestsOn(Strict):
    """The measured features behind each field, by name; the figures are filled in here, never taken over."""

    moods: Resting
    energy: Resting
    texture: Resting
    era: Resting
    genres: Resting
    instruments: Resting
    use: Resting
    role: Resting
    description: Resting
    tags: Resting


class Vibe(Strict):
    """A description in a producer's words; what a model answers has exactly these fields."""

    moods: Moods
    energy: Energy
    texture: Texture
    era: Era
    genres: Annotated[list[Genre], Field(max_length=MOST_GENRES)]
    instruments: Annotated[list[Instrument], Field(max_length=MOST_INSTRUMENTS)]
    use: Use
    role: Role = Field(description="what it is on a pad")
    description: Description = Field(description="one plain sentence")
    tags: Tags
    confidence: Share
    rests_on: RestsOn


class NamedGenre(Genre):
    weight: Share = 1.0


class NamedInstrument(Instrument):
    heard: bool = True


class VibeCorrection(Strict):
    """What a user says of a vibe, field by field, by the rules for a model's answer."""

    moods: Moods | Unsent = None
    energy: Energy | Unsent = None
    texture: Texture | Unsent = None
    era: Era | Unsent = None
    genres: Annotated[list[NamedGenre], Field(max_length=MOST_GENRES), AfterValidator(_once)] | Unsent = (
        Field(None, description="Each a `name`, and a `weight` from 0 to 1: 1 when it is left out.")
    )
    instruments: (
        Annotated[list[NamedInstrument], Field(max_length=MOST_INSTRUMENTS), AfterValidator(_once)] | Unsent
    ) = Field(None, description="Each a `name`, and whether it is `heard`: true when it is left out.")
    use: Use | Unsent = None
    role: Role | Unsent = None
    description: Description | Unsent = None
    tags: Tags | Unsent = None
