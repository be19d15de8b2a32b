"""A description of a sound: the vibe, who gave it, and the measured figures it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.vibe import grounding, rules
from app.vibe.measures import FIGURES, Measured, in_words
from app.vibe.schema import SCHEMA_VERSION, Vibe

LOCAL = "local"


@dataclass(frozen=True)
class Described:
    """A vibe, who gave it, what was put right in it, and a plain record of each call that may be billed."""

    vibe: Vibe
    because: dict[str, str]  # for each field, the measured figures it rests on
    figures: dict[str, Any]  # what it was written for
    source: str = LOCAL  # or the model that was billed
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


def describe_by_rules(measured: Measured) -> Described:
    """Describe a sound by rules alone; nothing is asked and nothing is paid."""
    vibe = rules.describe(measured)
    return Described(vibe, because(vibe, measured), figures(measured))


def grounded(answered: Mapping[str, Any], measured: Measured) -> Described:
    """What a model has said, now or once, put right by what is measured today."""
    vibe, local = Vibe.model_validate(answered["vibe"]), rules.describe(measured)
    right, corrections = grounding.corrected(vibe, local, measured)
    return Described(
        right,
        because(right, measured),
        figures(measured),
        answered["source"],
        answered["prompt_version"],
        corrections,
        answered=dict(answered),
    )


def because(vibe: Vibe, measured: Measured) -> dict[str, str]:
    """Figures for the features a vibe names: a describer says which, the measurement says how much."""
    return {name: in_words(measured, features) for name, features in vibe.rests_on.model_dump().items()}


def figures(measured: Measured) -> dict[str, Any]:
    return {name: measured.get(name) for name in FIGURES}
