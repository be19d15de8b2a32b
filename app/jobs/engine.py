"""The one door to the engine: a zygote of this process's own, and a forked child for every file."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.audio.sandbox import Sandbox

RENDERED = "sp404.wav"
# The zygote of this worker process: started when the worker starts, or by the first job, and ended with it.
SANDBOX = Sandbox("app.jobs.child:process", warm="app.audio.warm:warm")
atexit.register(SANDBOX.close)


def measure(
    source: Path,
    folder: Path,
    *,
    name: str,
    on_decoded: Callable[[Path], None],
    still_ours: Callable[[], bool],
    timeout_s: float,
) -> dict[str, Any]:
    """Measure a local file. `on_decoded` gets the rendered WAV as soon as it can be played.

    Raises UnreadableAudio for a bad file, EngineCancelled when `still_ours` says no,
    and other EngineErrors when the child came to grief.
    """

    def progress(step: str, _: dict[str, Any]) -> None:
        if step == "decoded":
            on_decoded(folder / RENDERED)

    return SANDBOX.run(
        {"source": source.name, "rendered": RENDERED, "name": name},
        folder=folder,
        timeout_s=timeout_s,
        on_progress=progress,
        tick=still_ours,
    )
