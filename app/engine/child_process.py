"""Decode and measure one file in the child process, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.audio import wav_writer
from app.audio.decoding.decoder import decode_file
from app.audio.file_report import measure_decoded


def analyse_file(request: dict[str, Any], progress: Callable[[str, dict[str, Any]], None]) -> dict[str, Any]:
    """Decode the file once, write the unit's WAV when one is wanted, report that, then measure.

    `request` has `source` and `rendered`, names in the working folder (`rendered` is None without a WAV), and
    `name`, what the file was called when it was uploaded. Returns the plain JSON of the analysis, and of what
    the WAV writer reported as `sp404`. Raises UnreadableAudio.
    """
    folder, written = Path.cwd(), {}
    decoded = decode_file(folder / request["source"], folder)
    if request["rendered"] is not None:
        wav = wav_writer.write_wav(decoded.samples, decoded.sample_rate, folder / request["rendered"])
        written = {"sp404": wav.to_dict()}
        progress("decoded", {})
    return measure_decoded(decoded, request["name"]).to_dict() | written
