"""Describe a measured sound: by a model when one may be asked, otherwise by rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any, Self

from app.audio.result import Analysis
from app.integrations.openrouter.chat_client import ChatEndpoint, MaxPrice
from app.integrations.openrouter.conversation import Conversation
from app.vibe import grounding, vibe_prompt
from app.vibe.sound_description import SoundDescription, describe_by_rules, ground_answer
from app.vibe.vibe_schema import SCHEMA_NAME, Vibe


@dataclass(frozen=True)
class ModelRequest:
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


def describe_sound(
    measured: Analysis, ask: ModelRequest | None = None, server: ChatEndpoint | None = None
) -> SoundDescription:
    """Describe a sound: by a model when one may be asked and answers well, otherwise by rules.

    Whatever goes wrong there, there is a description; `calls` says what was tried and what it cost.
    """
    ruled = describe_by_rules(measured)
    if ask is None or server is None or ask.prompt_version != vibe_prompt.PROMPT_VERSION:
        return ruled
    price = MaxPrice(Decimal(ask.prompt_usd), Decimal(ask.completion_usd))
    given = "\n".join([ask.name, *ask.tags])
    budget = Decimal(ask.budget_usd)
    asking = Conversation(server, price, budget, Vibe, SCHEMA_NAME, lambda vibe: _quote_fault(vibe, given))
    found = asking.of(ask.models, vibe_prompt.build_messages(measured, ask.name, ask.tags))
    calls = [call.to_dict() for call in asking.calls]
    if found is None:
        return replace(ruled, calls=calls)
    answered = {
        "vibe": found.model_dump(),
        "source": asking.calls[-1].model,
        "prompt_version": ask.prompt_version,
    }
    return replace(ground_answer(answered, measured), calls=calls)


def _quote_fault(vibe: Vibe, given: str) -> str:
    said = " ".join([vibe.description, *(tag.replace("-", " ") for tag in vibe.tags)])
    return (
        "description: do not repeat the file name or the tags" if grounding.quotes_user(said, given) else ""
    )
