"""Ask the engine's process as a worker does, and read its answer."""

from __future__ import annotations

import json
import time
from io import BytesIO
from typing import Any

import httpx

from tests.live import ENGINE_SECRET, EngineProcess

AUTHORISED = {"Authorization": f"Bearer {ENGINE_SECRET}"}


def ask_engine(engine: EngineProcess, url: str, **options: Any) -> httpx.Response:
    body = {"url": url, "options": options}
    return httpx.post(f"{engine.url}/api/process", json=body, headers=AUTHORISED, timeout=60)


def parse_stream(content: bytes) -> tuple[list[dict[str, Any]], bytes]:
    """Return the messages of an answer, and the WAV between them."""
    messages, wav, file = [], b"", BytesIO(content)
    while line := file.readline():
        if line != b"\n":
            messages.append(json.loads(line))
            wav += file.read(messages[-1].get("bytes", 0))
    return messages, wav


def engine_health(engine: EngineProcess) -> dict[str, Any]:
    return dict(httpx.get(f"{engine.url}/api/health").json())


def wait_for_slots(engine: EngineProcess, within_s: float) -> None:
    until = time.monotonic() + within_s
    while engine_health(engine)["busy"]:
        assert time.monotonic() < until, f"a slot is still taken after {within_s} s"
        time.sleep(0.05)


def wait_until_taken(engine: EngineProcess) -> None:
    until = time.monotonic() + 10
    while not engine_health(engine)["busy"]:
        assert time.monotonic() < until, "no slot was taken"
        time.sleep(0.01)
