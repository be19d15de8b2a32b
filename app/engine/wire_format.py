"""The format in which the engine's process answers its callers.

An answer is a stream of lines. An empty line means that the work goes on. `{"step": "decoded", "bytes": n}`
is followed by n bytes of WAV, or of ZIP for slices. `{"step": "measured", …}` carries the measurement. The
last line is the answer: `success` with everything that was found or done, or the error.
"""

from __future__ import annotations

import json
import traceback
from typing import Any

from app.audio.errors import UnreadableAudio
from app.audio.result import Measurement
from app.engine.contract import EngineAnswer
from app.integrations.storage import StorageError
from app.sandbox.errors import EngineCrashed, EngineError, EngineOutOfMemory, EngineTimeout, EngineUnavailable

PROCESS_PATH, RENDER_PATH, HEALTH_PATH = "/api/process", "/api/render", "/api/health"
REQUEST_ID_HEADER = "X-Request-ID"
HEARTBEAT_S = 0.5
# An engine, or a caller, that is silent for longer than this counts as gone.
MAX_SILENCE_S = 20.0
HEARTBEAT_LINE = b"\n"

ERROR_KINDS: dict[str, type[Exception]] = {
    "unreadable": UnreadableAudio,
    "timeout": EngineTimeout,
    "memory": EngineOutOfMemory,
    "crashed": EngineCrashed,
    "unavailable": EngineUnavailable,
    "store": StorageError,
}
UNKNOWN_ERROR = "broken"


def encode_line(message: dict[str, Any]) -> bytes:
    """Return a message as a line of JSON. Raises ValueError for NaN and infinity."""
    return json.dumps(message, allow_nan=False).encode() + b"\n"


def measured_message(measurement: Measurement) -> dict[str, Any]:
    """Return the message that carries the measurement, sent before any model is asked."""
    return {"step": "measured", "audio_features": measurement.to_dict()}


def plain_answer(answer: EngineAnswer) -> dict[str, Any]:
    """Return what was found in a file as plain JSON."""
    return {
        "audio_features": answer.measurement.to_dict(),
        "ai_analysis": answer.ai_analysis,
        "calls": answer.calls,
        "cost": answer.cost,
    }


def success_message(answer: dict[str, Any], processing_time: float) -> dict[str, Any]:
    """Return the last message of a file that was analysed or shaped. `processing_time` is in seconds."""
    return {"success": True, **answer, "processing_time": round(processing_time, 3)}


def failure_message(error: Exception, processing_time: float) -> dict[str, Any]:
    """Return the last message of a file that failed; an unknown kind of error carries its traceback."""
    kind = next((name for name, known in ERROR_KINDS.items() if type(error) is known), UNKNOWN_ERROR)
    message = str(error) if kind != UNKNOWN_ERROR else "".join(traceback.format_exception(error))
    plain = {"kind": kind, "message": message, "exit_status": getattr(error, "exit_status", None)}
    return {"success": False, "error": plain, "processing_time": round(processing_time, 3)}


def parse_answer(message: dict[str, Any]) -> EngineAnswer:
    """Return the answer about a file that was analysed. Raises as `check_success` does."""
    check_success(message)
    measurement = Measurement.from_dict(message["audio_features"])
    return EngineAnswer(measurement, message["ai_analysis"], message["calls"])


def check_success(message: dict[str, Any]) -> None:
    """Raise the error in the last message, which is of the class it was there."""
    if message["success"]:
        return
    error = message["error"]
    kind = ERROR_KINDS.get(error["kind"], RuntimeError)
    if issubclass(kind, EngineError):
        raise kind(error["message"], error["exit_status"])
    raise kind(error["message"])
