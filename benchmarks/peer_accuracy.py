"""Ask the other tools about a sample of the corpus, and put our out-of-fold answers beside theirs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import Peer, installed_peers
from benchmarks.scores import (
    KEY_SCORES,
    NOTE_SCORES,
    TEMPO_SCORES,
    Score,
    key_score,
    note_score,
    tempo_score,
)
from benchmarks.tables import Cell, Table
from training.corpus import load_audio

Row = dict[str, Any]
Answers = dict[str, Row]
Scorer = Callable[[Any, Any], Score]


def peer_tables(rows: list[Row], corpus: Path, every: int, answers: Answers) -> Iterator[Table]:
    """Yield ours beside every installed tool, on one clip in so many."""
    known = {f: [r for r in rows if f in answers[r["id"]]] for f in ("bpm", "key", "kind", "note")}
    loops, tracks = ([r for r in known["bpm"] if r["kind"] == kind][::every] for kind in ("loop", "track"))
    keyed = [r for r in known["key"] if r["decided"]][::every]
    full = [r for r in keyed if r["content"] == "full" and r["kind"] != "track"]
    # No tool knows textures.
    mixed = [r for r in known["kind"] if r["kind"] != "texture"][::every]
    asked: tuple[tuple[str, str, tuple[str, ...], list[Row], Scorer], ...] = (
        ("loop tempo beside peers", "bpm", TEMPO_SCORES, loops, tempo_score),
        ("track tempo beside peers", "bpm", TEMPO_SCORES, tracks, tempo_score),
        ("key beside peers", "key", KEY_SCORES, keyed, key_score),
        ("key of full loops beside peers", "key", KEY_SCORES, full, key_score),
        ("kind beside peers", "kind", ("loop or one-shot",), mixed, _kind_score),
        ("note beside peers", "note", NOTE_SCORES, known["note"][::every], note_score),
    )
    for name, field, header, part, score in asked:
        if part:
            ours = [score(_our_answer(answers[r["id"]], field), r[field]) for r in part]
            scores = {"ours": ours} | _ask_peers(field, part, corpus, score)
            yield Table(name, (f"{len(part)} clips", *header), score_lines(scores))


def score_lines(scores: dict[str, list[Score]]) -> list[tuple[Cell, ...]]:
    """Return the mean scores of each tool in percent."""
    return [(name, *(float(v) for v in 100 * np.mean(s, axis=0))) for name, s in scores.items() if s]


def ask_peer(peer: Peer, y: np.ndarray) -> Any:
    """Return a tool's answer; one that raises has none."""
    try:
        return peer(y)
    except Exception:
        return None


def _our_answer(answer: Row, field: str) -> Any:
    """Return our answer as the tools give theirs."""
    if field == "kind":
        return "loop" if np.argmax(answer["kind"]) == 0 else "oneshot"
    return answer[field]


def _kind_score(heard: str | None, truth: str) -> Score:
    """Return whether loop or one-shot is right; a track counts as a loop."""
    return ((heard == "loop") == (truth != "oneshot"),)


def _ask_peers(field: str, rows: list[Row], corpus: Path, score: Scorer) -> dict[str, list[Score]]:
    """Return the scores of each tool on the clips."""
    out = {}
    for name, peer in installed_peers()[{"bpm": "tempo"}.get(field, field)].items():
        start = time.monotonic()
        out[name] = [score(ask_peer(peer, load_audio(corpus, r["id"])), r[field]) for r in rows]
        print(f"{name}: {(time.monotonic() - start) / len(rows):.2f} s a file", file=sys.stderr, flush=True)
    return out
