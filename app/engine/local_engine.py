"""Work on one file with a child of this process, which measures or shapes it; it is described here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app import tracing
from app.audio.result import Measurement
from app.engine.contract import (
    RENDERED_NAME,
    CutOrder,
    EngineAnswer,
    EngineOrder,
    ProgressListener,
    RenderOrder,
    RenderReport,
)
from app.engine.describer import describe_sound
from app.integrations.openrouter.chat_client import ChatEndpoint
from app.sandbox.runner import Sandbox

# How soon the child is killed after its answer is no longer wanted.
CANCEL_CHECK_S = 0.25


def new_sandbox() -> Sandbox:
    """Return a sandbox for the engine's child, which is not started yet."""
    return Sandbox("app.engine.child_process:work_on_file", warm="app.audio.warm:warm_cache")


def process_locally(
    sandbox: Sandbox,
    source: Path,
    order: EngineOrder,
    listener: ProgressListener,
    server: ChatEndpoint | None = None,
) -> EngineAnswer:
    """Measure, render and describe a file that lies in a folder of its own.

    `server` is where models may be asked; without one, rules describe. Raises UnreadableAudio for a bad
    file, EngineCancelled when the listener no longer wants the answer, and other EngineErrors when the child
    failed.
    """

    def progress(step: str, _: dict[str, Any]) -> None:
        if step == "decoded":
            listener.on_decoded(source.parent / RENDERED_NAME)

    plain = _run_child(
        sandbox,
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
    measurement = Measurement.from_dict(plain | {"file_sha256": digest})
    listener.on_measured(measurement)
    if not order.ai_analysis:
        return EngineAnswer(measurement)
    described = describe_sound(measurement.analysis, order.ask, server)
    return EngineAnswer(measurement, described.to_dict(), described.calls)


def render_locally(
    sandbox: Sandbox, source: Path, order: RenderOrder | CutOrder, still_wanted: Callable[[], bool]
) -> RenderReport:
    """Shape or cut a file that lies in a folder of its own, and write the result there as `RENDERED_NAME`.

    Raises UnreadableAudio for a bad file or a recipe that does not suit it, EngineCancelled when the answer
    is no longer wanted, and other EngineErrors when the child failed.
    """
    plain = _run_child(
        sandbox,
        {
            "source": source.name,
            "rendered": RENDERED_NAME,
            **order.model_dump(exclude={"about", "limit_s"}),
        },
        folder=source.parent,
        timeout_s=order.limit_s,
        tick=still_wanted,
        tick_s=CANCEL_CHECK_S,
    )
    return RenderReport.from_dict(plain)


def _run_child(sandbox: Sandbox, order: dict[str, Any], **limits: Any) -> dict[str, Any]:
    with tracing.span("engine child"):
        return sandbox.run(order, **limits)
