"""`kit.json`: a kit with all its pads as one document, for the API, for sharing and for the card."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from app.sp404 import unit_limits
from app.sp404.errors import UnitFileError
from app.sp404.pad_names import SAFE_NAME_RULE, UNLOADABLE_CHARACTER
from app.sp404.pad_settings import Hexadecimal, PadSettings, Tempo, explain_setting
from app.sp404.pads import PAD_PATTERN
from app.sp404.project.packed_patterns import MAX_PACKED_CHARACTERS, check_room, count_packed_bars

DOCUMENT_VERSION = 1
"""Rises when an older reader would misunderstand a document."""
MAX_NOTES = 2_000
MAX_PATTERN_NAME = 60
FRESH_TEMPO_BPM = 90.0
"""Of projects and banks in files made by the unit."""

NAME_RULE = f"A kit's name has 1 to {unit_limits.MAX_PROJECT_NAME} characters, {SAFE_NAME_RULE}."
ID_PATTERN = r"^[0-9A-HJKMNP-TV-Z]{26}$"
SOUND_PATH_PATTERN = r"^[^/\\\x00-\x1f:]+(/[^/\\\x00-\x1f:]+)*$"
"""Parts with slashes between them, none of which leads to another drive; `..` is refused when it is read."""
TempoSource = Literal["project", "bank"]
BankName = Annotated[str, Field(pattern=r"^[A-J]$")]
PadName = Annotated[str, Field(pattern=PAD_PATTERN)]


class KitDocumentError(Exception):
    """A text is no kit. The message is a sentence that says where and why."""


def check_kit_name(name: str) -> str:
    """Return the name of a kit without blanks around it.

    Parameters
    ----------
    name : str

    Raises
    ------
    ValueError
        The unit can't show it; the message is a sentence.
    """
    tidy = name.strip(" ")
    if not tidy or len(tidy) > unit_limits.MAX_PROJECT_NAME or UNLOADABLE_CHARACTER.search(tidy):
        raise ValueError(
            f"A kit's name has 1 to {unit_limits.MAX_PROJECT_NAME} characters, {SAFE_NAME_RULE}."
        )
    return tidy


NO_NUL = Field(pattern=r"^[^\x00]*$")
Notes = Annotated[str, Field(max_length=MAX_NOTES), NO_NUL]
PatternName = Annotated[str, Field(max_length=MAX_PATTERN_NAME), NO_NUL]
KitName = Annotated[str, AfterValidator(check_kit_name)]
SoundPath = Annotated[str, Field(min_length=1, max_length=200, pattern=SOUND_PATH_PATTERN)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _is_none(value: object) -> bool:
    return value is None


class BankDocument(_Part):
    """What a bank has of its own. Every default is the unit's."""

    tempo: Tempo = FRESH_TEMPO_BPM
    volume: Annotated[int, Field(ge=unit_limits.VOLUME.least, le=unit_limits.VOLUME.most)] = 127
    protect: bool = False


class SampleReference(_Part):
    """A sample of a library: by its id, or else by the SHA-256 of its file; or a WAV beside the document."""

    id: Annotated[str, Field(pattern=ID_PATTERN)] | None = Field(
        default=None, description="null where it was deleted"
    )
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None, description="of the file that was uploaded"
    )
    name: Annotated[str, Field(max_length=200), NO_NUL] = Field(
        default="", description="for people; it finds no sample"
    )
    path: SoundPath | None = Field(
        default=None,
        exclude_if=_is_none,
        description="of its WAV beside the kit.json, where the kit has its sounds",
    )


class PadDocument(_Part):
    """A pad: its sample, whether filling leaves it alone, and its settings."""

    sample: SampleReference | None = Field(None, description="null for a pad that is kept empty")
    locked: bool = Field(default=False, description="Filling and shuffling leave a locked pad alone.")
    settings: PadSettings = PadSettings()


def _check_packed(text: str) -> str:
    try:
        count_packed_bars(text)
    except UnitFileError as error:
        raise ValueError(str(error)) from error
    return text


class PatternDocument(_Part):
    """A pattern of the unit."""

    name: PatternName = Field(default="", description="for people")
    ptn: Annotated[str, Field(max_length=MAX_PACKED_CHARACTERS), AfterValidator(_check_packed)] = Field(
        description="the unit's PTN file, compressed with zlib, in Base64"
    )


def _check_patterns(patterns: dict[str, PatternDocument]) -> dict[str, PatternDocument]:
    try:
        check_room(pattern.ptn for pattern in patterns.values())
    except UnitFileError as error:
        raise ValueError(str(error)) from error
    return patterns


Patterns = Annotated[dict[PadName, PatternDocument], AfterValidator(_check_patterns)]


def _is_empty(value: object) -> bool:
    return not value


class KitDocument(_Part):
    """A kit. Banks and pads that are not named are as on a fresh unit.

    Attributes
    ----------
    id, revision : str and int or None
        Where the kit is in this service, and how often it was changed there; a new kit gets its own.
    tempo : float
        Beats a minute, with hundredths.
    tempo_source : str
        Whether all banks have this tempo ("project"), or each its own ("bank").
    banks : dict of str to BankDocument
        By their letters.
    pads : dict of str to PadDocument
        By their names, `A1` to `J16`.
    patterns : dict of str to PatternDocument
        By their places, which are named like pads. Left out of a text where there is none.
    kept : str
        Bytes of the unit's own file that have no name here, in hexadecimal digits.
    """

    format: Literal["sp404mk2-kit"] = "sp404mk2-kit"
    version: Annotated[int, Field(ge=DOCUMENT_VERSION, le=DOCUMENT_VERSION)] = DOCUMENT_VERSION
    id: Annotated[str, Field(pattern=ID_PATTERN)] | None = None
    revision: Annotated[int, Field(ge=0)] | None = None
    name: KitName
    tempo: Tempo = FRESH_TEMPO_BPM
    tempo_source: TempoSource = "project"
    notes: Notes = ""
    banks: dict[BankName, BankDocument] = {}
    pads: dict[PadName, PadDocument] = {}
    patterns: Patterns = Field(default={}, exclude_if=_is_empty)
    kept: Hexadecimal = ""


def read_kit(text: str | bytes) -> KitDocument:
    """Return the kit of a `kit.json`.

    Parameters
    ----------
    text : str or bytes
        JSON; bytes are UTF-8.

    Raises
    ------
    KitDocumentError
        It is not JSON, or no kit of this version; the message says where and why.
    """
    try:
        return KitDocument.model_validate_json(text)
    except ValidationError as error:
        raise KitDocumentError(_sentence(error)) from error


def write_kit(kit: KitDocument) -> str:
    """Return a kit as the text of a `kit.json`, which `read_kit` reads again.

    Parameters
    ----------
    kit : KitDocument
    """
    return kit.model_dump_json(indent=2) + "\n"


LABELS = {
    "id": "Its id has 26 characters, or is null.",
    "revision": "Its revision is a whole number, or null.",
    "format": "This is no kit: its format must be “sp404mk2-kit”.",
    "version": f"This kit needs a newer version of the product: only version {DOCUMENT_VERSION} can be read.",
    "tempo": "Its tempo is 40 to 200 BPM, with at most two decimals.",
    "tempo_source": "Its tempo_source is “project” or “bank”.",
    "notes": f"Its notes have at most {MAX_NOTES:,} characters, and no NUL.",
    "kept": "Its kept bytes are at most 1,024 bytes in lower-case hexadecimal digits.",
    "banks": "Its banks are named A to J.",
    "pads": "Its pads are named A1 to J16.",
    "patterns": "Its patterns are named A1 to J16.",
}
PART_RULES = {
    "tempo": "its tempo is 40 to 200 BPM, with at most two decimals",
    "volume": "its volume is a whole number from 0 to 127",
    "protect": "protect is true or false",
    "name": f"its name has at most {MAX_PATTERN_NAME} characters",
    "ptn": "its ptn is the unit's PTN file, compressed with zlib, in Base64",
}
SAMPLE_RULES = {
    "id": "the id of its sample has 26 characters, or is null",
    "sha256": "the sha256 of its sample has 64 hexadecimal digits, or is null",
    "name": "the name of its sample has at most 200 characters",
    "path": "the path of its sound is relative to the kit.json, with slashes and at most 200 characters",
}


def _sentence(error: ValidationError) -> str:
    """Return what is wrong at the first wrong place."""
    first = error.errors()[0]
    match first["loc"]:
        case () if first["type"] == "json_invalid":
            return "This is not JSON."
        case ():
            return "This is no kit: a kit is a JSON object."
        case (str(), str(), "[key]"):
            return LABELS[str(first["loc"][0])]
        case ("pads", pad, "settings", *rest):
            return f"Pad {pad}: {explain_setting(first, tuple(rest))}"
        case ("patterns",) if first["type"] == "value_error":
            return str(first["ctx"]["error"])
        case ("pads" | "banks" | "patterns" as group, str(part), *rest):
            return f"{group[:-1].capitalize()} {part}: {_explain_part(first, rest)}."
        case (name, *_) if first["type"] == "extra_forbidden":
            return f"A kit has no “{str(name)[:40]}”."
        case ("name",):
            return "A kit needs a name." if first["type"] == "missing" else NAME_RULE
    return LABELS[str(first["loc"][0])]


def _explain_part(detail: Any, rest: list[Any]) -> str:
    """Return what is wrong in a bank or a pattern, or with the sample or the lock of a pad."""
    name = str(rest[-1]) if rest else ""
    if detail["type"] == "extra_forbidden":
        return f"there is no “{name[:40]}”"
    if rest[:1] == ["sample"] and name in SAMPLE_RULES:
        return SAMPLE_RULES[name]
    if name == "locked":
        return "locked is true or false"
    return PART_RULES.get(name, "this is no JSON object with the fields of a kit")
