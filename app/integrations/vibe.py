"""The vibe of a sound: what is asked for, who answers, and what that cost. No database and no Flask here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any, Self

from app.integrations import describer, grounding, prompt
from app.integrations.asking import Asking
from app.integrations.measures import FIGURES, Measured, in_words
from app.integrations.openrouter import Price, Server
from app.integrations.vibe_schema import NAME, SCHEMA_VERSION, Vibe

LOCAL = "local"


@dataclass(frozen=True)
class Ask:
    """What may be asked of a model for one sound. Plain JSON, so that it can travel; it holds no key."""

    models: tuple[str, ...]  # the first that answers well
    prompt_version: int
    budget_usd: str  # a decimal, as the prices are: all calls together may not cost more
    prompt_usd: str  # the most a million tokens of the question may cost
    completion_usd: str  # and of the answer
    name: str = ""  # the user's own words: data for the model, never instructions
    tags: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"models": list(self.models), "tags": list(self.tags)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        return cls(**{**plain, "models": tuple(plain["models"]), "tags": tuple(plain["tags"])})


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


def describe(measured: Measured, ask: Ask | None = None, server: Server | None = None) -> Described:
    """Describe a sound: by a model when one may be asked and answers well, otherwise by rules.

    Whatever goes wrong there, there is a description; `calls` says what was tried and what it cost.
    """
    local = describer.describe(measured)
    ruled = Described(local, because(local, measured), figures(measured))
    if ask is None or server is None or ask.prompt_version != prompt.PROMPT_VERSION:
        return ruled
    price = Price(Decimal(ask.prompt_usd), Decimal(ask.completion_usd))
    given = "\n".join([ask.name, *ask.tags])
    budget = Decimal(ask.budget_usd)
    asking = Asking(server, price, budget, Vibe, NAME, lambda vibe: _quoting(vibe, given))
    found = asking.of(ask.models, prompt.messages(measured, ask.name, ask.tags))
    calls = [call.to_dict() for call in asking.calls]
    if found is None:
        return replace(ruled, calls=calls)
    answered = {
        "vibe": found.model_dump(),
        "source": asking.calls[-1].model,
        "prompt_version": ask.prompt_version,
    }
    return replace(grounded(answered, measured), calls=calls)


def grounded(answered: Mapping[str, Any], measured: Measured) -> Described:
    """What a model has said, now or once, put right by what is measured today."""
    vibe, local = Vibe.model_validate(answered["vibe"]), describer.describe(measured)
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


def _quoting(vibe: Vibe, given: str) -> str:
    said = " ".join([vibe.description, *(tag.replace("-", " ") for tag in vibe.tags)])
    return "description: do not repeat the file name or the tags" if grounding.quotes(said, given) else ""
