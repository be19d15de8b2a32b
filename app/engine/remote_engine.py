"""Have the engine's own process work on a file, with the same result as `local_engine`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import logs, tracing
from app.audio.result import Measurement
from app.engine import wire_format
from app.engine.contract import (
    RENDERED_NAME,
    CutOrder,
    EngineAnswer,
    EngineOrder,
    ProgressListener,
    RenderOrder,
    RenderReport,
)
from app.engine.http_stream import HttpStream, NoResponseError, TransferError, open_stream
from app.engine.source_download import MAX_FETCH_S
from app.sandbox.errors import EngineCancelled, EngineTimeout, EngineUnavailable

BLOCK_BYTES = 1 << 18
MAX_LINE_BYTES = 1 << 24
MAX_REFUSAL_BYTES = 500
# Wait for an engine that is full or restarting: otherwise every job in the queue would fail at once.
MAX_WAIT_S, RETRY_PAUSE_S = 60.0, 1.0


class _TemporarilyUnavailable(EngineUnavailable):
    """The engine is away, not warm yet or full; a request a moment later may succeed."""


@dataclass(frozen=True)
class RemoteEngine:
    """The engine's address, and the secret that authorises a request."""

    url: str
    secret: str


def process_remotely(
    engine: RemoteEngine, source_url: str, folder: Path, order: EngineOrder, listener: ProgressListener
) -> EngineAnswer:
    """Have the engine work on the file behind a signed link, and save the unit's WAV in `folder`.

    Raises the errors of `local_engine.process_locally` that the engine reports, StorageError when it could
    not download the file, and EngineUnavailable when it has no free slot for a minute or ends without an
    answer.
    """
    last = _ask(engine, wire_format.PROCESS_PATH, source_url, folder, order, listener)
    return wire_format.parse_answer(last)


def render_remotely(
    engine: RemoteEngine,
    source_url: str,
    folder: Path,
    order: RenderOrder | CutOrder,
    still_wanted: Callable[[], bool],
) -> RenderReport:
    """Have the engine shape or cut the file behind a signed link, and save the result in `folder`.

    Raises as `process_remotely` does, with the errors of `local_engine.render_locally`.
    """
    listener = ProgressListener(lambda _: None, lambda _: None, still_wanted)
    last = _ask(engine, wire_format.RENDER_PATH, source_url, folder, order, listener)
    wire_format.check_success(last)
    return RenderReport.from_dict(last["rendered"])


def _ask(
    engine: RemoteEngine,
    path: str,
    source_url: str,
    folder: Path,
    order: EngineOrder | RenderOrder | CutOrder,
    listener: ProgressListener,
) -> dict[str, Any]:
    """Send an order and return the last message of the answer; wait for an engine that is full."""
    until = time.monotonic() + MAX_WAIT_S
    body = json.dumps({"url": source_url, "options": order.model_dump()})
    while True:
        try:
            # Leaving the block for any reason closes the connection, which ends the work in the engine.
            with _send_order(engine, path, body) as response:
                limit = time.monotonic() + MAX_FETCH_S + 2 * order.limit_s
                return _read_messages(response, folder, listener, limit)
        except _TemporarilyUnavailable:
            if not listener.still_wanted():
                raise EngineCancelled("given up by the caller") from None
            if time.monotonic() > until:
                raise
        except (OSError, TransferError) as error:
            raise EngineUnavailable(f"the engine ended before its answer: {error}") from error
        time.sleep(RETRY_PAUSE_S)


@contextmanager
def _send_order(engine: RemoteEngine, path: str, body: str) -> Iterator[HttpStream]:
    headers = {"Authorization": f"Bearer {engine.secret}", "Content-Type": "application/json"}
    headers |= tracing.traceparent_header()
    if request_id := logs.current_request_id():
        headers[wire_format.REQUEST_ID_HEADER] = request_id
    url, silence_s = engine.url + path, wire_format.MAX_SILENCE_S
    try:
        with open_stream("POST", url, timeout_s=silence_s, headers=headers, body=body) as response:
            _check_accepted(response)
            yield response
    except NoResponseError as error:
        raise _TemporarilyUnavailable(f"no engine at {engine.url}: {error}") from error


def _check_accepted(response: HttpStream) -> None:
    if response.status == 503:
        raise _TemporarilyUnavailable("the engine is not warm yet, or has no free slot")
    if response.status != 200:
        refusal = response.read_line(MAX_REFUSAL_BYTES)
        raise EngineUnavailable(f"the engine answered {response.status}: {refusal!r}")


def _read_messages(
    response: HttpStream, folder: Path, listener: ProgressListener, until: float
) -> dict[str, Any]:
    message: dict[str, Any]
    while (line := response.read_line(MAX_LINE_BYTES)).endswith(b"\n"):
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
            return message
    raise EngineUnavailable("the engine ended before its answer")


def _save_wav(response: HttpStream, size_bytes: int, target: Path) -> Path:
    with target.open("wb") as file:
        while size_bytes:
            block = response.read_block(min(size_bytes, BLOCK_BYTES))
            if not block:
                raise EngineUnavailable("the engine ended in the middle of a file")
            file.write(block)
            size_bytes -= len(block)
    return target
