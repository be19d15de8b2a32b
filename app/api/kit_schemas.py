"""Request and response schemas of the JSON API for kits. A kit itself is the `kit.json` of `app.sp404`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from app.api.schemas import ID_PATTERN, RequestModel
from app.kits.kit_state import HUNDREDTHS
from app.models import Kit
from app.sp404 import unit_limits
from app.sp404.card.card_options import PROJECTS, TARGETS, Target
from app.sp404.kit_document import (
    BankName,
    KitDocument,
    KitName,
    Notes,
    PatternName,
    SampleReference,
    TempoSource,
)
from app.sp404.pad_settings import PadSettings, Tempo
from app.sp404.pads import PAD_NAMES, PAD_PATTERN
from app.sp404.preflight.findings import Degree
from app.sp404.project.midi_reader import MAX_MIDI_BYTES
from app.sp404.project.pattern_files import MAX_BARS
from app.sp404.project.step_beats import StepBeat

MAX_MIDI_CHARACTERS = (MAX_MIDI_BYTES + 2) // 3 * 4
PadPath = Annotated[str, Field(pattern=PAD_PATTERN)]
Revision = Annotated[
    int | None,
    Field(
        description="The `revision` that the change is made for: when the kit has another by now, nothing is "
        "changed and the answer is 409."
    ),
]


class RevisionQuery(RequestModel):
    revision: Revision = None


class NewKit(KitDocument):
    """A `kit.json`, or a name with samples to lay out."""

    samples: Annotated[list[Annotated[str, Field(pattern=ID_PATTERN)]], Field(max_length=len(PAD_NAMES))] = (
        Field(
            default_factory=list,
            description="Instead of `pads`: ids of your samples in order. One whose file name begins with a "
            "pad, such as `C05 snare.wav`, goes there.",
        )
    )


class BankPatch(RequestModel):
    tempo: Tempo | None = None
    volume: Annotated[int, Field(ge=unit_limits.VOLUME.least, le=unit_limits.VOLUME.most)] | None = None
    protect: bool | None = None


class KitPatch(RequestModel):
    """What is to be changed of a kit; what is left out stays."""

    name: KitName | None = None
    tempo: Tempo | None = None
    tempo_source: TempoSource | None = None
    notes: Notes | None = None
    banks: dict[BankName, BankPatch] = Field({}, description="By their letters.")
    revision: Revision = None


class PadPut(RequestModel):
    """What a pad holds from now on, as in a `kit.json`."""

    sample: SampleReference | None = Field(None, description="null for a pad that is kept empty")
    locked: bool = Field(False, description="Filling and shuffling leave a locked pad alone.")
    settings: PadSettings | None = Field(None, description="null for those that suit the sound")
    revision: Revision = None


class PadTarget(RequestModel):
    to: PadPath = Field(description="The other pad, such as B3.")
    revision: Revision = None


class BankTarget(RequestModel):
    to: BankName = Field(description="The other bank, such as B.")
    revision: Revision = None


class PatternPut(RequestModel):
    """A pattern from a MIDI file or from 16 steps: send `midi` or `beat`."""

    midi: str | None = Field(
        None, max_length=MAX_MIDI_CHARACTERS, description="A MIDI file of at most 256 KB, in Base64."
    )
    beat: StepBeat | None = None
    bars: int | None = Field(
        None,
        ge=1,
        le=MAX_BARS,
        description="Length in bars; shorter content repeats. null: the MIDI file's own length, or one bar "
        "for a beat.",
    )
    bank: BankName | None = Field(
        None,
        description="The bank that every channel of a MIDI file plays; null for channel 1 on A, 2 on B …",
    )
    name: PatternName = ""
    revision: Revision = None


class PatternAnswer(BaseModel):
    kit: KitDocument
    bars: int
    bpm: float | None = Field(
        description="The tempo that the MIDI file names; a pattern has none of its own."
    )
    left_out: list[str] = Field(description="Sentences about what could not be taken over.")


class KitSummary(BaseModel):
    id: str
    name: str
    tempo: float
    tempo_source: TempoSource
    pads: int = Field(description="How many hold a sound.")
    revision: int
    created_at: datetime
    changed_at: datetime

    @classmethod
    def from_kit(cls, kit: Kit, pads: int) -> KitSummary:
        """Return the line of a list for a kit."""
        same = ("id", "name", "tempo_source", "revision", "created_at", "changed_at")
        return cls(**{name: getattr(kit, name) for name in same}, tempo=kit.tempo / HUNDREDTHS, pads=pads)


class KitsAnswer(BaseModel):
    kits: list[KitSummary] = Field(description="The one changed last comes first.")


class ExportRequest(RequestModel):
    """What a card of a kit is made for."""

    targets: Annotated[list[Target], Field(min_length=1, max_length=len(TARGETS))] = Field(
        description="`mk2` is the native project, a beta; `import` are WAVs for the unit's import."
    )
    project_number: int = Field(1, ge=1, le=PROJECTS, description="Of the native project: `PROJECT_01` …")
    startup_screen: bool = Field(
        True,
        description="Whether the native project has a start-up screen with the kit's name. It is ignored "
        "for a kit that was imported from the unit: its project keeps the pictures that it has.",
    )


class PreflightQuery(RequestModel):
    targets: Annotated[str, Field(min_length=1, max_length=60)] = Field(
        "mk2", description=f"One or more of {', '.join(TARGETS)}, with commas between them."
    )


class FixAnswer(BaseModel):
    """A change of the kit that puts a finding right. `value` has only what it changes."""

    fix: str
    pad: str = Field(description="The pad of the finding, or `Kit`.")
    value: dict[str, Any] = Field(
        description="`settings` and `recipes` by pads, pads to `clear`, and `banks` that move."
    )


class FindingAnswer(BaseModel):
    degree: Degree = Field(description="An `error` is what the unit refuses or loses.")
    code: str = Field(description="Short and stable, for programs.")
    place: str = Field(description="A pad, or `Kit`.")
    wrong: str
    done: str = Field(description="What an export does about it.")
    fix: FixAnswer | None = Field(description="null where nothing of the kit can be changed for it.")


class PreflightAnswer(BaseModel):
    revision: int = Field(description="Of the kit that was checked.")
    findings: list[FindingAnswer] = Field(description="Errors first, each in order of the pads.")


class ImportForm(RequestModel):
    """The field sent together with the file."""

    folder: str | None = Field(
        None,
        max_length=1_000,
        description="Of the project in the ZIP, or the path of the `kit.json`, where there are several.",
    )
