"""Send one chat request to OpenRouter, and judge the reply: whether a retry may help, and what it cost."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import httpx

from app import tracing
from app.config import Settings
from app.integrations.deadlines import Deadline

CONNECT_TIMEOUT_S = 5.0
# The read timeout ends a call that receives nothing; the deadline ends one that receives a byte now and then.
GRACE_S = 0.5
MAX_REPLY_BYTES = 256 * 1024
MAX_TOKENS = 1200
MICRO_USD = Decimal("0.000001")
PER_MILLION = Decimal(1_000_000)
# No tokenizer makes more tokens of a text than this; four characters per token is usual.
MIN_CHARACTERS_PER_TOKEN = 2
APP_TITLE = "SP404MK2 Sample Agent"
RETRY_STATUSES = frozenset({408, 429, 500, 502, 503})
STOP_STATUSES = frozenset({401, 402, 403})

# What to do after a reply: use it, try the same model again, try the next model, or ask nobody else.
Verdict = Literal["good", "retry", "next model", "stop"]


@dataclass(frozen=True)
class ChatEndpoint:
    """Where to ask and with which key. It never leaves the process that holds it and is never printed."""

    base_url: str
    api_key: str = field(repr=False)
    referer: str = ""  # the address of this deployment
    timeout_s: float = 30.0


def configured_endpoint(settings: Settings) -> ChatEndpoint | None:
    """Return where to ask, or None when no key is configured."""
    if settings.openrouter_api_key is None:
        return None
    return ChatEndpoint(settings.openrouter_base_url, settings.openrouter_api_key, settings.base_url)


@dataclass(frozen=True)
class MaxPrice:
    """The highest prices of a provider that may be used, in US dollars per million tokens."""

    prompt: Decimal
    completion: Decimal

    def max_cost_usd(
        self, messages: list[dict[str, str]], schema: dict[str, Any], max_tokens: int = MAX_TOKENS
    ) -> Decimal:
        """Return the most that one call can cost."""
        characters = len(json.dumps(messages)) + len(json.dumps(schema))
        tokens = Decimal(characters) / MIN_CHARACTERS_PER_TOKEN
        return _round_to_micro((tokens * self.prompt + max_tokens * self.completion) / PER_MILLION)


@dataclass(frozen=True)
class CallRecord:
    """A record of one call. `is_estimated`: no cost was reported, so `cost_usd` is the most it can be."""

    model: str
    attempt: int
    outcome: str
    status: int | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: str = "0.000000"
    is_estimated: bool = False
    latency_ms: int = 0
    generation_id: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)


@dataclass(frozen=True)
class ChatReply:
    """The verdict on a request, its record, and the content when it is good."""

    verdict: Verdict
    call: CallRecord
    content: str = ""
    retry_after_s: float | None = None


@dataclass(frozen=True)
class ChatRequest:
    """One question to one model, whose answer has to follow a JSON schema."""

    model: str
    messages: list[dict[str, str]]
    name: str
    schema: dict[str, Any]
    price: MaxPrice
    attempt: int = 1
    max_tokens: int = MAX_TOKENS

    @property
    def max_cost_usd(self) -> Decimal:
        """Return the most that this request can cost."""
        return self.price.max_cost_usd(self.messages, self.schema, self.max_tokens)

    def body(self) -> dict[str, Any]:
        """Return the JSON body: only providers that support the schema, store nothing and keep the price."""
        limits = {"prompt": float(self.price.prompt), "completion": float(self.price.completion)}
        asked = {"name": self.name, "strict": True, "schema": self.schema}
        return {
            "model": self.model,
            "messages": self.messages,
            "max_tokens": self.max_tokens,
            "temperature": 0.2,
            "response_format": {"type": "json_schema", "json_schema": asked},
            "provider": {"require_parameters": True, "data_collection": "deny", "max_price": limits},
        }


def request_chat(server: ChatEndpoint, question: ChatRequest) -> ChatReply:
    """Send the request once. It never raises: a failure is a reply with its record too."""
    started = time.monotonic()
    try:
        with tracing.span("openrouter chat", "client", {"gen_ai.request.model": question.model}):
            status, headers, raw = _post_request(server, question)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        return _failed_reply(question, started, type(error).__name__, was_sent=False)
    except (httpx.HTTPError, TimeoutError) as error:
        return _failed_reply(question, started, type(error).__name__, was_sent=True)
    return _parse_reply(question, status, headers, raw, _elapsed_ms(started))


def _post_request(server: ChatEndpoint, question: ChatRequest) -> tuple[int, httpx.Headers, bytes]:
    """Return status, headers and body. The whole transfer is bounded too, against a slow trickle.

    No redirect is followed and no proxy of the environment is used.
    """
    headers = {
        "Authorization": f"Bearer {server.api_key}",
        "HTTP-Referer": server.referer,
        "X-OpenRouter-Title": APP_TITLE,
    }
    timeout = httpx.Timeout(CONNECT_TIMEOUT_S, read=server.timeout_s)
    with Deadline(server.timeout_s + GRACE_S) as deadline:
        try:
            with (
                httpx.Client(trust_env=False, follow_redirects=False, timeout=timeout) as client,
                client.stream(
                    "POST",
                    f"{server.base_url}/chat/completions",
                    json=question.body(),
                    headers=headers,
                    extensions={"trace": deadline.trace},
                ) as response,
            ):
                raw = _read_body(response)
        except httpx.HTTPError as error:
            if deadline.is_over:
                raise TimeoutError from error
            raise
        if deadline.is_over:  # a body without a length ends where its connection was shut down
            raise TimeoutError
        return response.status_code, response.headers, raw


def _read_body(response: httpx.Response) -> bytes:
    raw = b""
    for chunk in response.iter_bytes():
        raw += chunk
        if len(raw) > MAX_REPLY_BYTES:
            raise TimeoutError
    return raw


def _failed_reply(question: ChatRequest, started: float, outcome: str, *, was_sent: bool) -> ChatReply:
    """Return a reply for a failed request. One that was sent may be billed, so its cost is estimated."""
    cost = question.max_cost_usd if was_sent else Decimal(0)
    call = CallRecord(
        question.model,
        question.attempt,
        outcome,
        cost_usd=str(_round_to_micro(cost)),
        is_estimated=was_sent,
        latency_ms=_elapsed_ms(started),
    )
    return ChatReply("retry", call)


def _parse_reply(
    question: ChatRequest, status: int, headers: httpx.Headers, raw: bytes, latency_ms: int
) -> ChatReply:
    reply = _parse_json(raw)
    choice = _first_dict(reply.get("choices"))
    content = _dict_or_empty(choice.get("message")).get("content")
    text = content.strip() if isinstance(content, str) else ""
    status, outcome, verdict = _judge_reply(status, reply, choice.get("finish_reason"), text)
    call = _call_record(question, reply, bool(choice), status, outcome, latency_ms)
    return ChatReply(verdict, call, text if verdict == "good" else "", _retry_after_s(headers))


def _judge_reply(status: int, reply: dict[str, Any], finish: Any, text: str) -> tuple[int, str, Verdict]:
    """Return status, outcome and verdict; an error inside a 200 counts like one in the status."""
    error = _dict_or_empty(reply.get("error"))
    if status == 200 and error:
        code = error.get("code")
        status = code if isinstance(code, int) and code >= 400 else 500
        return status, f"200 with error {status}", _verdict_for(status)
    if status != 200:
        return status, f"status {status}", _verdict_for(status)
    if finish == "error":
        return status, "ended in an error", "retry"
    if finish == "length":
        return status, "truncated", "next model"
    return (status, "answered", "good") if text else (status, "empty", "retry")


def _verdict_for(status: int) -> Verdict:
    if status in RETRY_STATUSES:
        return "retry"
    return "stop" if status in STOP_STATUSES else "next model"


def _call_record(
    question: ChatRequest, reply: dict[str, Any], began: bool, status: int, outcome: str, latency_ms: int
) -> CallRecord:
    usage = _dict_or_empty(reply.get("usage"))
    cost = _valid_cost(usage.get("cost"))
    is_estimated = cost is None and (began or (status == 200))
    billed, generation = reply.get("model"), reply.get("id")
    return CallRecord(
        model=billed[:120] if isinstance(billed, str) and billed.isprintable() else question.model,
        attempt=question.attempt,
        outcome=outcome,
        status=status,
        prompt_tokens=_count_or_zero(usage.get("prompt_tokens")),
        completion_tokens=_count_or_zero(usage.get("completion_tokens")),
        cost_usd=str(_round_to_micro(question.max_cost_usd if is_estimated else cost or Decimal(0))),
        is_estimated=is_estimated,
        latency_ms=latency_ms,
        generation_id=generation[:80] if isinstance(generation, str) else None,
    )


def _retry_after_s(headers: httpx.Headers) -> float | None:
    """Return the seconds of a Retry-After header, which may hold a number or a date."""
    given = headers.get("retry-after", "").strip()
    if given.isdecimal():
        return float(given)
    try:
        then = parsedate_to_datetime(given)
    except (TypeError, ValueError):
        return None
    return max((then.replace(tzinfo=then.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)


def _parse_json(raw: bytes) -> dict[str, Any]:
    try:
        return _dict_or_empty(json.loads(raw, parse_float=Decimal))
    except (ValueError, RecursionError):
        return {}


def _dict_or_empty(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _first_dict(value: Any) -> dict[str, Any]:
    return _dict_or_empty(value[0]) if isinstance(value, list) and value else {}


def _count_or_zero(value: Any) -> int:
    return value if type(value) is int and 0 <= value < 10**9 else 0


def _valid_cost(value: Any) -> Decimal | None:
    try:
        found = Decimal(value) if type(value) in (int, Decimal) else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() and 0 <= found < 1000 else None


def _round_to_micro(cost: Decimal) -> Decimal:
    return cost.quantize(MICRO_USD, ROUND_HALF_UP)


def _elapsed_ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
