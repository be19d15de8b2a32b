"""What the engine is asked and what it answers, whichever process it runs in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

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
class ProgressListener:
    """Who waits for the answer: what they hear meanwhile, and whether they still want it."""

    on_decoded: Callable[[Path], None]  # the unit's WAV, as soon as it can be played
    on_measured: Callable[[dict[str, Any]], None]  # before anything is paid for words
    still_wanted: Callable[[], bool]


@dataclass(frozen=True)
class EngineAnswer:
    """What was heard, the words for it (None when nobody wanted them), and the calls that were billed."""

    audio_features: dict[str, Any]
    ai_analysis: dict[str, Any] | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)

    @property
    def cost(self) -> float:
        """In US dollars."""
        return float(sum(Decimal(call["cost_usd"]) for call in self.calls))
