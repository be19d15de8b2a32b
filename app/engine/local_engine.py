"""One file in a child of this process: measured there, then described here."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from app.engine.contract import RENDERED_NAME, EngineAnswer, EngineOrder, Measurement, ProgressListener
from app.engine.describer import describe_sound
from app.integrations.openrouter.chat_client import ChatEndpoint
from app.sandbox.runner import Sandbox

# So soon the child is killed when the answer is not wanted any more.
CANCEL_CHECK_S = 0.25


def new_sandbox() -> Sandbox:
    return Sandbox("app.engine.child_process:analyse_file", warm="app.audio.warm:warm_cache")


def process_locally(
    engine: Sandbox,
    source: Path,
    order: EngineOrder,
    listener: ProgressListener,
    server: ChatEndpoint | None = None,
) -> EngineAnswer:
    """Work on a file in a folder of its own.

    Raises UnreadableAudio for a bad file, EngineCancelled when nobody wants the answer any more,
    and other EngineErrors when the child came to grief.
    """

    def progress(step: str, _: dict[str, Any]) -> None:
        if step == "decoded":
            listener.on_decoded(source.parent / RENDERED_NAME)

    found = engine.run(
        {
            "source": source.name,
            "rendered": RENDERED_NAME if order.export_sp404 else None,
            "name": order.name,
        },
        folder=source.parent,
        timeout_s=order.limit_s,
        on_progress=progress,
        tick=listener.still_wanted,
        tick_s=CANCEL_CHECK_S,
    )
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    measurement = Measurement.from_dict(found | {"file_sha256": digest})
    listener.on_measured(measurement)
    if not order.ai_analysis:
        return EngineAnswer(measurement)
    described = describe_sound(measurement.analysis, order.ask, server)
    return EngineAnswer(measurement, described.to_dict(), described.calls)
