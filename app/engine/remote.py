"""Asking the engine's own process for what `local` does here."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from app.audio.errors import EngineCancelled, EngineTimeout, EngineUnavailable
from app.engine import wire
from app.engine.order import RENDERED, Answer, Listener, Order
from app.engine.source import FETCH_S, connect, path_of

BLOCK_BYTES = 1 << 18
MOST_LINE_BYTES = 1 << 24
BUSY_S, PAUSE_S = 60.0, 1.0


@dataclass(frozen=True)
class Service:
    """Where the engine is, and the secret that opens it."""

    url: str
    secret: str


def process(service: Service, source_url: str, folder: Path, order: Order, listener: Listener) -> Answer:
    """Have the engine work on the file behind a signed link; the unit's WAV comes to `folder`.

    Raises what the engine met with, as `local.process` does, StorageError, and EngineUnavailable when there
    is no engine, none with a free slot for a minute, or none any more.
    """
    until = time.monotonic() + BUSY_S
    while True:
        answer = _ask(service, source_url, folder, order, listener)
        if answer is not None:
            return answer
        if not listener.still_wanted():
            raise EngineCancelled("given up by the caller")
        if time.monotonic() > until:
            raise EngineUnavailable("the engine has no free slot")
        time.sleep(PAUSE_S)


def _ask(service: Service, source_url: str, folder: Path, order: Order, listener: Listener) -> Answer | None:
    """None when the engine is not ready or full. Leaving, for whatever reason, ends the work there."""
    url = service.url + wire.PROCESS
    body = json.dumps({"url": source_url, "options": order.model_dump()})
    headers = {"Authorization": f"Bearer {service.secret}", "Content-Type": "application/json"}
    try:
        with closing(connect(url, wire.SILENCE_S)) as connection:
            connection.request("POST", path_of(url), body, headers)
            response = connection.getresponse()
            if response.status == 503:
                return None
            if response.status != 200:
                raise EngineUnavailable(f"the engine answered {response.status}: {response.read(500)!r}")
            return _listen(response, folder, listener, time.monotonic() + FETCH_S + 2 * order.limit_s)
    except (OSError, HTTPException) as error:
        raise EngineUnavailable(f"{type(error).__name__}: {error}") from error


def _listen(response: HTTPResponse, folder: Path, listener: Listener, until: float) -> Answer:
    while (line := response.readline(MOST_LINE_BYTES)).endswith(b"\n"):
        if not listener.still_wanted():
            raise EngineCancelled("given up by the caller")
        if time.monotonic() > until:
            raise EngineTimeout("the engine did not keep the limit")
        if line == wire.STILL_BUSY:
            continue
        message = json.loads(line)
        if message.get("step") == "decoded":
            listener.on_decoded(_saved(response, message["bytes"], folder / RENDERED))
        elif message.get("step") == "measured":
            listener.on_measured(message["audio_features"])
        else:
            return wire.answer_of(message)
    raise EngineUnavailable("the engine ended before its answer")


def _saved(response: HTTPResponse, size_bytes: int, target: Path) -> Path:
    with target.open("wb") as file:
        while size_bytes:
            block = response.read(min(size_bytes, BLOCK_BYTES))
            if not block:
                raise EngineUnavailable("the engine ended in the middle of a file")
            file.write(block)
            size_bytes -= len(block)
    return target
