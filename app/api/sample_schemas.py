"""Request and response schemas of the JSON API for samples."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator
from pydantic.json_schema import SkipJsonSchema

from app.api.schemas import ID_PATTERN, RequestModel
from app.models import Sample
from app.models.corrections import MAX_BPM, MIN_BPM, SOUND_FIELDS, VIBE_FIELDS
from app.models.display_names import MAX_READ
from app.models.sample import MAX_TAGS
from app.music.musical_keys import MODES
from app.music.pitch_names import PITCH_NAMES
from app.music.sound_classes import KINDS, STORED_SOUNDS
from app.search.match_counts import MAX_COUNTED
from app.search.page_order import MAX_RANKED
from app.vibe.vibe_schema import VibeCorrection, VocabularyWord

KEY_PATTERN = rf"^({'|'.join(PITCH_NAMES)}) ({'|'.join(MODES)})$"
MAX_PAGE_SIZE = 100
VIBE_PREFIX = "vibe."

Kind = Annotated[str, VocabularyWord(KINDS)]
Sound = Annotated[str, VocabularyWord(STORED_SOUNDS)]
Key = Annotated[str, Field(pattern=KEY_PATTERN, examples=["F# minor"])]
Bpm = Annotated[float, Field(ge=MIN_BPM, le=MAX_BPM, allow_inf_nan=False)]
TagName = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^,]+$")]
TagNames = Annotated[
    list[TagName], Field(max_length=MAX_TAGS, description=f"At most {MAX_TAGS}; they replace those it has.")
]
SampleName = Annotated[str, Field(min_length=1, max_length=200)]
Correctable = Annotated[
    str, VocabularyWord((*SOUND_FIELDS, *(f"{VIBE_PREFIX}{name}" for name in VIBE_FIELDS)))
]
RevertNames = Annotated[list[Correctable], Field(max_length=len(SOUND_FIELDS) + len(VIBE_FIELDS))]


class GenreAnswer(BaseModel):
    name: str
    weight: float = Field(description="0 to 1.")


class InstrumentAnswer(BaseModel):
    name: str
    heard: bool = Field(description="False when it is only implied.")


class Vibe(BaseModel):
    """The description with your corrections. An older one may have null where fields were added later."""

    moods: list[str] = Field([], description="Often empty: only where the measurement is clear.")
    character: list[str] = Field([], description="How a one-shot or a texture sounds; loops have none.")
    energy: int | None = Field(None, description="0 to 100.")
    texture: str | None = None
    era: str | None = Field(None, description="A decade, or any.")
    genres: list[GenreAnswer] = []
    instruments: list[InstrumentAnswer] = []
    use: str | None = None
    role: str | None = Field(None, description="What it is on a pad.")
    description: str | None = None
    tags: list[str] = []
    confidence: float | None = Field(None, description="0 to 1, how sure the original description is.")
    source: str | None = Field(None, description="`local` for the built-in rules, or the AI model's name.")
    prompt_version: int | None = None
    schema_version: int | None = None


class SampleAnswer(BaseModel):
    id: str
    name: str
    filename: str
    format: str
    size_bytes: int
    content_sha256: str = Field(description="Of the original file.")
    duration_s: float
    kind: str = Field(description="loop, one-shot or texture: longer than a hit, without a beat.")
    sound: str | None = Field(
        description="The class of a one-shot or a loop; null for a texture and where it is not clear. "
        "`hi-hat` is a hat that may be open or closed."
    )
    bpm: float | None
    bpm_source: str | None = Field(description="Where it came from; `user` is a correction.")
    key: str | None
    key_source: str | None
    tags: list[str]
    liked: bool
    vibe: Vibe | None = Field(description="Null for a sample without a description: see `ai_analysis`.")
    corrected: list[str] = Field(description="The fields you have corrected, as `revert` takes them.")
    parent_id: str | None = Field(description="The sample it was cut from.")
    collection: str | None = Field(description="The name of the collection it is in.")
    folder: str = Field(description="The path of its folder in the collection; may be empty.")
    created_at: datetime

    @classmethod
    def from_sample(cls, sample: Sample) -> SampleAnswer:
        """Return the answer for a sample, with corrections in force."""
        own = cls.model_fields.keys() - {"tags", "vibe", "corrected", "collection", "folder"}
        return cls(
            **{name: getattr(sample, name) for name in own},
            tags=sample.tag_names,
            vibe=Vibe(**sample.vibe) if sample.vibe else None,
            collection=sample.place.collection or None,
            folder=sample.place.folder,
            corrected=[
                _api_field_name(name) for name in (*SOUND_FIELDS, *VIBE_FIELDS) if name in sample.corrections
            ],
        )


class SamplesAnswer(BaseModel):
    samples: list[SampleAnswer]
    total: int = Field(description="How many match, on all pages.")
    total_is_minimum: bool = Field(
        description="True when more match than `total`. Filters by words are counted only up to "
        f"{MAX_COUNTED:,}. If `ask` then ranks by a measure and a word at once (`dusty, darkest`), some that "
        f"are older than the newest {MAX_RANKED:,} are on no page; `sort` gets them all."
    )
    next_after: str | None = Field(description="Send it as `after` for the next page; null on the last.")


class SamplesQuery(RequestModel):
    q: str = Field("", max_length=200, description='Words; `-word` excludes one, `"two words"` is a phrase.')
    ask: str = Field(
        "",
        max_length=200,
        description="A sentence: `dusty 90 bpm drum loops in A minor, not too bright`. What it says about "
        "brightness, noise, level, attack, length, date or a character such as dusty decides the order, "
        "unless you send `sort`. Words that AI has explained to you in the library keep that meaning here; "
        "API requests never ask AI.",
    )
    kind: Literal["loop", "one-shot", "texture"] | None = None
    sound: str = Field(
        "",
        max_length=24,
        description="Such as kick, open hat, bass, full mix. `hi-hat` finds both hats, `drums` "
        "every drum as well as loops of drums; add `kind` for only one of them.",
    )
    key: Key | None = None
    compatible: bool = Field(False, description="With `key`: harmonically close keys too.")
    bpm_min: float | None = Field(None, gt=0, lt=1000)
    bpm_max: float | None = Field(None, gt=0, lt=1000)
    half_double: bool = Field(False, description="With a tempo: half and double of it too.")
    seconds_min: float | None = Field(None, gt=0, lt=1000, description="The shortest length.")
    seconds_max: float | None = Field(None, gt=0, lt=1000, description="The longest length.")
    tag: str = Field("", max_length=40)
    liked: bool = False
    collection: str = Field("", max_length=MAX_READ, description="The name of a collection.")
    folder: str = Field(
        "", max_length=MAX_READ, description="With `collection`: a folder; those below it are searched too."
    )
    sort: (
        Literal[
            "newest",
            "oldest",
            "name",
            "kind",
            "key",
            "bpm",
            "length",
            "-name",
            "-kind",
            "-key",
            "-bpm",
            "-length",
        ]
        | None
    ) = Field(
        None,
        description="By default as `ask` implies, otherwise the newest first. A minus turns an order round.",
    )
    after: str | None = Field(None, pattern=ID_PATTERN, description="`next_after` of the page before.")
    limit: int = Field(50, ge=1, le=MAX_PAGE_SIZE)


class SamplePatch(RequestModel):
    """Only what is sent is changed. A `bpm`, `key` or `sound` of null says that the sound has none.

    A `sound` must be one of the kind's: of a one-shot kick, snare, rim, clap, closed hat, open hat, hi-hat
    (either hat), tom, cymbal, shaker, percussion, bass, keys, lead, pad, vocal-like or fx; of a loop drums,
    percussion, bass, melody, chords or full mix. A texture has no `sound` and no `bpm`. A new `kind` removes
    the values that it can't have.
    """

    name: SampleName | SkipJsonSchema[None] = None
    tags: TagNames | SkipJsonSchema[None] = None
    liked: bool | SkipJsonSchema[None] = None
    kind: Kind | SkipJsonSchema[None] = None
    sound: Sound | None = None
    bpm: Bpm | None = None
    key: Key | None = None
    vibe: VibeCorrection | SkipJsonSchema[None] = None
    revert: RevertNames | SkipJsonSchema[None] = Field(
        None,
        description="Corrections to reset, before anything else is changed; the detected values apply again.",
    )

    @field_validator("name", "tags", "liked", "kind", "vibe", "revert", mode="before")
    @classmethod
    def refuse_null(cls, value: Any) -> Any:
        """Refuse null, which the API document does not list; defaults of omitted fields are accepted."""
        if value is None:
            raise ValueError("can't be null. Leave it out to keep it as it is")
        nulls = [name for name in value if value[name] is None] if isinstance(value, dict) else []
        if nulls:
            raise ValueError(f"{', '.join(nulls)} can't be null. Leave out what should stay as it is")
        return value

    @property
    def corrections(self) -> dict[str, Any]:
        """Return the corrections in the request."""
        sent = {name: getattr(self, name) for name in SOUND_FIELDS if name in self.model_fields_set}
        return sent | (self.vibe.model_dump(exclude_none=True) if self.vibe is not None else {})

    @property
    def taken_back(self) -> list[str]:
        """The names, without `vibe.`, of the corrections to take back."""
        return [name.removeprefix(VIBE_PREFIX) for name in self.revert or ()]


class DownloadQuery(RequestModel):
    format: Literal["original", "sp404"] = Field(
        "original", description="The untouched file, or a 48 kHz / 16-bit WAV for the SP-404MKII."
    )


def _api_field_name(name: str) -> str:
    """Return a field's name as the API spells it: the description's fields begin with `vibe.`."""
    return f"{VIBE_PREFIX}{name}" if name in VIBE_FIELDS else name
