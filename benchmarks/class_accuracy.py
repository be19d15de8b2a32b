"""Score the classes of one-shots and loops, and notes, from out-of-fold answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from app.audio.estimation.sound_classifier import MIN_DRUM_PROBABILITY
from app.music.sound_classes import DRUMS, LOOP_SOUNDS, TONES
from benchmarks.scores import NOTE_SCORES, note_score
from benchmarks.tables import Cell, Table, confusion_table, macro_percent, reliability_rows

# The classes before hats were two, and rims and shakers their own.
_SEVEN_CLASSES = {
    "closed hat": "hi-hat",
    "open hat": "hi-hat",
    "rim": "percussion",
    "shaker": "percussion",
}
_HATS = ("closed hat", "open hat")
_OTHER = "another class"
# The name of each table, the field that holds the true class, the stage that answers, and the classes.
_GROUPS = (
    ("drum classes", "label", "drum", DRUMS),
    ("tonal classes", "tone", "tone", TONES),
    ("loop classes", "sound", "loop", LOOP_SOUNDS),
)

Row = dict[str, Any]
Answers = dict[str, Row]
Pairs = list[tuple[str, str]]


def class_tables(rows: list[Row], answers: Answers) -> Iterator[Table]:
    """Yield a confusion table of each group of classes, of hats alone, the macro averages and the notes."""
    pairs = {name: _pairs(rows, answers, field, stage, of) for name, field, stage, of in _GROUPS}
    for name, _, _, classes in _GROUPS:
        yield confusion_table(name, pairs[name], classes)
    hats = [(t, h if h in _HATS else _OTHER) for t, h in pairs["drum classes"] if t in _HATS]
    yield confusion_table("hats", hats, (*_HATS, _OTHER))
    others = [
        (f"{name}, {len(classes)}", len(pairs[name]), macro_percent(pairs[name], classes))
        for name, _, _, classes in _GROUPS[1:]
    ]
    averages = [*_drum_averages(rows, answers, pairs["drum classes"]), *others]
    yield Table("macro averages", ("classes", "clips", "mean of the classes' shares, %"), averages)
    yield Table("kits", ("drum hits of", "clips", "right %"), _by_source(rows, answers))
    yield _note_table(rows, answers)


def class_reliability(rows: list[Row], answers: Answers) -> dict[str, list[tuple[Cell, ...]]]:
    """Return how often a class of each confidence is right, for each group of classes."""
    parts = {}
    for name, field, stage, classes in _GROUPS:
        some = [r for r in rows if r[field] is not None]
        parts[name.removesuffix("es")] = reliability_rows(
            [answers[r["id"]][f"{stage}_confidence"] for r in some],
            [classes[answers[r["id"]][stage]] == r[field] for r in some],
        )
    return parts


def _pairs(rows: list[Row], answers: Answers, field: str, stage: str, classes: tuple[str, ...]) -> Pairs:
    """Return the true class and the class heard of every clip that has one."""
    return [(r[field], classes[answers[r["id"]][stage]]) for r in rows if r[field] is not None]


def _drum_averages(rows: list[Row], answers: Answers, pairs: Pairs) -> Iterator[tuple[Cell, ...]]:
    """Yield the macro average of ten and of seven classes, as named and as shipped.

    As shipped, a hit that is taken for a tone has no drum class.
    """
    drumlike = [answers[r["id"]]["drumlike"] for r in rows if r["label"] is not None]
    routed = [(t, h if p >= MIN_DRUM_PROBABILITY else "") for (t, h), p in zip(pairs, drumlike, strict=True)]
    seven = tuple(dict.fromkeys(_SEVEN_CLASSES.get(name, name) for name in DRUMS))
    for title, some in (("", pairs), (", drum or tone decided too", routed)):
        merged = [(_SEVEN_CLASSES.get(t, t), _SEVEN_CLASSES.get(h, h)) for t, h in some]
        yield f"drum classes, {len(DRUMS)}{title}", len(some), macro_percent(some, DRUMS)
        yield f"drum classes, {len(seven)} as before{title}", len(some), macro_percent(merged, seven)


def _by_source(rows: list[Row], answers: Answers) -> list[tuple[Cell, ...]]:
    """Return how often the drum class is right for the hits of each kit and soundfont."""
    right: dict[str, list[bool]] = {}
    for r in rows:
        if r["label"] is not None:
            right.setdefault(r["group"], []).append(DRUMS[answers[r["id"]]["drum"]] == r["label"])
    return [(name, len(flags), float(100 * np.mean(flags))) for name, flags in sorted(right.items())]


def _note_table(rows: list[Row], answers: Answers) -> Table:
    """Return how often the note of a tone is right, by source."""
    scores: dict[str, list[tuple[float, ...]]] = {}
    for r in rows:
        if "note" in answers[r["id"]]:
            for name in ("all", r["group"]):
                scores.setdefault(name, []).append(note_score(answers[r["id"]]["note"], r["note"]))
    lines: list[tuple[Cell, ...]] = [
        (name, len(part), *(float(v) for v in 100 * np.mean(part, axis=0)))
        for name, part in sorted(scores.items())
    ]
    return Table("notes", ("note", "clips", *NOTE_SCORES), lines)
