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
from app.engine.order import Answer
from app.integrations.storage import StorageError
from app.sandbox.errors import EngineCrashed, EngineError, EngineOutOfMemory, EngineTimeout, EngineUnavailable

PROCESS, HEALTH = "/api/process", "/api/health"
HEARTBEAT_S = 0.5
# An engine that says nothing for so long is not there any more.
SILENCE_S = 20.0
STILL_BUSY = b"\n"

KINDS: dict[str, type[Exception]] = {
    "unreadable": UnreadableAudio,
    "timeout": EngineTimeout,
    "memory": EngineOutOfMemory,
    "crashed": EngineCrashed,
    "unavailable": EngineUnavailable,
    "store": StorageError,
}
BROKEN = "broken"


def line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, allow_nan=False).encode() + b"\n"


def success(answer: Answer, processing_time: float) -> dict[str, Any]:
    return {
        "success": True,
        "audio_features": answer.audio_features,
        "ai_analysis": answer.ai_analysis,
        "calls": answer.calls,
        "cost": answer.cost,
        "processing_time": round(processing_time, 3),
    }


def failure(error: Exception, processing_time: float) -> dict[str, Any]:
    kind = next((name for name, known in KINDS.items() if type(error) is known), BROKEN)
    message = str(error) if kind != BROKEN else "".join(traceback.format_exception(error))
    told = {"kind": kind, "message": message, "exit_status": getattr(error, "exit_status", None)}
    return {"success": False, "error": told, "processing_time": round(processing_time, 3)}


def answer_of(message: dict[str, Any]) -> Answer:
    """The answer in the last line; what went wrong there is raised here."""
    if message["success"]:
        return Answer(message["audio_features"], message["ai_analysis"], message["calls"])
    told = message["error"]
    kind = KINDS.get(told["kind"], RuntimeError)
    if issubclass(kind, EngineError):
        raise kind(told["message"], told["exit_status"])
    raise kind(told["message"])
