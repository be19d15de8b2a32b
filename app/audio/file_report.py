"""Measure files on disk from bytes to result, for the command line and for tests."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from app.audio.analyzer import analyze_sound
from app.audio.decoding.decoder import DecodedAudio, decode_file
from app.audio.decoding.format_sniffer import HEAD_BYTES, sniff_format
from app.audio.errors import UnreadableAudio
from app.audio.file_facts import FileFacts
from app.audio.file_warnings import warn_about_file
from app.audio.result import Analysis


def print_report(paths: Iterable[Path], *, as_json: bool, jobs: int) -> int:
    """Measure files and folders and print a line for each file.

    Parameters
    ----------
    paths : iterable of Path
        Files to measure; of a folder, all audio files in it.
    as_json : bool
        Print one JSON object a line instead of words.
    jobs : int
        How many files to measure at once.

    Returns
    -------
    int
        The exit code: 1 when a file could not be read, else 0.
    """
    files = list(list_files(paths))
    failed = False
    for number, measured in enumerate(measure_all(files, jobs), start=1):
        failed |= "error" in measured
        _show_progress(number, len(files))
        sys.stdout.write((json.dumps(measured) if as_json else format_line(measured)) + "\n")
        sys.stdout.flush()
    return 1 if failed else 0


def measure_file(path: Path) -> dict[str, Any]:
    """Decode and analyse a file.

    Parameters
    ----------
    path : Path
        Any file; its name counts as evidence, its extension does not.

    Returns
    -------
    dict
        `path` and the fields of `Analysis.to_dict`, or `path` and `error`, a sentence for a producer.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="audio-") as folder:
            return {
                "path": str(path),
                **measure_decoded(decode_file(path, Path(folder)), path.name).to_dict(),
            }
    except (UnreadableAudio, OSError) as error:
        return {"path": str(path), "error": str(error)}


def measure_decoded(decoded: DecodedAudio, name: str) -> Analysis:
    """Analyse a decoded file.

    Parameters
    ----------
    decoded : DecodedAudio
        From `decode_file`.
    name : str
        The name the file was uploaded under; it counts as evidence.
    """
    facts = FileFacts(
        name=name,
        format=decoded.format.name,
        digest=decoded.content_sha256,
        warnings=(*decoded.warnings, *warn_about_file(decoded, name)),
        padding=decoded.padding,
        bit_depth=decoded.bit_depth,
        stated_tempo=decoded.stated_tempo,
    )
    return analyze_sound(decoded.samples, decoded.sample_rate, facts)


def format_line(measured: dict[str, Any]) -> str:
    """Return the main results of `measure_file` as one line of text.

    Parameters
    ----------
    measured : dict
        From `measure_file`.
    """
    if "error" in measured:
        return f"{measured['path']}: {measured['error']}"
    parts = (
        f"{measured['duration_s']:.2f} s",
        f"{measured['bpm']:.2f} BPM" if measured["bpm"] else "no tempo",
        measured["key"] or _format_note(measured) or "no key",
        measured["kind"],
        measured["sound"] or "",
        f"{measured['loudness_db']:.1f} {measured['loudness_unit']}" if measured["loudness_db"] else "",
        *measured["warnings"],
    )
    return f"{measured['path']}: {', '.join(part for part in parts if part)}"


def _format_note(measured: dict[str, Any]) -> str | None:
    return f"{measured['note']} {measured['note_cents']:+.0f} cents" if measured["note"] else None


def list_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files as they are, and of folders every audio file in them, sorted by path.

    Parameters
    ----------
    paths : iterable of Path
    """
    for path in paths:
        if path.is_dir():
            yield from (found for found in sorted(path.rglob("*")) if found.is_file() and _is_audio(found))
        else:
            yield path


def _is_audio(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return sniff_format(file.read(HEAD_BYTES)) is not None
    except OSError:
        return True  # measuring it says what is wrong


def measure_all(files: list[Path], jobs: int) -> Iterator[dict[str, Any]]:
    """Yield the results of `measure_file` in the order of the files.

    Parameters
    ----------
    files : list of Path
    jobs : int
        How many files to measure at once.
    """
    several = jobs > 1 and len(files) > 1
    # Each process is a fresh interpreter: the threads of the libraries don't survive a fork.
    with ProcessPoolExecutor(jobs, get_context("spawn")) if several else nullcontext() as pool:
        yield from pool.map(measure_file, files) if pool else map(measure_file, files)


def _show_progress(number: int, total: int) -> None:
    """Show the progress when stderr is a terminal and the results go elsewhere."""
    if sys.stderr.isatty() and not sys.stdout.isatty():
        sys.stderr.write(f"\r{number} of {total}" + ("\n" if number == total else ""))
