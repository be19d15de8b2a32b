"""What happens to one file inside the child process, which works in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.audio import wav
from app.audio.decoding.decode import decode
from app.audio.report import measure


def process(request: dict[str, Any], progress: Callable[[str, dict[str, Any]], None]) -> dict[str, Any]:
    """Decode once; render the unit's WAV from it, when it is wanted, and say so; then measure it."""
    folder, made = Path.cwd(), {}
    decoded = decode(folder / request["source"], folder)
    if request["rendered"] is not None:
        rendered = wav.render(decoded.samples, decoded.sample_rate, folder / request["rendered"])
        made = {"sp404": rendered.to_dict()}
        progress("decoded", {})
    return measure(decoded, request["name"]).to_dict() | made
