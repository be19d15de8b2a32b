"""Print cross-validated figures beside those of other tools: `python -m benchmarks.accuracy --corpus FOLDER`.
 Ours are the out-of-fold answers that `training/fit.py` wrote for every clip. The other tools answer a sample
of the same clips (`--every`).
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from app.audio.estimation.key_estimator import MIN_TONAL
from app.audio.estimation.sound_classifier import MIN_DRUM_PROBABILITY
from app.music.sound_classes import DRUMS, KINDS, LOOP, LOOP_SOUNDS, TONES
from benchmarks.peers import installed_peers
from training.corpus import KIND_OF_CLIP, load_audio, load_index

# The classes before hats were two, and rims and shakers their own.
_SEVEN = ("kick", "snare", "clap", "hi-hat", "tom", "cymbal", "percussion")
_SEVEN_CLASSES = {
    "closed hat": "hi-hat",
    "open hat": "hi-hat",
    "rim": "percussion",
    "shaker": "percussion",
}

Row = dict[str, Any]
Score = tuple[float, ...]


def tempo_score(heard: float | None, truth: float) -> Score:
    """Return whether a tempo is within 4 %, 1 % and 0.5 BPM, and within 4 % in any octave."""
    if not heard:
        return (0, 0, 0, 0)
    off = abs(heard / truth - 1)
    any_octave = min(abs(heard / truth / m - 1) for m in (1 / 3, 0.5, 1, 2, 3))
    return (off < 0.04, off < 0.01, abs(heard - truth) < 0.5, any_octave < 0.04)


def key_score(heard: int | None, truth: int) -> Score:
    """Return whether a key is exact, and its MIREX score (fifth 0.5, relative 0.3, parallel 0.2)."""
    if heard is None:
        return (0, 0)
    same_mode, step = heard // 12 == truth // 12, (heard - truth) % 12
    relative = not same_mode and step == (9 if truth < 12 else 3)
    value = (
        1.0
        if heard == truth
        else 0.5
        if same_mode and step in (5, 7)
        else 0.3
        if relative
        else 0.2 * (not same_mode and step == 0)
    )
    return (heard == truth, value)


def print_table(title: str, scores: Iterable[tuple[str, Score]]) -> None:
    """Print the mean scores of each line, in percent."""
    lines: dict[str, list[Score]] = defaultdict(list)
    for name, score in scores:
        lines[name].append(score)
    print(f"\n{title}")
    for name, values in sorted(lines.items()):
        print(
            f"  {name:34s} {len(values):5d}  " + "  ".join(f"{v:5.1f}" for v in 100 * np.mean(values, axis=0))
        )


def print_reliability(title: str, sure: np.ndarray, right: np.ndarray) -> None:
    """Print how often answers with a given confidence are right."""
    print(f"\n{title}: confidence from–to, results, mean confidence, share right")
    edges = [0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.001]
    for low, high in pairwise(edges):
        at = (sure >= low) & (sure < high)
        if at.any():
            means = f"{sure[at].mean():.2f}  {right[at].mean():.2f}"
            print(f"  {low:.1f}–{min(high, 1):.1f}  {at.sum():5d}  {means}")


def print_ours(rows: list[Row], answers: dict[str, Row]) -> None:
    """Print every figure of ours, out of fold."""
    timed = _rows_with(rows, answers, "bpm")

    def names(r: Row) -> tuple[str, ...]:
        """Return the lines of the tempo table that a clip counts for."""
        return (f"{r['kind']}", f"{r['kind']} / {r['family']}", f"{r['kind']} / cut {r['cut']}")

    print_table(
        "TEMPO  ±4 %  ±1 %  ±0.5 BPM  any octave",
        ((n, tempo_score(answers[r["id"]]["bpm"], r["bpm"])) for r in timed for n in names(r)),
    )
    keyed = _rows_with(rows, answers, "key")
    decided = [r for r in keyed if r["decided"]]

    def places(r: Row) -> tuple[str, ...]:
        """Return the lines of the key table that a clip counts for."""
        return ("all", f"{r['family']}", f"{'track' if r['kind'] == 'track' else 'loop'} of {r['content']}")

    for title, part in (
        ("", decided),
        (" of clips whose notes leave it open", [r for r in keyed if not r["decided"]]),
    ):
        print_table(
            f"KEY{title}  exact  MIREX",
            ((n, key_score(answers[r["id"]]["key"], r["key"])) for r in part for n in places(r)),
        )
    shaped = _rows_with(rows, answers, "kind")
    if shaped:
        _print_kinds(shaped, answers)
        _print_classes(shaped, answers)
    right = np.array([tempo_score(answers[r["id"]]["bpm"], r["bpm"])[0] for r in timed])
    print_reliability(
        "TEMPO CONFIDENCE", np.array([answers[r["id"]]["bpm_confidence"] for r in timed]), right
    )
    right = np.array([answers[r["id"]]["key"] == r["key"] for r in decided])
    print_reliability(
        "KEY CONFIDENCE", np.array([answers[r["id"]]["key_confidence"] for r in decided]), right
    )


def _rows_with(rows: list[Row], answers: dict[str, Row], field: str) -> list[Row]:
    """Return the clips that have an answer for a field."""
    return [r for r in rows if field in answers[r["id"]]]


def _print_kinds(rows: list[Row], answers: dict[str, Row]) -> None:
    """Print how well loops, one-shots and textures, drums and music are told apart."""
    heard = {r["id"]: KINDS[int(np.argmax(answers[r["id"]]["kind"]))] for r in rows}
    print_table(
        "KIND  right  called a loop, so that a tempo is invented",
        (
            (name, (heard[r["id"]] == KIND_OF_CLIP[r["kind"]], heard[r["id"]] == LOOP))
            for r in rows
            for name in (KIND_OF_CLIP[r["kind"]], f"{KIND_OF_CLIP[r['kind']]} / {r['family']} {_sort_of(r)}")
        ),
    )
    loops = [heard[r["id"]] == LOOP for r in rows if KIND_OF_CLIP[r["kind"]] == LOOP]
    shots = [heard[r["id"]] != LOOP for r in rows if r["kind"] == "oneshot"]
    drums = [answers[r["id"]]["tonal"] >= MIN_TONAL for r in rows if r["content"] == "drums"]
    music = [answers[r["id"]]["tonal"] >= MIN_TONAL for r in rows if r["key"] is not None]
    print(f"\nLOOP OR ONE-SHOT balanced {50 * (np.mean(loops) + np.mean(shots)):.1f}")
    print(f"A TEMPO INVENTED for one-shots {100 * (1 - np.mean(shots)):.1f}")
    print(f"A KEY INVENTED for drum loops {100 * np.mean(drums):.1f}", end=", ")
    print(f"a key withheld from music {100 * (1 - np.mean(music)):.1f}")


def _sort_of(row: Row) -> str:
    """Return the sort of a texture or the groove of a rare loop, nothing for other clips."""
    return row["group"].split("-", 1)[1] if row["family"] in ("texture", "rare") else ""


def _print_classes(rows: list[Row], answers: dict[str, Row]) -> None:
    """Print how well drum classes, tonal classes and notes are named."""
    hits = [r for r in rows if r["label"] is not None]
    named = {r["id"]: DRUMS[answers[r["id"]]["drum"]] for r in hits}
    right = {r["id"]: named[r["id"]] == r["label"] for r in hits}
    print_table("DRUM CLASS", ((n, (right[r["id"]],)) for r in hits for n in (r["label"], r["group"])))
    _print_confusion([(r["label"], named[r["id"]]) for r in hits], DRUMS)
    older = {i: _SEVEN_CLASSES.get(name, name) for i, name in named.items()}
    for title, classes, names in (
        ("10 classes", DRUMS, {r["id"]: r["label"] for r in hits}),
        ("7 classes", _SEVEN, {r["id"]: _SEVEN_CLASSES.get(r["label"], r["label"]) for r in hits}),
    ):
        heard = named if classes == DRUMS else older
        fit = {i: heard[i] == name for i, name in names.items()}
        routed = {i: ok and answers[i]["drumlike"] >= MIN_DRUM_PROBABILITY for i, ok in fit.items()}
        print(f"  macro of {title}: {_macro_percent(names, fit, classes):.1f}", end=", ")
        print(f"drum or tone decided too: {_macro_percent(names, routed, classes):.1f}")
    for title, field, stage, names_of in (
        ("TONAL CLASS", "tone", "tone", TONES),
        ("LOOP CLASS", "sound", "loop", LOOP_SOUNDS),
    ):
        some = {r["id"]: r[field] for r in rows if r[field] is not None}
        heard = {i: names_of[answers[i][stage]] for i in some}
        fit = {i: heard[i] == name for i, name in some.items()}
        print(f"\n{title} macro of {len(names_of)}: {_macro_percent(some, fit, names_of):.1f}")
        _print_confusion([(name, heard[i]) for i, name in some.items()], names_of)
    notes = _rows_with(rows, answers, "note")
    print_table(
        "NOTE  pitch class  octave too",
        ((n, _note_score(answers[r["id"]]["note"], r["note"])) for r in notes for n in ("all", r["group"])),
    )


def _macro_percent(names: dict[str, str], right: dict[str, bool], classes: tuple[str, ...]) -> float:
    """Return the mean over classes of the share of clips that are right, in percent."""
    shares = [np.mean([right[i] for i, name in names.items() if name == c]) for c in classes]
    return float(100 * np.mean(shares))


def _print_confusion(pairs: list[tuple[str, str]], classes: tuple[str, ...]) -> None:
    """Print a row of counts for each true class: what it was taken for, in the order of the classes."""
    for truth in classes:
        counts = [sum(t == truth and h == heard for t, h in pairs) for heard in classes]
        print(f"    {truth:12s} " + " ".join(f"{c:5d}" for c in counts))


def _note_score(heard: float | None, truth: float) -> Score:
    """Return whether a note's pitch class is right, and whether its octave is right too."""
    if heard is None:
        return (0, 0)
    return (abs((heard - truth + 6) % 12 - 6) < 0.5, abs(heard - truth) < 0.5)


def print_peers(rows: list[Row], corpus: Path, every: int, answers: dict[str, Row]) -> None:
    """Ask the installed tools about a sample of the clips, and print ours on the same sample beside them."""
    asked = installed_peers()
    loops = [r for r in rows if r["kind"] == "loop" and "bpm" in answers[r["id"]]][::every]
    tracks = [r for r in rows if r["kind"] == "track" and "bpm" in answers[r["id"]]][::every]
    keyed = [r for r in _rows_with(rows, answers, "key") if r["decided"]][::every]
    mixed, notes = (
        [r for r in _rows_with(rows, answers, "kind") if r["kind"] != "texture"][::every],
        _rows_with(rows, answers, "note")[::every],
    )
    for title, part in (("LOOP TEMPO", loops), ("TRACK TEMPO", tracks)):
        mine = [("ours", tempo_score(answers[r["id"]]["bpm"], r["bpm"])) for r in part]
        print_table(
            f"{title} beside peers  ±4 %  ±1 %  ±0.5 BPM  any octave",
            [*mine, *_ask_peers(asked["tempo"], part, corpus, "bpm", tempo_score)],
        )
    mine = [("ours", key_score(answers[r["id"]]["key"], r["key"])) for r in keyed]
    print_table(
        "KEY beside peers  exact  MIREX", [*mine, *_ask_peers(asked["key"], keyed, corpus, "key", key_score)]
    )
    full = [r for r in keyed if r["content"] == "full" and r["kind"] != "track"]
    mine = [("ours", key_score(answers[r["id"]]["key"], r["key"])) for r in full]
    print_table(
        "KEY OF FULL LOOPS beside peers  exact  MIREX",
        [*mine, *_ask_peers(asked["key"], full, corpus, "key", key_score)],
    )

    def kind(heard: str, truth: str) -> tuple[bool]:
        """Return whether loop or one-shot is right; a track counts as a loop."""
        return ((heard == "loop") == (truth != "oneshot"),)

    mine = [
        ("ours", kind("loop" if np.argmax(answers[r["id"]]["kind"]) == 0 else "oneshot", r["kind"]))
        for r in mixed
    ]
    print_table("KIND beside peers", [*mine, *_ask_peers(asked["kind"], mixed, corpus, "kind", kind)])
    mine = [("ours", _note_score(answers[r["id"]]["note"], r["note"])) for r in notes]
    print_table(
        "NOTE beside peers  pitch class  octave too",
        [*mine, *_ask_peers(asked["note"], notes, corpus, "note", _note_score)],
    )


def _ask_peers(
    peers: dict[str, Callable[[np.ndarray], Any]],
    rows: list[Row],
    corpus: Path,
    field: str,
    score: Callable[[Any, Any], Score],
) -> list[tuple[str, Score]]:
    """Return the scores of each tool on the clips; a tool that raises has no answer."""
    out = []
    for name, ask in peers.items():
        start = time.monotonic()
        for row in rows:
            try:
                heard = ask(load_audio(corpus, row["id"]))
            except Exception:
                heard = None
            out.append((name, score(heard, row[field])))
        print(f"    {name}: {(time.monotonic() - start) / max(len(rows), 1):.2f} s a file", flush=True)
    return out


def _load_answers(corpus: Path) -> dict[str, Row]:
    """Return the out-of-fold answers of all stages by clip."""
    found: dict[str, Row] = defaultdict(dict)
    for path in sorted(corpus.glob("answers-*.json")):
        for clip, row in json.loads(path.read_text()).items():
            found[clip].update(row)
    return found


def main() -> None:
    """Print our figures, then those of the other tools."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument(
        "--every", type=int, default=12, help="peers answer one clip in so many; 0 leaves them out"
    )
    args = parser.parse_args()
    rows, answers = load_index(args.corpus), _load_answers(args.corpus)
    print_ours(rows, answers)
    if args.every:
        print_peers(rows, args.corpus, args.every, answers)


if __name__ == "__main__":
    main()
