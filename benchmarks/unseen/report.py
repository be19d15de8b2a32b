"""Print how the ear did on sounds without a beat, and on those with one that look like them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np

Row = dict[str, Any]
Answers = dict[str, Row]

KINDS = ("loop", "one-shot", "texture")
_LONGEST_NAME = 36


def print_report(rows: list[Row], answers: Answers, before: Answers | None) -> None:
    """Print the tables of the answers; figures of the earlier ones follow in brackets.

    Parameters
    ----------
    rows : list of dict
        `file`, `sort`, `kinds`, `bpm`, `control` of each sound.
    answers : dict
        The ear's answer for each file.
    before : dict or None
        Answers of another version for the same files.
    """
    unread = [r for r in rows if "error" in answers[r["file"]]]
    for row in unread:
        print(f"NOT READ {row['file']} ({row['sort']}): {answers[row['file']]['error']}")
    read = [r for r in rows if r not in unread]
    if before is not None:
        read = [r for r in read if r["file"] in before and "error" not in before[r["file"]]]
    beatless = [r for r in read if not r["control"] and r["kinds"]]
    controls = [r for r in read if r["control"]]
    print(f"{'WITHOUT A BEAT':36s} files   loop  one-shot  texture  kind right %  tempo invented %  sure")
    _print_lines(beatless, answers, before, _beatless_line)
    print(f"\n{'WITH A BEAT':36s} files  loop %  ±4 %  ±0.5 BPM  half or double too  other ratio  none  sure")
    _print_lines(controls, answers, before, _control_line)
    print(f"\n{'NOT JUDGED':36s} files   loop  one-shot  texture  tempo given %")
    _print_lines([r for r in read if not r["control"] and not r["kinds"]], answers, before, _unjudged_line)
    _print_reliability(beatless + controls, answers)


def _print_lines(rows: list[Row], answers: Answers, before: Answers | None, line: Any) -> None:
    """Print one line for each sort, and one for all."""
    for name, part in [*_by_sort(rows), ("all", rows)]:
        if part:
            print(f"  {name[:_LONGEST_NAME]:34s} {len(part):5d}  {line(part, answers)}")
            if before is not None:
                print(f"  {'':34s} before {line(part, before)}")


def _by_sort(rows: list[Row]) -> list[tuple[str, list[Row]]]:
    """Return the rows of each sort, in the order of first appearance."""
    return [(sort, [r for r in rows if r["sort"] == sort]) for sort in dict.fromkeys(r["sort"] for r in rows)]


def _beatless_line(rows: list[Row], answers: Answers) -> str:
    """Return counts of kinds, how often one is right, and how often and how surely a tempo was invented."""
    heard = [answers[r["file"]] for r in rows]
    right = [a["kind"] in r["kinds"] for a, r in zip(heard, rows, strict=True)]
    invented = [a["bpm_confidence"] for a in heard if a["bpm"] is not None]
    share = 100 * len(invented) / len(rows)
    return f"{_kind_counts(heard)}  {_percent(right):12.1f}  {share:16.1f}  {_mean(invented)}"


def _control_line(rows: list[Row], answers: Answers) -> str:
    """Return how often a sound with a beat is a loop, and how its tempo was heard."""
    heard = [answers[r["file"]] for r in rows]
    loops = _percent(a["kind"] == "loop" for a in heard)
    verdicts = Counter(judge_tempo(a["bpm"], r["bpm"]) for a, r in zip(heard, rows, strict=True))
    near = [a["bpm"] is not None and abs(a["bpm"] - r["bpm"]) < 0.5 for a, r in zip(heard, rows, strict=True)]
    exact, octave = verdicts["right"], verdicts["right"] + verdicts["half or double"]
    sure = [a["bpm_confidence"] for a in heard if a["bpm"] is not None]
    share = 100 / len(rows)
    return (
        f"{loops:6.1f}  {exact * share:4.0f}  {_percent(near):8.1f}  {octave * share:18.1f}  "
        f"{verdicts['other'] * share:11.1f}  {verdicts['none'] * share:4.1f}  {_mean(sure)}"
    )


def _unjudged_line(rows: list[Row], answers: Answers) -> str:
    """Return counts of kinds and how often there is a tempo."""
    heard = [answers[r["file"]] for r in rows]
    return f"{_kind_counts(heard)}  {_percent(a['bpm'] is not None for a in heard):13.1f}"


def judge_tempo(heard: float | None, truth: float) -> str:
    """Return "right" (within 4 %), "half or double", "other" or "none"."""
    if heard is None:
        return "none"
    if abs(heard / truth - 1) < 0.04:
        return "right"
    octave = min(abs(heard / truth / ratio - 1) for ratio in (0.5, 2.0))
    return "half or double" if octave < 0.04 else "other"


def _print_reliability(rows: list[Row], answers: Answers) -> None:
    """Print how often a tempo of a given confidence is right; an invented one is wrong."""
    timed = [(answers[r["file"]], r) for r in rows if answers[r["file"]]["bpm"] is not None]
    sure = np.array([a["bpm_confidence"] for a, _ in timed])
    right = np.array([r["bpm"] is not None and judge_tempo(a["bpm"], r["bpm"]) == "right" for a, r in timed])
    print("\nTEMPO CONFIDENCE: from–to, results, mean confidence, share right (an invented tempo is wrong)")
    for low, high in pairwise((0, 0.4, 0.6, 0.8, 0.9, 1.001)):
        at = (sure >= low) & (sure < high)
        if at.any():
            means = f"{sure[at].mean():.2f}  {right[at].mean():.2f}"
            print(f"  {low:.1f}–{min(high, 1):.1f}  {at.sum():5d}  {means}")


def _kind_counts(heard: list[Row]) -> str:
    """Return how often each kind was heard, as columns."""
    counts = Counter(a["kind"] for a in heard)
    return f"{counts['loop']:5d}  {counts['one-shot']:8d}  {counts['texture']:7d}"


def _percent(flags: Iterable[bool]) -> float:
    """Return the share of true flags in percent."""
    return float(100 * np.mean(list(flags)))


def _mean(values: list[float]) -> str:
    """Return a mean with two decimals, or a dash when there is nothing."""
    return f"{np.mean(values):.2f}" if values else "   –"
