"""What happens to one file inside the child process, which works in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.audio import wav_writer
from app.audio.decoding.decoder import decode_file
from app.audio.file_report import measure_decoded


def analyse_file(request: dict[str, Any], progress: Callable[[str, dict[str, Any]], None]) -> dict[str, Any]:
    """Decode once; render the unit's WAV from it, when it is wanted, and say so; then measure it."""
    folder, made = Path.cwd(), {}
    decoded = decode_file(folder / request["source"], folder)
    if request["rendered"] is not None:
        rendered = wav_writer.write_wav(decoded.samples, decoded.sample_rate, folder / request["rendered"])
        made = {"sp404": rendered.to_dict()}
        progress("decoded", {})
    return measure_decoded(decoded, request["name"]).to_dict() | made
