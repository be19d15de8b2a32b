"""A description of a sound: the vibe, who gave it, and the measured figures it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.audio.result import Analysis
from app.vibe import grounding, rules_describer
from app.vibe.feature_text import CORRECTABLE_FEATURES, describe_features
from app.vibe.vibe_schema import SCHEMA_VERSION, Vibe

BY_RULES = "local"


@dataclass(frozen=True)
class SoundDescription:
    """A vibe, who gave it, what was put right in it, and a plain record of each call that may be billed."""

    vibe: Vibe
    because: dict[str, str]  # for each field, the measured figures it rests on
    figures: dict[str, Any]  # what it was written for
    source: str = BY_RULES  # or the model that was billed
    prompt_version: int | None = None
    corrections: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    answered: dict[str, Any] | None = None  # what a model said, word for word

    def to_dict(self) -> dict[str, Any]:
        """What is kept with the sample."""
        return self.vibe.model_dump(exclude={"rests_on"}) | {
            "because": self.because,
            "figures": self.figures,
            "source": self.source,
            "corrections": self.corrections,
            "schema_version": SCHEMA_VERSION,
            "prompt_version": self.prompt_version,
        }


def describe_by_rules(measured: Analysis) -> SoundDescription:
    """Describe a sound by rules alone; nothing is asked and nothing is paid."""
    vibe = rules_describer.vibe_by_rules(measured)
    return SoundDescription(vibe, reasons_by_field(vibe, measured), described_figures(measured))


def ground_answer(answered: Mapping[str, Any], measured: Analysis) -> SoundDescription:
    """What a model has said, now or once, put right by what is measured today."""
    vibe, local = Vibe.model_validate(answered["vibe"]), rules_describer.vibe_by_rules(measured)
    right, corrections = grounding.correct_vibe(vibe, local, measured)
    return SoundDescription(
        right,
        reasons_by_field(right, measured),
        described_figures(measured),
        answered["source"],
        answered["prompt_version"],
        corrections,
        answered=dict(answered),
    )


def reasons_by_field(vibe: Vibe, measured: Analysis) -> dict[str, str]:
    """Figures for the features a vibe names: a describer says which, the measurement says how much."""
    return {
        name: describe_features(measured, features) for name, features in vibe.rests_on.model_dump().items()
    }


def described_figures(measured: Analysis) -> dict[str, Any]:
    return {name: getattr(measured, name) for name in CORRECTABLE_FEATURES}
