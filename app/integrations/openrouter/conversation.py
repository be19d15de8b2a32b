"""Asking models in turn for one answer of a given form: again where that may help, never past the budget."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from app.integrations.openrouter import chat_client
from app.integrations.openrouter.chat_client import (
    MAX_TOKENS,
    CallRecord,
    ChatEndpoint,
    ChatReply,
    ChatRequest,
    MaxPrice,
)

MAX_TRIES = 3
PAUSES_S = (1.0, 3.0)
# A model that asks for a longer rest is not waited for.
MAX_PAUSE_S = 15.0
MAX_DURATION_S = 120.0
MAX_FAULTS = 8
MAX_REPAIR_CHARACTERS = 4000
# Bounds that not every provider enforces; they are checked here in any case, so they aren't asked for.
_UNSENT_KEYWORDS = {"title", "default", "pattern", "minLength", "maxLength", "minItems", "maxItems"}
_UNSENT_KEYWORDS |= {"minimum", "maximum"}
MAX_CALLS = 24

AnswerModel = TypeVar("AnswerModel", bound=BaseModel)


@dataclass
class Conversation(Generic[AnswerModel]):
    """One conversation: what is left of its time and money, and the record of every call so far."""

    server: ChatEndpoint
    price: MaxPrice
    budget_usd: Decimal
    form: type[AnswerModel]  # what an answer is
    name: str
    accept: Callable[[AnswerModel], str]  # what is wrong with an answer beyond its schema, or nothing
    most_calls: int = MAX_CALLS
    most_tokens: int = MAX_TOKENS
    calls: list[CallRecord] = field(default_factory=list)
    until: float = field(default_factory=lambda: time.monotonic() + MAX_DURATION_S)

    def of(self, models: tuple[str, ...], messages: list[dict[str, str]]) -> AnswerModel | None:
        """The first good answer; None when there is none within what may be spent."""
        schema = request_schema(self.form)
        for model in models:
            question = ChatRequest(
                model, messages, self.name, schema, self.price, most_tokens=self.most_tokens
            )
            answer = self._patiently(question)
            if answer is None or answer.verdict == "stop":
                return None
            if answer.verdict == "good":
                return self._checked(question, answer.content)
        return None

    def _patiently(self, question: ChatRequest) -> ChatReply | None:
        """Up to three tries of one question; None when time or money is out."""
        answer = None
        for attempt in range(1, MAX_TRIES + 1):
            if not self._may(question):
                return answer
            answer = chat_client.request_chat(self._in_time(), replace(question, attempt=len(self.calls) + 1))
            self.calls.append(answer.call)
            if answer.verdict != "again" or attempt == MAX_TRIES:
                return answer
            pause_s = answer.retry_after_s
            if pause_s is None:
                pause_s = PAUSES_S[attempt - 1]
            if pause_s > min(MAX_PAUSE_S, self.until - time.monotonic()):
                return answer
            time.sleep(pause_s)
        return answer

    def _checked(self, question: ChatRequest, content: str) -> AnswerModel | None:
        """What is in an answer, repaired once."""
        found = self._parse(content)
        if isinstance(found, str):
            self._mark("against the schema")
            again = self._patiently(
                replace(question, messages=repair_messages(question.messages, content, found))
            )
            if again is None or again.verdict != "good":
                return None
            found = self._parse(again.content)
            if isinstance(found, str):
                self._mark("against the schema")
        return None if isinstance(found, str) else found

    def _parse(self, content: str) -> AnswerModel | str:
        try:
            found = self.form.model_validate_json(content)
        except ValidationError as error:
            return "\n".join(_fault_text(fault) for fault in error.errors()[:MAX_FAULTS])
        return self.accept(found) or found

    def _in_time(self) -> ChatEndpoint:
        """The server, which is waited for no longer than there is time."""
        left_s = max(self.until - time.monotonic(), 0.1)
        return replace(self.server, timeout_s=min(self.server.timeout_s, left_s))

    def _may(self, question: ChatRequest) -> bool:
        spent = sum((Decimal(call.cost_usd) for call in self.calls), Decimal(0))
        is_affordable = spent + question.most_usd <= self.budget_usd
        return is_affordable and len(self.calls) < self.most_calls and time.monotonic() < self.until

    def _mark(self, outcome: str) -> None:
        self.calls[-1] = replace(self.calls[-1], outcome=outcome)


def _fault_text(fault: Any) -> str:
    """Where and what, without repeating what was sent."""
    return f"{'.'.join(str(part) for part in fault['loc']) or 'answer'}: {fault['msg']}"


def request_schema(form: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema as a request carries it: everything required, nothing else allowed, no bounds."""
    schema: dict[str, Any] = _without_bounds(form.model_json_schema())
    return schema


def _without_bounds(node: Any, is_names: bool = False) -> Any:
    """`is_names`: the keys are names of fields here, not words of JSON schema."""
    if isinstance(node, list):
        return [_without_bounds(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _without_bounds(value, key in {"properties", "$defs"} and not is_names)
        for key, value in node.items()
        if is_names or key not in _UNSENT_KEYWORDS
    }


def repair_messages(asked: list[dict[str, str]], answer: str, faults: str) -> list[dict[str, str]]:
    """The same question once more, with what was wrong about the answer."""
    told = f"That is not an answer of the schema:\n{faults}\nAnswer again with the whole JSON object."
    return [
        *asked,
        {"role": "assistant", "content": answer[:MAX_REPAIR_CHARACTERS]},
        {"role": "user", "content": told},
    ]
