"""Measure how well similarity vectors find like sounds: `python -m benchmarks.likeness`.

Hits are those of hydrogen's sixteen kits, none of which the vector is fitted on, with descriptors of other
tools in the same run. Loops are played by MMA's reserved libraries and MuseScore's soundfont.
`--page FILE.html` writes queries with their nearest to look at and listen to.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from app.audio.file_report import measure_file
from app.audio.similarity import layout
from benchmarks.alike.kits import PACKAGES, KitHit, kit_hits
from benchmarks.alike.loop_scores import loop_tables
from benchmarks.alike.page import write_page
from benchmarks.alike.peers import Describe, as_rows, peer_descriptors
from benchmarks.alike.scores import SCORE_NAMES, Labels, hit_labels, score_descriptor
from benchmarks.tables import Cell, Table, add_document_option, show_tables

OURS = "similarity vector"
TARGETS = {"P@10": 68.0, "mAP": 55.0, "same instrument": 67.0}

Rows = dict[str, np.ndarray]
Found = TypeVar("Found")


def main() -> int:
    """Print the tables; return 1 when the similarity vector misses a target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loops", type=int, default=120, help="arrangements to play; 0 leaves loops out")
    parser.add_argument("--jobs", type=int, default=2, help="files at once")
    parser.add_argument("--no-peers", action="store_true", help="ask no other tool")
    parser.add_argument("--page", type=Path, help="write queries with their nearest to this HTML file")
    add_document_option(parser)
    options = parser.parse_args()
    hits = kit_hits()
    if not hits:
        print(f"There are no drum kits: apt install {PACKAGES}", file=sys.stderr)
        return 1
    found = _describe_hits(hits, options.jobs, not options.no_peers)
    show_tables(hit_tables(hits, found), options.document)
    if options.page:
        write_page(hits, found[OURS], options.page)
    if options.loops:
        show_tables(loop_tables(options.loops, options.jobs), options.document)
    return int(_misses_target(hit_labels(hits), found[OURS]))


def hit_tables(hits: Sequence[KitHit], found: Rows) -> Iterator[Table]:
    """Yield the scores of each descriptor: of all files, and without files that another kit has too."""
    first = [i for i, h in enumerate(hits) if all(h.digest != other.digest for other in hits[:i])]
    for name, chosen in (("like hits", range(len(hits))), ("like hits without twins", first)):
        of = hit_labels([hits[i] for i in chosen])
        rows: list[tuple[Cell, ...]] = [
            (title, x.shape[1], *score_descriptor(x[list(chosen)], of)) for title, x in found.items()
        ]
        yield Table(name, (f"{len(of.label)} hits", "numbers", *SCORE_NAMES), rows)
    yield _block_table(hit_labels(hits), found[OURS])


def _block_table(of: Labels, ours: np.ndarray) -> Table:
    """Return the scores of single blocks and of the presets."""
    rows: list[tuple[Cell, ...]] = [
        (f"block `{name}` alone", *score_descriptor(ours[:, layout.BLOCKS[name]], of))
        for name in (layout.BODY, layout.SHAPE, layout.CLASS)
    ]
    rows.append(("preset timbre", *score_descriptor(ours * layout.preset_weights(layout.TIMBRE), of)))
    return Table("blocks", ("part of the vector", *SCORE_NAMES), rows)


def _describe_hits(hits: Sequence[KitHit], jobs: int, ask_peers: bool) -> Rows:
    """Return the rows of each descriptor."""
    paths = [h.path for h in hits]
    measured = _timed("the whole analysis", partial(_measure_all, paths, jobs), len(paths))
    found = {
        "random": np.random.default_rng(0).standard_normal((len(paths), 8)),
        "timbre vector": np.array([m["timbre"] for m in measured]),
        OURS: np.array([m["similarity"] for m in measured]),
    }
    for name, describe in peer_descriptors().items() if ask_peers else ():
        found[name] = as_rows(_timed(name, partial(_describe_all, describe, paths), len(paths)), name)
    return found


def _describe_all(describe: Describe, paths: Sequence[Path]) -> list[np.ndarray]:
    """Return another tool's description of each file."""
    return [describe(path) for path in paths]


def _measure_all(paths: Sequence[Path], jobs: int) -> list[dict[str, Any]]:
    """Return the product's analysis of each file."""
    with Pool(jobs) as pool:
        return pool.map(measure_file, paths, chunksize=8)


def _timed(name: str, run: Callable[[], list[Found]], count: int) -> list[Found]:
    """Return what `run` returns, and say on stderr how long it took for each file."""
    start = time.monotonic()
    found = run()
    print(f"{name}: {(time.monotonic() - start) / count * 1000:.0f} ms a file", file=sys.stderr, flush=True)
    return found


def _misses_target(of: Labels, ours: np.ndarray) -> bool:
    """Return whether the similarity vector misses a target, and say which on stderr."""
    scores = dict(zip(SCORE_NAMES, score_descriptor(ours, of), strict=True))
    missed = [f"{n} {scores[n]:.1f} < {least}" for n, least in TARGETS.items() if scores[n] < least]
    if missed:
        print(f"Missed: {', '.join(missed)}", file=sys.stderr)
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
