"""Find the sounds of a folder that are most like others, for the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.audio.file_report import list_files, measure_all
from app.audio.similarity.distances import rank_nearest

Vectors = dict[Path, tuple[float, ...]]


def print_similar(
    queries: Sequence[Path], folder: Path, *, every: bool, top: int, preset: str, as_json: bool, jobs: int
) -> int:
    """Print the sounds of a folder that are most like each query, nearest first.

    A file that can't be read is named on stderr; the others are still answered. The query itself is left out
    of its answer.

    Parameters
    ----------
    queries : sequence of Path
        Files, inside or outside the folder.
    folder : Path
        Searched with all its subfolders.
    every : bool
        Also take every file of the folder as a query.
    top : int
        How many sounds to print for each query.
    preset : str
        One of `layout.PRESETS`.
    as_json : bool
        Print one JSON object a query instead of words.
    jobs : int
        How many files to measure at once.

    Returns
    -------
    int
        The exit code: 1 when the folder or a file could not be read, else 0.
    """
    if not folder.is_dir():
        sys.stderr.write(f"{folder} is not a folder.\n")
        return 1
    inside = list(list_files([folder]))
    wanted = list(dict.fromkeys([*queries, *(inside if every else ())]))
    vectors, failed = _measure_vectors([*inside, *wanted], jobs)
    for query in (path for path in wanted if path.resolve() in vectors):
        hits = _nearest_files(query, inside, vectors, preset)[:top]
        sys.stdout.writelines(f"{line}\n" for line in _answer_lines(query, hits, as_json))
        sys.stdout.flush()
    return 1 if failed else 0


def _measure_vectors(paths: Iterable[Path], jobs: int) -> tuple[Vectors, bool]:
    """Measure every file once. Return the vectors by resolved path, and whether a file could not be read."""
    files = {path.resolve(): path for path in paths}
    absent = [resolved for resolved in files if not resolved.is_file()]
    for resolved in absent:
        path = files.pop(resolved)
        sys.stderr.write(f"{path}: {'This is a folder.' if path.is_dir() else 'There is no such file.'}\n")
    vectors, failed = {}, bool(absent)
    for resolved, measured in zip(files, measure_all(list(files.values()), jobs), strict=True):
        if "error" in measured:
            failed = True
            sys.stderr.write(f"{measured['path']}: {measured['error']}\n")
        else:
            vectors[resolved] = tuple(measured["similarity"])
    return vectors, failed


def _nearest_files(query: Path, inside: list[Path], vectors: Vectors, preset: str) -> list[tuple[str, float]]:
    """Return the paths of the other files with their distances, nearest first."""
    own = query.resolve()
    others = [path for path in inside if path.resolve() in vectors and path.resolve() != own]
    matrix = np.array([vectors[path.resolve()] for path in others])
    return rank_nearest(vectors[own], matrix, [str(path) for path in others], preset) if others else []


def _answer_lines(query: Path, hits: list[tuple[str, float]], as_json: bool) -> Iterator[str]:
    """Yield the lines that answer one query."""
    if as_json:
        plain: dict[str, Any] = {
            "query": str(query),
            "hits": [{"path": path, "distance": distance} for path, distance in hits],
        }
        yield json.dumps(plain)
        return
    yield f"{query}:"
    yield from (f"  {distance:.3f}  {path}" for path, distance in hits)
