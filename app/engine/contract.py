"""What the engine is asked and what it answers, whichever process it runs in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from app.audio.result import Analysis, WrittenWav
from app.engine.describer import ModelRequest

RENDERED_NAME = "sp404.wav"


class EngineOrder(BaseModel):
    """What is wanted of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: Annotated[str, Field(max_length=64, pattern=r"^[\w-]*$")] = ""  # the job, for folders and logs
    name: Annotated[str, Field(max_length=200)] = ""  # what the file was called: evidence of tempo and key
    export_sp404: bool = True
    ai_analysis: bool = True  # words for what was heard
    ask: ModelRequest | None = (
        None  # which models may be asked for them, and for how much; otherwise they come by rules
    )
    limit_s: Annotated[float, Field(gt=0, le=3600)] = 300.0


@dataclass(frozen=True)
class Measurement:
    """What was measured of one file, the SHA-256 of its bytes, and what the WAV writer reported.

    Its plain JSON is `audio_features` in the engine's answer, and what is stored with a job and a sample.
    """

    analysis: Analysis
    file_sha256: str
    written_wav: WrittenWav | None = None  # None when no WAV was wanted

    def to_dict(self) -> dict[str, Any]:
        """Return one flat object: the analysis, `sp404` from the WAV writer, and `file_sha256`."""
        written = {"sp404": self.written_wav.to_dict()} if self.written_wav else {}
        return self.analysis.to_dict() | written | {"file_sha256": self.file_sha256}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Restore a measurement from its plain JSON; older ones lack `file_sha256`."""
        written = WrittenWav(**plain["sp404"]) if "sp404" in plain else None
        return cls(Analysis.from_dict(plain), str(plain.get("file_sha256", "")), written)


@dataclass(frozen=True)
class ProgressListener:
    """Who waits for the answer: what they hear meanwhile, and whether they still want it."""

    on_decoded: Callable[[Path], None]  # the unit's WAV, as soon as it can be played
    on_measured: Callable[[Measurement], None]  # before anything is paid for words
    still_wanted: Callable[[], bool]


@dataclass(frozen=True)
class EngineAnswer:
    """The measurement, its description (None when none was wanted), and the model calls that were billed."""

    measurement: Measurement
    ai_analysis: dict[str, Any] | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)

    @property
    def analysis(self) -> Analysis:
        """Return what was measured."""
        return self.measurement.analysis

    @property
    def cost(self) -> float:
        """In US dollars."""
        return float(sum(Decimal(call["cost_usd"]) for call in self.calls))
