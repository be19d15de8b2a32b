"""How the engine's process talks to whoever asked it, line by line.

An answer is a stream of lines. An empty one says that the work goes on, `{"step": "decoded", "bytes": n}`
that n bytes of WAV follow, `{"step": "measured", …}` has the features. The last one is the answer: `success`
and what was found, or what went wrong.
"""

from __future__ import annotations

import json
import traceback
from typing import Any

from app.audio.errors import UnreadableAudio
from app.engine.contract import EngineAnswer, Measurement
from app.integrations.storage import StorageError
from app.sandbox.errors import EngineCrashed, EngineError, EngineOutOfMemory, EngineTimeout, EngineUnavailable

PROCESS_PATH, HEALTH_PATH = "/api/process", "/api/health"
HEARTBEAT_S = 0.5
# An engine that says nothing for so long is not there any more.
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
    return json.dumps(message, allow_nan=False).encode() + b"\n"


def measured_message(measurement: Measurement) -> dict[str, Any]:
    """Return the message that carries the measurement, sent before any model is asked."""
    return {"step": "measured", "audio_features": measurement.to_dict()}


def success_message(answer: EngineAnswer, processing_time: float) -> dict[str, Any]:
    return {
        "success": True,
        "audio_features": answer.measurement.to_dict(),
        "ai_analysis": answer.ai_analysis,
        "calls": answer.calls,
        "cost": answer.cost,
        "processing_time": round(processing_time, 3),
    }


def failure_message(error: Exception, processing_time: float) -> dict[str, Any]:
    kind = next((name for name, known in ERROR_KINDS.items() if type(error) is known), UNKNOWN_ERROR)
    message = str(error) if kind != UNKNOWN_ERROR else "".join(traceback.format_exception(error))
    told = {"kind": kind, "message": message, "exit_status": getattr(error, "exit_status", None)}
    return {"success": False, "error": told, "processing_time": round(processing_time, 3)}


def parse_answer(message: dict[str, Any]) -> EngineAnswer:
    """The answer in the last line; what went wrong there is raised here."""
    if message["success"]:
        measurement = Measurement.from_dict(message["audio_features"])
        return EngineAnswer(measurement, message["ai_analysis"], message["calls"])
    told = message["error"]
    kind = ERROR_KINDS.get(told["kind"], RuntimeError)
    if issubclass(kind, EngineError):
        raise kind(told["message"], told["exit_status"])
    raise kind(told["message"])
