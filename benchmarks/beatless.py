"""Measure sounds that the ear was not fitted on: `python -m benchmarks.beatless`.

Without a beat, no tempo may be invented. With a beat, a sound stays a loop and keeps its tempo. The sounds
are made once in `--folder`, the same for the same `--seed`; later runs use what is there. `--json` keeps
the answers, `--before` puts the figures of kept answers below the new ones, and `--every` asks the other
tools that are installed.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from app.audio.file_report import measure_file
from benchmarks.tables import add_document_option, show_tables
from benchmarks.unseen.collection import labelled_sounds
from benchmarks.unseen.delivery import write_sounds
from benchmarks.unseen.report import peer_table, report_tables

FIELDS = (
    "duration_s", "kind", "kind_confidence", "sound", "sound_confidence", "bpm", "bpm_confidence",
    "bpm_candidates", "key", "key_confidence", "note", "warnings",
)  # fmt: skip

Row = dict[str, Any]


def main() -> None:
    """Make the sounds, ask the ear, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=Path("/tmp/beatless"), help="where the sounds are kept"
    )
    parser.add_argument("--each", type=int, default=25, help="how many of each generated sort")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="how many files to measure at once")
    parser.add_argument("--json", type=Path, help="keep the answers in this file")
    parser.add_argument("--answers", type=Path, help="print kept answers; measure nothing")
    parser.add_argument("--before", type=Path, help="answers of another version of the ear")
    parser.add_argument("--only", help="measure only sorts whose name contains this")
    parser.add_argument("--every", type=int, default=0, help="other tools answer one sound in so many")
    add_document_option(parser)
    options = parser.parse_args()
    index = options.folder / "index.json"
    if not index.exists():
        write_sounds(labelled_sounds(options.each, seed=options.seed), options.folder, options.seed)
    rows = [r for r in json.loads(index.read_text()) if not options.only or options.only in r["sort"]]
    answers = read_or_measure(options, rows)
    for row in rows:
        if "error" in answers[row["file"]]:
            print(
                f"Not read: {row['file']} ({row['sort']}): {answers[row['file']]['error']}", file=sys.stderr
            )
    before = json.loads(options.before.read_text()) if options.before else None
    show_tables(report_tables(rows, answers, before), options.document)
    if options.every:
        show_tables([peer_table(options.folder, rows, answers, options.every)], options.document)


def read_or_measure(options: argparse.Namespace, rows: list[Row]) -> dict[str, Row]:
    """Return the answers of `--answers`, or measure every file; `--json` keeps them for the next run."""
    if options.answers:
        answers: dict[str, Row] = json.loads(options.answers.read_text())
    else:
        answers = measure_all(options.folder, [r["file"] for r in rows], options.jobs)
    if options.json:
        options.json.write_text(json.dumps(answers, indent=0))
    return answers


def measure_all(folder: Path, files: list[str], jobs: int) -> dict[str, Row]:
    """Return the ear's answer for each file: the fields above, or `error`."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        measured = pool.map(measure_file, [folder / name for name in files], chunksize=8)
        return {name: _answer(m) for name, m in zip(files, measured, strict=True)}


def _answer(measured: Row) -> Row:
    """Return the fields that are scored."""
    return {"error": measured["error"]} if "error" in measured else {k: measured.get(k) for k in FIELDS}


if __name__ == "__main__":
    main()
