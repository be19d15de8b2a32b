"""Table how the ear did on sounds without a beat, and on those with one that look like them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from app.music.sound_classes import KINDS
from benchmarks.peer_accuracy import ask_peer
from benchmarks.peers import installed_peers
from benchmarks.scores import TEMPO_SCORES, tempo_score
from benchmarks.tables import Cell, Table, reliability_rows
from training.installed_sounds import load_mono

Row = dict[str, Any]
Answers = dict[str, Row]
Line = Callable[[list[Row], Answers], tuple[Cell, ...]]

_BEATLESS_HEADER = (*KINDS, "kind right %", "tempo invented %", "how sure")
_CONTROL_HEADER = (
    "loop %", "±4 %", "±0.5 BPM", "half or double too", "another ratio", "no tempo", "how sure",
)  # fmt: skip


def report_tables(rows: list[Row], answers: Answers, before: Answers | None) -> Iterator[Table]:
    """Yield the tables of the answers; a line of the earlier ones follows each line.

    Parameters
    ----------
    rows : list of dict
        `file`, `sort`, `kinds`, `bpm`, `control` of each sound.
    answers : dict
        The ear's answer for each file.
    before : dict or None
        Answers of another version for the same files.
    """
    read = [r for r in rows if "error" not in answers[r["file"]]]
    if before is not None:
        read = [r for r in read if r["file"] in before and "error" not in before[r["file"]]]
    beatless = [r for r in read if not r["control"] and r["kinds"]]
    controls = [r for r in read if r["control"]]
    unjudged = [r for r in read if not r["control"] and not r["kinds"]]
    versions = [answers] if before is None else [answers, before]
    for name, header, part, line in (
        (
            "without a beat",
            (*KINDS, "kind right %", "tempo invented %", "how sure"),
            beatless,
            _beatless_line,
        ),
        ("with a beat", _CONTROL_HEADER, controls, _control_line),
        ("not judged", (*KINDS, "tempo given %"), unjudged, _unjudged_line),
    ):
        yield Table(name, (name, "files", *header), _lines(part, versions, line))
    yield _reliability(beatless + controls, answers)


def _lines(rows: list[Row], versions: list[Answers], line: Line) -> list[tuple[Cell, ...]]:
    """Return one line for each sort, and one for all."""
    return [
        (name if answers is versions[0] else "– before", len(part), *line(part, answers))
        for name, part in [*_by_sort(rows), ("all", rows)]
        for answers in versions
        if part
    ]


def _by_sort(rows: list[Row]) -> list[tuple[str, list[Row]]]:
    """Return the rows of each sort, in the order of first appearance."""
    return [(sort, [r for r in rows if r["sort"] == sort]) for sort in dict.fromkeys(r["sort"] for r in rows)]


def _beatless_line(rows: list[Row], answers: Answers) -> tuple[Cell, ...]:
    """Return counts of kinds, how often one is right, and how often and how surely a tempo was invented."""
    heard = [answers[r["file"]] for r in rows]
    right = [a["kind"] in r["kinds"] for a, r in zip(heard, rows, strict=True)]
    invented = [a["bpm_confidence"] for a in heard if a["bpm"] is not None]
    return *_kind_counts(heard), _percent(right), 100 * len(invented) / len(rows), _mean(invented)


def _control_line(rows: list[Row], answers: Answers) -> tuple[Cell, ...]:
    """Return how often a sound with a beat is a loop, and how its tempo was heard."""
    heard = [answers[r["file"]] for r in rows]
    verdicts = [judge_tempo(a["bpm"], r["bpm"]) for a, r in zip(heard, rows, strict=True)]
    near = [a["bpm"] is not None and abs(a["bpm"] - r["bpm"]) < 0.5 for a, r in zip(heard, rows, strict=True)]
    return (
        _percent(a["kind"] == "loop" for a in heard),
        _percent(v == "right" for v in verdicts),
        _percent(near),
        _percent(v in ("right", "half or double") for v in verdicts),
        _percent(v == "other" for v in verdicts),
        _percent(v == "none" for v in verdicts),
        _mean([a["bpm_confidence"] for a in heard if a["bpm"] is not None]),
    )


def _unjudged_line(rows: list[Row], answers: Answers) -> tuple[Cell, ...]:
    """Return counts of kinds and how often there is a tempo."""
    heard = [answers[r["file"]] for r in rows]
    return *_kind_counts(heard), _percent(a["bpm"] is not None for a in heard)


def judge_tempo(heard: float | None, truth: float) -> str:
    """Return "right" (within 4 %), "half or double", "other" or "none"."""
    if heard is None:
        return "none"
    if abs(heard / truth - 1) < 0.04:
        return "right"
    octave = min(abs(heard / truth / ratio - 1) for ratio in (0.5, 2.0))
    return "half or double" if octave < 0.04 else "other"


def peer_table(folder: Path, rows: list[Row], answers: Answers, every: int) -> Table:
    """Return ours beside the installed tools on one sound in so many: what is invented, what is right."""
    judged = [r for r in rows if r["kinds"] and "error" not in answers[r["file"]]]
    beatless, controls = ([r for r in judged if r["control"] is c][::every] for c in (False, True))
    lines = {"ours": [answers[r["file"]]["bpm"] for r in beatless + controls]}
    for name, peer in installed_peers()["tempo"].items():
        lines[name] = [ask_peer(peer, load_mono(folder / r["file"])) for r in beatless + controls]
    rows_of = []
    for name, heard in lines.items():
        invented = _percent(map(bool, heard[: len(beatless)]))
        pairs = zip(heard[len(beatless) :], controls, strict=True)
        scores = np.mean([tempo_score(bpm, r["bpm"]) for bpm, r in pairs], axis=0)
        rows_of.append((name, invented, *(float(100 * v) for v in scores)))
    header = (f"{len(beatless)} without, {len(controls)} with a beat", "tempo invented %", *TEMPO_SCORES)
    return Table("beats beside peers", header, rows_of)


def _reliability(rows: list[Row], answers: Answers) -> Table:
    """Return how often a tempo of a given confidence is right; an invented one is wrong."""
    timed = [(answers[r["file"]], r) for r in rows if answers[r["file"]]["bpm"] is not None]
    right = [r["bpm"] is not None and judge_tempo(a["bpm"], r["bpm"]) == "right" for a, r in timed]
    lines = reliability_rows([a["bpm_confidence"] for a, _ in timed], right)
    return Table(
        "confidence of unseen tempi", ("confidence", "answers", "mean confidence", "share right"), lines
    )


def _kind_counts(heard: list[Row]) -> tuple[int, ...]:
    """Return how often each kind was heard."""
    return tuple(sum(a["kind"] == kind for a in heard) for kind in KINDS)


def _percent(flags: Iterable[bool]) -> float:
    """Return the share of true flags in percent."""
    return float(100 * np.mean(list(flags)))


def _mean(values: list[float]) -> str:
    """Return a mean with two decimals, or a dash when there is nothing."""
    return f"{np.mean(values):.2f}" if values else "   –"
