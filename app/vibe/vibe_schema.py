"""The schema of a vibe: the one model by which answers are requested, checked and stored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import CoreSchema, core_schema

from app.vibe.vocabulary import ERAS, FEATURES, GENRES, INSTRUMENTS, MOODS, ROLES, TEXTURES, USES

SCHEMA_VERSION = 1
SCHEMA_NAME = "vibe"
MAX_DESCRIPTION_CHARACTERS = 200
MAX_MOODS, MAX_GENRES, MAX_INSTRUMENTS, MAX_TAGS = 3, 3, 6, 8
# What links, markup and templates are made of; a sentence about a sound needs none of it.
_UNSAFE = re.compile(r"[<>{}\[\]`|\\]|https?:|www\.|\S@\S", re.IGNORECASE)
Item = TypeVar("Item")
UnlistedNone = SkipJsonSchema[None]


def _require_plain_text(text: str) -> str:
    if not text.isprintable() or _UNSAFE.search(text):
        raise ValueError("write a plain sentence without links or markup")
    return text


def _without_duplicates(words: list[Item]) -> list[Item]:
    return list(dict.fromkeys(words))


@dataclass(frozen=True)
class VocabularyWord:
    """Marks a text as one of a vocabulary's words, where `Literal` cannot take a tuple defined elsewhere."""

    words: tuple[str, ...]

    def __get_pydantic_core_schema__(self, *_: object) -> CoreSchema:
        return core_schema.literal_schema(list(self.words))


Share = Annotated[float, Field(ge=0, le=1)]
Feature = Annotated[str, VocabularyWord(FEATURES)]
FeatureNames = Annotated[
    list[Feature], Field(min_length=1, max_length=8), AfterValidator(_without_duplicates)
]

Mood = Annotated[str, VocabularyWord(tuple(MOODS))]
Moods = Annotated[list[Mood], Field(min_length=1, max_length=MAX_MOODS), AfterValidator(_without_duplicates)]
Energy = Annotated[int, Field(ge=0, le=100)]
Texture = Annotated[str, VocabularyWord(TEXTURES)]
Era = Annotated[str, VocabularyWord(ERAS)]
Use = Annotated[str, VocabularyWord(USES)]
Role = Annotated[str, VocabularyWord(ROLES)]
Description = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=3, max_length=MAX_DESCRIPTION_CHARACTERS),
    AfterValidator(_require_plain_text),
]
TagWord = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,23}$")]
Tags = Annotated[list[TagWord], Field(max_length=MAX_TAGS), AfterValidator(_without_duplicates)]


class StrictModel(BaseModel):
    """A model that cannot change and accepts no other fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# Docstrings of the classes below reach the model: they are part of the schema in a request. Changing one is a
# change of the prompt.
class Genre(StrictModel):
    name: Annotated[str, VocabularyWord(GENRES)]
    weight: Share


class Instrument(StrictModel):
    name: Annotated[str, VocabularyWord(INSTRUMENTS)]
    heard: bool = Field(description="true when it sounds, false when it is only implied")


class RestsOn(StrictModel):
    """The measured features behind each field, by name; the figures are filled in here, never taken over."""

    moods: FeatureNames
    energy: FeatureNames
    texture: FeatureNames
    era: FeatureNames
    genres: FeatureNames
    instruments: FeatureNames
    use: FeatureNames
    role: FeatureNames
    description: FeatureNames
    tags: FeatureNames


class SoundVibe(StrictModel):
    """A description in a producer's words; what a model answers has exactly these fields."""

    moods: Moods
    energy: Energy
    texture: Texture
    era: Era
    genres: Annotated[list[Genre], Field(max_length=MAX_GENRES)]
    instruments: Annotated[list[Instrument], Field(max_length=MAX_INSTRUMENTS)]
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


class VibeCorrection(StrictModel):
    """A user's corrections of a vibe, field by field, checked like a model's answer."""

    moods: Moods | UnlistedNone = None
    energy: Energy | UnlistedNone = None
    texture: Texture | UnlistedNone = None
    era: Era | UnlistedNone = None
    genres: (
        Annotated[list[NamedGenre], Field(max_length=MAX_GENRES), AfterValidator(_without_duplicates)]
        | UnlistedNone
    ) = Field(None, description="Each a `name`, and a `weight` from 0 to 1: 1 when it is left out.")
    instruments: (
        Annotated[
            list[NamedInstrument], Field(max_length=MAX_INSTRUMENTS), AfterValidator(_without_duplicates)
        ]
        | UnlistedNone
    ) = Field(None, description="Each a `name`, and whether it is `heard`: true when it is left out.")
    use: Use | UnlistedNone = None
    role: Role | UnlistedNone = None
    description: Description | UnlistedNone = None
    tags: Tags | UnlistedNone = None
