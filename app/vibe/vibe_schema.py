"""The schema of a vibe: the one model by which answers are requested, checked and stored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import CoreSchema, core_schema

from app.music.sound_classes import ONE_SHOT, TEXTURE
from app.vibe.vocabulary import (
    CHARACTERS,
    ERAS,
    FEATURES,
    GENRES,
    HIT_CHARACTERS,
    INSTRUMENTS,
    MOODS,
    ROLES,
    TEXTURE_CHARACTERS,
    TEXTURES,
    USES,
)

SCHEMA_VERSION = 2
SCHEMA_NAME = "vibe"
MAX_DESCRIPTION_CHARACTERS = 200
MAX_MOODS, MAX_CHARACTER, MAX_GENRES, MAX_INSTRUMENTS, MAX_TAGS = 3, 8, 3, 6, 8
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
NoneOrFeatureNames = Annotated[list[Feature], Field(max_length=8), AfterValidator(_without_duplicates)]

Mood = Annotated[str, VocabularyWord(tuple(MOODS))]
Moods = Annotated[list[Mood], Field(max_length=MAX_MOODS), AfterValidator(_without_duplicates)]

Character = Annotated[
    list[Annotated[str, VocabularyWord(CHARACTERS)]],
    Field(max_length=MAX_CHARACTER),
    AfterValidator(_without_duplicates),
]
HitCharacter = Annotated[
    list[Annotated[str, VocabularyWord(HIT_CHARACTERS)]],
    Field(max_length=MAX_CHARACTER),
    AfterValidator(_without_duplicates),
]
TextureCharacter = Annotated[
    list[Annotated[str, VocabularyWord(TEXTURE_CHARACTERS)]],
    Field(max_length=MAX_CHARACTER),
    AfterValidator(_without_duplicates),
]
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


class CommonRestsOn(StrictModel):
    energy: FeatureNames
    texture: FeatureNames
    era: FeatureNames
    genres: FeatureNames
    instruments: FeatureNames
    use: FeatureNames
    role: FeatureNames
    description: FeatureNames
    tags: FeatureNames


class LoopRestsOn(CommonRestsOn):
    """The measured features behind each field, by name; the figures are filled in here, never taken over."""

    moods: FeatureNames


class HitRestsOn(CommonRestsOn):
    """The measured features behind each field, by name; the figures are filled in here, never taken over."""

    character: FeatureNames


class TextureRestsOn(HitRestsOn, LoopRestsOn):
    """The measured features behind each field, by name; the figures are filled in here, never taken over."""


class RestsOn(CommonRestsOn):
    """The features behind each field of a description; none behind a field that its kind does not have."""

    moods: NoneOrFeatureNames = []
    character: NoneOrFeatureNames = []


class CommonVibe(StrictModel):
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


class LoopAnswer(CommonVibe):
    """A description of a loop in a producer's words."""

    moods: Moods = Field(description="none unless the measurement clearly points to one")
    rests_on: LoopRestsOn


class HitAnswer(CommonVibe):
    """A description of a one-shot in a producer's words; a hit has a character and no mood."""

    character: HitCharacter = Field(description="how the hit sounds")
    rests_on: HitRestsOn


class TextureAnswer(CommonVibe):
    """A description of a texture in a producer's words."""

    moods: Moods = Field(description="none unless the measurement clearly points to one")
    character: TextureCharacter = Field(description="how the texture sounds")
    rests_on: TextureRestsOn


class SoundVibe(CommonVibe):
    """A description of any sound, by rules or from a model's answer. Loops have no character."""

    moods: Moods = []
    character: Character = []
    rests_on: RestsOn


Answer = LoopAnswer | HitAnswer | TextureAnswer


def answer_model(kind: str) -> type[Answer]:
    """Return the form of a model's answer about a sound of a kind, with the words of that kind."""
    if kind == ONE_SHOT:
        return HitAnswer
    return TextureAnswer if kind == TEXTURE else LoopAnswer


class NamedGenre(Genre):
    weight: Share = 1.0


class NamedInstrument(Instrument):
    heard: bool = True


class VibeCorrection(StrictModel):
    """A user's corrections of a vibe, field by field, checked like a model's answer."""

    moods: Moods | UnlistedNone = Field(None, description="An empty list says that it has none.")
    character: Character | UnlistedNone = Field(None, description="An empty list says that it has none.")
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
