"""A description of a sound: the vibe, its source, and the measured figures it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.audio.result import Analysis
from app.vibe import grounding, rules_describer
from app.vibe.feature_text import CORRECTABLE_FEATURES, describe_features
from app.vibe.vibe_schema import SCHEMA_VERSION, SoundVibe

BY_RULES = "local"


@dataclass(frozen=True)
class SoundDescription:
    """A vibe, its source, what was corrected in it, and a plain record of each call that may be billed."""

    vibe: SoundVibe
    because: dict[str, str]  # for each field, the measured figures it rests on
    figures: dict[str, Any]  # the kind, sound, tempo and key it was written for
    source: str = BY_RULES  # or the name of the model that was billed
    prompt_version: int | None = None
    corrections: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    answered: dict[str, Any] | None = None  # a model's answer before corrections

    def to_dict(self) -> dict[str, Any]:
        """Return the plain JSON that is stored with the sample."""
        return self.vibe.model_dump(exclude={"rests_on"}) | {
            "because": self.because,
            "figures": self.figures,
            "source": self.source,
            "corrections": self.corrections,
            "schema_version": SCHEMA_VERSION,
            "prompt_version": self.prompt_version,
        }


def describe_by_rules(measured: Analysis) -> SoundDescription:
    """Return a description by rules alone, without asking a model or paying for one."""
    vibe = rules_describer.vibe_by_rules(measured)
    return SoundDescription(vibe, reasons_by_field(vibe, measured), described_figures(measured))


def ground_answer(answered: Mapping[str, Any], measured: Analysis) -> SoundDescription:
    """Return a description from a model's answer, new or stored, corrected by the present measurement.

    Raises pydantic's ValidationError for an answer that does not fit the schema.
    """
    vibe, by_rules = SoundVibe.model_validate(answered["vibe"]), rules_describer.vibe_by_rules(measured)
    corrected, corrections = grounding.correct_vibe(vibe, by_rules, measured)
    return SoundDescription(
        corrected,
        reasons_by_field(corrected, measured),
        described_figures(measured),
        answered["source"],
        answered["prompt_version"],
        corrections,
        answered=dict(answered),
    )


def reasons_by_field(vibe: SoundVibe, measured: Analysis) -> dict[str, str]:
    """Return the figures behind each field; a describer only names the features they belong to."""
    rests_on = vibe.rests_on.model_dump()
    return {name: describe_features(measured, features) for name, features in rests_on.items() if features}


def described_figures(measured: Analysis) -> dict[str, Any]:
    """Return the correctable figures, which are stored to tell later whether they have changed."""
    return {name: getattr(measured, name) for name in CORRECTABLE_FEATURES}
