"""One file in a child of this process: measured there, then described here."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from app.engine.describer import describe
from app.engine.order import RENDERED, Answer, Listener, Order
from app.integrations.openrouter.client import Server
from app.sandbox.sandbox import Sandbox

# So soon the child is killed when the answer is not wanted any more.
TICK_S = 0.25


def sandbox() -> Sandbox:
    return Sandbox("app.engine.child:process", warm="app.audio.warm:warm")


def process(
    engine: Sandbox, source: Path, order: Order, listener: Listener, server: Server | None = None
) -> Answer:
    """Work on a file in a folder of its own.

    Raises UnreadableAudio for a bad file, EngineCancelled when nobody wants the answer any more,
    and other EngineErrors when the child came to grief.
    """

    def progress(step: str, _: dict[str, Any]) -> None:
        if step == "decoded":
            listener.on_decoded(source.parent / RENDERED)

    features = engine.run(
        {
            "source": source.name,
            "rendered": RENDERED if order.export_sp404 else None,
            "name": order.name,
        },
        folder=source.parent,
        timeout_s=order.limit_s,
        on_progress=progress,
        tick=listener.still_wanted,
        tick_s=TICK_S,
    )
    with source.open("rb") as file:
        features["file_sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
    listener.on_measured(features)
    if not order.ai_analysis:
        return Answer(features)
    described = describe(features, order.ask, server)
    return Answer(features, described.to_dict(), described.calls)
