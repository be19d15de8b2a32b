"""Asking the engine's own process for what `local` does here."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path

from app.engine import wire_format
from app.engine.contract import RENDERED_NAME, EngineAnswer, EngineOrder, Measurement, ProgressListener
from app.engine.source_download import MAX_FETCH_S, open_connection, request_target
from app.sandbox.errors import EngineCancelled, EngineTimeout, EngineUnavailable

BLOCK_BYTES = 1 << 18
MAX_LINE_BYTES = 1 << 24
# An engine that is full or restarts is waited for: otherwise the whole queue would run into it in vain.
MAX_WAIT_S, RETRY_PAUSE_S = 60.0, 1.0


class _TemporarilyUnavailable(EngineUnavailable):
    """The engine is not there, not warm or full: asking again in a moment may help."""


@dataclass(frozen=True)
class RemoteEngine:
    """Where the engine is, and the secret that opens it."""

    url: str
    secret: str


def process_remotely(
    service: RemoteEngine, source_url: str, folder: Path, order: EngineOrder, listener: ProgressListener
) -> EngineAnswer:
    """Have the engine work on the file behind a signed link; the unit's WAV comes to `folder`.

    Raises what the engine met with, as `local.process` does, StorageError, and EngineUnavailable when for a
    minute there is none with a free slot, or when it ends before its answer.
    """
    until = time.monotonic() + MAX_WAIT_S
    body = json.dumps({"url": source_url, "options": order.model_dump()})
    while True:
        try:
            # Leaving the block, for whatever reason, ends the work there.
            with closing(open_connection(service.url, wire_format.MAX_SILENCE_S)) as connection:
                response = _send_order(connection, service, body)
                return _read_messages(
                    response, folder, listener, time.monotonic() + MAX_FETCH_S + 2 * order.limit_s
                )
        except _TemporarilyUnavailable:
            if not listener.still_wanted():
                raise EngineCancelled("given up by the caller") from None
            if time.monotonic() > until:
                raise
        except (OSError, HTTPException) as error:
            raise EngineUnavailable(f"it ended before its answer: {error!r}") from error
        time.sleep(RETRY_PAUSE_S)


def _send_order(connection: HTTPConnection, service: RemoteEngine, body: str) -> HTTPResponse:
    headers = {"Authorization": f"Bearer {service.secret}", "Content-Type": "application/json"}
    try:
        connection.request("POST", request_target(service.url + wire_format.PROCESS_PATH), body, headers)
        response = connection.getresponse()
    except (OSError, HTTPException) as error:
        raise _TemporarilyUnavailable(f"no engine at {service.url}: {error!r}") from error
    if response.status == 503:
        raise _TemporarilyUnavailable("the engine is not warm yet, or has no free slot")
    if response.status != 200:
        raise EngineUnavailable(f"the engine answered {response.status}: {response.read(500)!r}")
    return response


def _read_messages(
    response: HTTPResponse, folder: Path, listener: ProgressListener, until: float
) -> EngineAnswer:
    while (line := response.readline(MAX_LINE_BYTES)).endswith(b"\n"):
        if not listener.still_wanted():
            raise EngineCancelled("given up by the caller")
        if time.monotonic() > until:
            raise EngineTimeout("the engine did not keep the limit")
        if line == wire_format.HEARTBEAT_LINE:
            continue
        message = json.loads(line)
        if message.get("step") == "decoded":
            listener.on_decoded(_save_wav(response, message["bytes"], folder / RENDERED_NAME))
        elif message.get("step") == "measured":
            listener.on_measured(Measurement.from_dict(message["audio_features"]))
        else:
            return wire_format.parse_answer(message)
    raise EngineUnavailable("the engine ended before its answer")


def _save_wav(response: HTTPResponse, size_bytes: int, target: Path) -> Path:
    with target.open("wb") as file:
        while size_bytes:
            block = response.read(min(size_bytes, BLOCK_BYTES))
            if not block:
                raise EngineUnavailable("the engine ended in the middle of a file")
            file.write(block)
            size_bytes -= len(block)
    return target
