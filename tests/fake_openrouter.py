"""A fake OpenRouter over real HTTP: it records, bills and misbehaves as a test says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jsonschema

from app.integrations.openrouter.chat_client import ChatEndpoint

KEY = "sk-or-of-the-tests"
CHARACTERS_A_TOKEN = 4
PROMPT_USD, COMPLETION_USD = Decimal("0.10"), Decimal("0.40")  # a million tokens
SLOW_S = 1.5
READING = "reading"

GOOD_ANSWER: dict[str, Any] = {
    "moods": [],
    "energy": 45,
    "texture": "gritty",
    "era": "1990s",
    "genres": [{"name": "boom bap", "weight": 0.8}],
    "instruments": [{"name": "drum kit", "heard": True}],
    "use": "drum loop to chop",
    "role": "loop",
    "description": "A dusty, swinging break with room around the snare.",
    "tags": ["dusty", "break"],
    "confidence": 0.7,
    "rests_on": {
        "moods": ["tempo", "brightness"],
        "energy": ["loudness", "onsets"],
        "texture": ["noisiness"],
        "era": ["spectrum"],
        "genres": ["tempo", "kind"],
        "instruments": ["sound"],
        "use": ["kind", "duration"],
        "role": ["kind"],
        "description": ["tempo", "noisiness"],
        "tags": ["noisiness"],
    },
}


@dataclass
class FakeOpenRouter:
    """Its requests and bills. `script` has one act for each request; the last one is repeated."""

    script: list[str] = field(default_factory=lambda: ["good"])
    answer: dict[str, Any] = field(default_factory=lambda: dict(GOOD_ANSWER))
    # What it takes words of a search to mean; it knows no other words.
    meanings: dict[str, list[str]] = field(default_factory=dict)
    retry_after: str = "0"
    asked: list[dict[str, Any]] = field(default_factory=list)
    billed_usd: Decimal = Decimal(0)
    bills: list[tuple[int, int, Decimal]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    url: str = ""
    lock: Any = field(default_factory=threading.Lock)
    # For the act "hold": one release for each request that is held, until they are all released.
    is_held: Any = field(default_factory=lambda: threading.Semaphore(0))
    released: Any = field(default_factory=threading.Event)

    def server(self, **options: Any) -> ChatEndpoint:
        return ChatEndpoint(self.url, KEY, **options)

    def take(self, body: dict[str, Any]) -> tuple[str, int]:
        with self.lock:
            self.asked.append(body)
            number = len(self.asked)
            act = self.script[min(number, len(self.script)) - 1]
            self._check(body)
            return act, number

    def bill(self, body: dict[str, Any], content: str) -> dict[str, Any]:
        prompt = len(json.dumps(body["messages"])) + len(json.dumps(body["response_format"]))
        tokens = (prompt // CHARACTERS_A_TOKEN, len(content) // CHARACTERS_A_TOKEN)
        cost = (tokens[0] * PROMPT_USD + tokens[1] * COMPLETION_USD) / 1_000_000
        with self.lock:
            self.bills.append((*tokens, cost))
            self.billed_usd += cost
        return {
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "total_tokens": sum(tokens),
            "cost": float(cost),
        }

    def _check(self, body: dict[str, Any]) -> None:
        wanted = body["response_format"]
        jsonschema.Draft202012Validator.check_schema(wanted["json_schema"]["schema"])
        if wanted["type"] != "json_schema" or wanted["json_schema"]["strict"] is not True:
            self.wrong.append("not structured")
        if not body["provider"]["require_parameters"] or body["provider"]["data_collection"] != "deny":
            self.wrong.append("provider not restricted")


@contextmanager
def running_openrouter(*script: str, **options: Any) -> Iterator[FakeOpenRouter]:
    fake = FakeOpenRouter(list(script) or ["good"], **options)
    http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"fake": fake}))
    http.daemon_threads = True
    fake.url = f"http://127.0.0.1:{http.server_address[1]}/api/v1"
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield fake
        assert fake.wrong == []
    finally:
        http.shutdown()
        http.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Answers chat requests for one fake; a subclass sets which."""

    fake: FakeOpenRouter

    def log_message(self, *_: object) -> None:
        """Keep the tests' output free of request lines."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/api/v1/chat/completions" or self.headers["Authorization"] != f"Bearer {KEY}":
            self.fake.wrong.append(f"{self.path} with another key")
        act, number = self.fake.take(body)
        if act.isdecimal():
            self.error(int(act))
        elif act == "hang up":
            self.close_connection = True
        elif act == "page":
            self.send(200, b"<html>bad gateway</html>", "text/html")
        elif act.startswith("drip"):
            self.drip(b"" if act == "drip body" else b"X-Slow: ")
        elif act == "hold":
            self.fake.is_held.release()
            self.fake.released.wait(60)
            self.completion("good", body, number)
        else:
            self.completion(act, body, number)

    def completion(self, act: str, body: dict[str, Any], number: int) -> None:
        content = _content(self.fake, act, body)
        reply = _reply(act, body["model"], f"gen-{number}", content, self.fake.bill(body, content))
        if act == "slow":
            time.sleep(SLOW_S)
        with suppress(BrokenPipeError, ConnectionResetError):  # the client may be gone
            self.send(200, json.dumps(reply).encode())

    def drip(self, header: bytes) -> None:
        """Send one byte after another until the client is gone, in a header or in the body."""
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\n" + (header or b"\r\n"))
            for _ in range(400):
                self.wfile.write(b" " if not header else b"x")
                time.sleep(0.05)
        self.close_connection = True

    def error(self, status: int) -> None:
        told = {"error": {"code": status, "message": "no", "metadata": {}}}
        self.send(status, json.dumps(told).encode())

    def send(self, status: int, raw: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(raw)))
        if status in {429, 503}:
            self.send_header("Retry-After", self.fake.retry_after)
        self.end_headers()
        self.wfile.write(raw)


def _reply(act: str, model: str, generation: str, content: str, usage: dict[str, Any]) -> dict[str, Any]:
    finish = {"truncated": "length", "ends in error": "error"}.get(act, "stop")
    choice = {"finish_reason": finish, "message": {"role": "assistant", "content": content}}
    reply = {"id": generation, "model": model, "choices": [choice], "usage": usage}
    if act == "200 with error":
        reply["error"] = {"code": 502, "message": "the provider is gone"}
    if act == "no usage":
        del reply["usage"]
    return reply


def _content(fake: FakeOpenRouter, act: str, body: dict[str, Any]) -> str:
    given = body["messages"][1]["content"].rpartition("<untrusted>")[2].removesuffix("</untrusted>")
    if body["response_format"]["json_schema"]["name"] == READING:
        return _word_meanings(fake, act, json.loads(given))
    fake_answer = _fitted_answer(fake, body["response_format"]["json_schema"]["schema"])
    whole = json.dumps(fake_answer)
    if act == "empty":
        return "  "
    if act == "truncated":
        return whole[: len(whole) // 2]
    if act == "against schema":
        return json.dumps(fake_answer | {"energy": 400, "extra": 1})
    if act == "echo":
        return json.dumps(fake_answer | {"description": json.loads(given)["file_name"]})
    return whole


def _fitted_answer(fake: FakeOpenRouter, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the answer with the fields the schema asks for: hits have a character, and loops moods."""
    fields = {name for name in ("moods", "character") if name in schema["properties"]}
    answer, rests_on = {"character": []} | fake.answer, {"character": ["decay"]} | fake.answer["rests_on"]
    left_out = {"moods", "character"} - fields
    answer["rests_on"] = {name: each for name, each in rests_on.items() if name not in left_out}
    return {name: each for name, each in answer.items() if name not in left_out}


def _word_meanings(fake: FakeOpenRouter, act: str, given: dict[str, Any]) -> str:
    words = [{"word": word, "means": fake.meanings.get(word, [])} for word in given["words"]]
    if act == "empty":
        return "  "
    if act == "against schema":
        words = [each | {"means": ["mood: spicy"]} for each in words]
    if act == "echo":  # it obeys what it has read
        words = [{"word": given["search"], "means": ["delete: everything"]}]
    if act == "other word":
        words = [{"word": "something", "means": ["mood: dark"]}]
    whole = json.dumps({"words": words})
    return whole[: len(whole) // 2] if act == "truncated" else whole
