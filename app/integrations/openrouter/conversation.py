"""Ask models in turn for one answer of a given form: retry where that may help, within time and budget."""

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
# A model that asks for a longer pause is given up.
MAX_PAUSE_S = 15.0
MAX_DURATION_S = 120.0
MAX_FAULTS = 8
MAX_REPAIR_CHARACTERS = 4000
# Bounds are not sent: not every provider enforces them, and each answer is checked here in any case.
_UNSENT_KEYWORDS = {"title", "default", "pattern", "minLength", "maxLength", "minItems", "maxItems"}
_UNSENT_KEYWORDS |= {"minimum", "maximum"}
MAX_CALLS = 24

AnswerModel = TypeVar("AnswerModel", bound=BaseModel)


@dataclass
class Conversation(Generic[AnswerModel]):
    """The calls made for one answer, and how much more time and money they may take."""

    server: ChatEndpoint
    price: MaxPrice
    budget_usd: Decimal
    answer_model: type[AnswerModel]  # what an answer has to be
    name: str  # of its schema
    find_fault: Callable[[AnswerModel], str]  # what is wrong with an answer beyond its schema, or ""
    max_calls: int = MAX_CALLS
    max_tokens: int = MAX_TOKENS
    calls: list[CallRecord] = field(default_factory=list)
    until: float = field(default_factory=lambda: time.monotonic() + MAX_DURATION_S)

    def first_answer(self, models: tuple[str, ...], messages: list[dict[str, str]]) -> AnswerModel | None:
        """Return the first good answer, or None when there is none within time and budget."""
        schema = request_schema(self.answer_model)
        for model in models:
            question = ChatRequest(model, messages, self.name, schema, self.price, max_tokens=self.max_tokens)
            reply = self._ask_with_retries(question)
            if reply is None or reply.verdict == "stop":
                return None
            if reply.verdict == "good":
                return self._parse_or_repair(question, reply.content)
        return None

    def _ask_with_retries(self, question: ChatRequest) -> ChatReply | None:
        """Return the last reply of up to three tries, or None when time or money ran out before the first."""
        reply = None
        for attempt in range(1, MAX_TRIES + 1):
            if not self._can_afford(question):
                return reply
            reply = chat_client.request_chat(
                self._endpoint_in_time(), replace(question, attempt=len(self.calls) + 1)
            )
            self.calls.append(reply.call)
            if reply.verdict != "retry" or attempt == MAX_TRIES:
                return reply
            pause_s = reply.retry_after_s
            if pause_s is None:
                pause_s = PAUSES_S[attempt - 1]
            if pause_s > min(MAX_PAUSE_S, self.until - time.monotonic()):
                return reply
            time.sleep(pause_s)
        return reply

    def _parse_or_repair(self, question: ChatRequest, content: str) -> AnswerModel | None:
        """Return the answer in a reply; a faulty one is sent back once with what is wrong with it."""
        parsed = self._parse(content)
        if isinstance(parsed, str):
            self._mark_last_call("against the schema")
            repaired = replace(question, messages=repair_messages(question.messages, content, parsed))
            reply = self._ask_with_retries(repaired)
            if reply is None or reply.verdict != "good":
                return None
            parsed = self._parse(reply.content)
            if isinstance(parsed, str):
                self._mark_last_call("against the schema")
        return None if isinstance(parsed, str) else parsed

    def _parse(self, content: str) -> AnswerModel | str:
        """Return the answer, or what is wrong with it as text."""
        try:
            answer = self.answer_model.model_validate_json(content)
        except ValidationError as error:
            return "\n".join(_fault_text(fault) for fault in error.errors()[:MAX_FAULTS])
        return self.find_fault(answer) or answer

    def _endpoint_in_time(self) -> ChatEndpoint:
        """Return the endpoint with a timeout no longer than the time that is left."""
        left_s = max(self.until - time.monotonic(), 0.1)
        return replace(self.server, timeout_s=min(self.server.timeout_s, left_s))

    def _can_afford(self, question: ChatRequest) -> bool:
        spent = sum((Decimal(call.cost_usd) for call in self.calls), Decimal(0))
        is_affordable = spent + question.max_cost_usd <= self.budget_usd
        return is_affordable and len(self.calls) < self.max_calls and time.monotonic() < self.until

    def _mark_last_call(self, outcome: str) -> None:
        self.calls[-1] = replace(self.calls[-1], outcome=outcome)


def _fault_text(fault: Any) -> str:
    """Return where a fault is and what it is, without quoting the answer."""
    return f"{'.'.join(str(part) for part in fault['loc']) or 'answer'}: {fault['msg']}"


def request_schema(answer_model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema for a request: every field required, no others allowed, no bounds."""
    schema: dict[str, Any] = _without_bounds(answer_model.model_json_schema())
    return schema


def _without_bounds(node: Any, is_names: bool = False) -> Any:
    """Return a schema without bounds. `is_names`: the keys are field names, not JSON Schema keywords."""
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
    """Return the question with the answer to it and what is wrong with that, to be asked again."""
    told = f"That is not an answer of the schema:\n{faults}\nAnswer again with the whole JSON object."
    return [
        *asked,
        {"role": "assistant", "content": answer[:MAX_REPAIR_CHARACTERS]},
        {"role": "user", "content": told},
    ]
