"""The engine's requests and answers, the same in this process and in another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.audio.result import Analysis, Measurement
from app.engine.describer import ModelRequest

RENDERED_NAME = "sp404.wav"


class EngineOrder(BaseModel):
    """The request for one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: Annotated[str, Field(max_length=64, pattern=r"^[\w-]*$")] = ""  # a job id, for folders and logs
    name: Annotated[str, Field(max_length=200)] = ""  # the file's original name, evidence for tempo and key
    export_sp404: bool = True
    ai_analysis: bool = True  # whether the sound is described too
    # Which models may be asked for the description, and for how much; without them, rules describe.
    ask: ModelRequest | None = None
    limit_s: Annotated[float, Field(gt=0, le=3600)] = 300.0


class RenderOrder(BaseModel):
    """The request for one shaped sound."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: Annotated[str, Field(max_length=64, pattern=r"^[\w-]*$")] = ""  # a job id, for folders and logs
    recipe: dict[str, Any]  # plain JSON of a `RenderRecipe`
    rate_hz: Literal[48_000, 44_100] = 48_000  # of the WAV; 44.1 kHz is for the SP-404SX
    limit_s: Annotated[float, Field(gt=0, le=3600)] = 300.0


class CutOrder(BaseModel):
    """The request for the slices of one sound, as a ZIP of WAVs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: Annotated[str, Field(max_length=64, pattern=r"^[\w-]*$")] = ""  # a job id, for folders and logs
    slices: dict[str, Any]  # plain JSON of a `SliceSet`
    limit_s: Annotated[float, Field(gt=0, le=3600)] = 300.0


@dataclass(frozen=True)
class ProgressListener:
    """The caller's functions that the engine calls while it works."""

    on_decoded: Callable[[Path], None]  # with the unit's WAV, as soon as it can be played
    on_measured: Callable[[Measurement], None]  # before anything is paid for a description
    still_wanted: Callable[[], bool]  # False ends the work


@dataclass(frozen=True)
class RenderReport:
    """What was done, in words and figures; the WAV or ZIP lies in the folder, as `RENDERED_NAME`."""

    done: tuple[str, ...]
    frames: int
    channels: int
    bpm: float | None
    loudness_db: float | None
    peaks: tuple[int, ...]  # of its waveform, as the analysis has them; none of slices

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> RenderReport:
        """Return the answer of plain JSON, such as `to_dict` gives."""
        return cls(**plain | {"done": tuple(plain["done"]), "peaks": tuple(plain["peaks"])})

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)


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
        """Return what the model calls cost, in US dollars."""
        return float(sum(Decimal(call["cost_usd"]) for call in self.calls))
