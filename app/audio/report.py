"""One file on disk from bytes to answer, for the command line and for whoever has no worker."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from app.audio.analyze import analyze
from app.audio.decode import Decoded, decode
from app.audio.errors import UnreadableAudio
from app.audio.result import Analysis


def measure_file(path: Path) -> dict[str, Any]:
    """Decode and analyse a file.

    Parameters
    ----------
    path : Path
        Any file; its name counts as evidence, its extension does not.

    Returns
    -------
    dict
        `path` and everything of `Analysis.to_dict`, or `path` and `error`, a sentence for a producer.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="audio-") as folder:
            return {"path": str(path), **measure(decode(path, Path(folder)), path.name).to_dict()}
    except (UnreadableAudio, OSError) as error:
        return {"path": str(path), "error": str(error)}


def measure(decoded: Decoded, name: str) -> Analysis:
    """Analyse what `decode` gave, with the name the file was uploaded under."""
    return analyze(
        decoded.samples,
        decoded.sample_rate,
        file_name=name,
        format_name=decoded.format.name,
        digest=decoded.content_sha256,
        warnings=decoded.warnings,
    )


def in_words(measured: dict[str, Any]) -> str:
    """One line for a person."""
    if "error" in measured:
        return f"{measured['path']}: {measured['error']}"
    parts = (
        f"{measured['duration_s']:.2f} s",
        f"{measured['bpm']:.2f} BPM" if measured["bpm"] else "no tempo",
        measured["key"] or measured["note"] or "no key",
        measured["kind"],
        measured["sound"] or "",
        f"{measured['loudness_db']:.1f} {measured['loudness_unit']}" if measured["loudness_db"] else "",
        *measured["warnings"],
    )
    return f"{measured['path']}: {', '.join(part for part in parts if part)}"
