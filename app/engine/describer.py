"""Describe a measured sound: by a model where one may be asked, otherwise by rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from app.audio.result import Analysis
from app.integrations.openrouter.chat_client import ChatEndpoint, MaxPrice
from app.integrations.openrouter.conversation import Conversation
from app.vibe import grounding, vibe_prompt
from app.vibe.sound_description import SoundDescription, describe_by_rules, ground_answer
from app.vibe.vibe_schema import SCHEMA_NAME, Answer, answer_model


@dataclass(frozen=True)
class ModelRequest:
    """Which models may be asked about one sound, and for how much. It travels as JSON and holds no key.

    Amounts are decimals as text, in US dollars.
    """

    models: tuple[str, ...]  # asked in this order until one answers well
    prompt_version: int
    budget_usd: str  # the most that all calls together may cost
    prompt_usd: str  # the highest price for a million prompt tokens
    completion_usd: str  # the highest price for a million completion tokens
    name: str = ""  # the user's own words: data for the model, never instructions
    tags: tuple[str, ...] = ()


def describe_sound(
    measured: Analysis, ask: ModelRequest | None = None, server: ChatEndpoint | None = None
) -> SoundDescription:
    """Return a model's description where one may be asked and answers well, otherwise one by rules.

    Failing models never prevent a description; its `calls` record what was tried and what it cost.
    """
    by_rules = describe_by_rules(measured)
    if ask is None or server is None or ask.prompt_version != vibe_prompt.PROMPT_VERSION:
        return by_rules
    price = MaxPrice(Decimal(ask.prompt_usd), Decimal(ask.completion_usd))
    given = "\n".join([ask.name, *ask.tags])
    conversation: Conversation[Answer] = Conversation(
        server,
        price,
        Decimal(ask.budget_usd),
        answer_model(measured.kind),
        SCHEMA_NAME,
        lambda vibe: _quote_fault(vibe, given),
    )
    vibe = conversation.first_answer(ask.models, vibe_prompt.build_messages(measured, ask.name, ask.tags))
    calls = [call.to_dict() for call in conversation.calls]
    if vibe is None:
        return replace(by_rules, calls=calls)
    answered = {
        "vibe": vibe.model_dump(),
        "source": conversation.calls[-1].model,
        "prompt_version": ask.prompt_version,
    }
    return replace(ground_answer(answered, measured), calls=calls)


def _quote_fault(vibe: Answer, given: str) -> str:
    """Return what the model is told when it repeats the user's words, otherwise nothing."""
    said = " ".join([vibe.description, *(tag.replace("-", " ") for tag in vibe.tags)])
    quotes = grounding.quotes_user(said, given)
    return "description: do not repeat the file name or the tags" if quotes else ""
