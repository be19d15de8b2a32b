"""Measure music, hits and notes that the ear was not fitted on: `python -m benchmarks.unseen_music`.

Grooves and tracks are from MMA's reserved libraries, hits from hydrogen's reserved kits, notes from
MuseScore's soundfont. The tools that are installed answer the same files in the same run. The sounds are made
once in `--folder`; `--json` keeps our answers, and `--answers` prints kept ones.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from app.music.musical_keys import ALL_KEYS
from app.music.pitch_names import PITCH_NAMES
from app.music.sound_classes import DRUMS, KINDS, TONES
from benchmarks.beatless import read_or_measure
from benchmarks.peer_accuracy import ask_peer, score_lines
from benchmarks.peers import installed_peers
from benchmarks.scores import (
    KEY_SCORES,
    NOTE_SCORES,
    TEMPO_SCORES,
    Score,
    key_score,
    note_score,
    tempo_score,
)
from benchmarks.tables import Table, add_document_option, confusion_table, macro_percent, show_tables
from benchmarks.unseen.delivery import write_sounds
from benchmarks.unseen.music import GROOVE, HIT, NOTE, TRACK, labelled_music
from training.installed_sounds import load_mono

Row = dict[str, Any]
Answers = dict[str, Row]


def main() -> None:
    """Make the sounds, ask the ear and the other tools, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/unseen_music"), help="keeps the sounds")
    parser.add_argument("--grooves", type=int, default=150, help="how many grooves; a fifth as many tracks")
    parser.add_argument("--jobs", type=int, default=2, help="how many files to measure at once")
    parser.add_argument("--json", type=Path, help="keep our answers in this file")
    parser.add_argument("--answers", type=Path, help="print kept answers; measure nothing")
    parser.add_argument("--no-peers", action="store_true", help="ask no other tool")
    add_document_option(parser)
    options = parser.parse_args()
    index = options.folder / "index.json"
    if not index.exists():
        write_sounds(labelled_music(options.grooves), options.folder)
    rows = json.loads(index.read_text())
    answers = read_or_measure(options, rows)
    show_tables(class_tables(rows, answers), options.document)
    show_tables(scored_tables(options.folder, rows, answers, not options.no_peers), options.document)


def class_tables(rows: list[Row], answers: Answers) -> Iterator[Table]:
    """Yield how kinds, drum classes and tonal classes are told apart."""
    yield confusion_table("unseen kinds", [(r["kinds"][0], answers[r["file"]]["kind"]) for r in rows], KINDS)
    averages = []
    for sort, classes in ((HIT, DRUMS), (NOTE, TONES)):
        pairs = [(r["sound"], answers[r["file"]]["sound"] or "none") for r in rows if r["sort"] == sort]
        yield confusion_table(f"unseen {sort}s", pairs, (*classes, "none"))
        averages.append((f"{sort}s, {len(classes)} classes", len(pairs), macro_percent(pairs, classes)))
    yield Table("unseen classes", ("macro average", "files", "%"), averages)


def scored_tables(folder: Path, rows: list[Row], answers: Answers, ask: bool) -> Iterator[Table]:
    """Yield tempo, key and note, each of ours and of the other tools."""
    notes = [r for r in rows if r["note"] is not None]
    for name, field, header, part, score, ours in (
        ("unseen loop tempo", "tempo", TEMPO_SCORES, _of_sort(rows, GROOVE), tempo_score, _our_bpm),
        ("unseen track tempo", "tempo", TEMPO_SCORES, _of_sort(rows, TRACK), tempo_score, _our_bpm),
        ("unseen key", "key", KEY_SCORES, [r for r in rows if r["key"] is not None], key_score, _our_key),
        ("unseen note", "note", NOTE_SCORES, notes, note_score, _our_note),
    ):
        truth = {"tempo": "bpm"}.get(field, field)
        scores: dict[str, list[Score]] = {"ours": [score(ours(answers[r["file"]]), r[truth]) for r in part]}
        if ask:
            scores |= _ask_peers(folder, part, field, truth, score)
        yield Table(name, (f"{len(part)} files", *header), score_lines(scores))
    yield _invented(folder, [r for r in rows if r["sort"] in (HIT, NOTE)], answers, ask)


def _of_sort(rows: list[Row], sort: str) -> list[Row]:
    """Return the rows of a sort."""
    return [r for r in rows if r["sort"] == sort]


def _our_bpm(answer: Row) -> float | None:
    """Return our tempo."""
    return answer["bpm"]


def _our_key(answer: Row) -> int | None:
    """Return our key: 0 to 11 for major, 12 to 23 for minor."""
    return None if answer["key"] is None else ALL_KEYS.index(answer["key"])


def _our_note(answer: Row) -> float | None:
    """Return our note in MIDI."""
    if answer["note"] is None:
        return None
    pitch = answer["note"].rstrip("-0123456789")
    return float(PITCH_NAMES.index(pitch) + 12 * (int(answer["note"][len(pitch) :]) + 1))


def _ask_peers(
    folder: Path, rows: list[Row], field: str, truth: str, score: Callable[[Any, Any], Score]
) -> dict[str, list[Score]]:
    """Return the scores of each tool."""
    out = {}
    for name, peer in installed_peers()[field].items():
        start = time.monotonic()
        out[name] = [score(ask_peer(peer, load_mono(folder / r["file"])), r[truth]) for r in rows]
        taken = (time.monotonic() - start) / max(len(rows), 1)
        print(f"{name}, {field}: {taken:.2f} s a file", file=sys.stderr, flush=True)
    return out


def _invented(folder: Path, shots: list[Row], answers: Answers, ask: bool) -> Table:
    """Return how often a hit or a note is given a tempo; tools are asked about one in four."""
    lines = [
        ("ours", len(shots), 100 * sum(answers[r["file"]]["bpm"] is not None for r in shots) / len(shots))
    ]
    for name, peer in installed_peers()["tempo"].items() if ask else ():
        given = [bool(ask_peer(peer, load_mono(folder / r["file"]))) for r in shots[::4]]
        lines.append((name, len(given), 100 * sum(given) / len(given)))
    return Table("unseen tempo invented", ("a tempo for a hit or a note", "files", "%"), lines)


if __name__ == "__main__":
    main()
