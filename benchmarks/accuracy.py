"""Print cross-validated figures beside those of other tools: `python -m benchmarks.accuracy --corpus FOLDER`.

Ours are the out-of-fold answers that `training/fit.py` wrote for every clip. The other tools answer a sample
of the same clips (`--every`). `--document docs/ear.md` puts the tables into that document; a table whose
answers are missing is left as it is.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.audio.estimation.key_estimator import MIN_TONAL
from app.music.sound_classes import KINDS, LOOP, ONE_SHOT, TEXTURE
from benchmarks.class_accuracy import class_reliability, class_tables
from benchmarks.peer_accuracy import peer_tables
from benchmarks.scores import KEY_SCORES, TEMPO_SCORES, Score, key_score, tempo_score
from benchmarks.tables import (
    Cell,
    Table,
    add_document_option,
    confusion_table,
    merge_reliability,
    reliability_rows,
    show_tables,
)
from training.corpus import KIND_OF_CLIP, load_index

Row = dict[str, Any]
Answers = dict[str, Row]
Lines = Sequence[tuple[str, Callable[[Row], bool]]]

_FAMILIES = {
    "mma": "MMA", "openttd": "OpenTTD", "production": "productions", "stem": "single parts",
    "rare": "easily misheard", "sonicpi": "sonic-pi", "arranged": "arranged", "bach": "Bach",
    "essen": "Essen melodies", "changes": "progressions by function", "tuned": "arranged tunes",
}  # fmt: skip
_CUTS = {"exact": "cut to bars", "tail": "with a tail", "lead": "with a lead", "anywhere": "cut anywhere"}
_CONTENTS = {
    "full": "full loops (bass, drums, chords)", "chords+melody": "chords with melody",
    "chords+bass": "chords with bass", "chords": "chords alone", "chords+drums": "chords with drums",
    "drums+bass": "drums and bass", "drums+808": "drums and an 808", "melody": "melody of a loop alone",
    "bass": "bass alone", "808": "808 alone",
}  # fmt: skip


def main() -> None:
    """Print our figures, then those of the other tools."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument(
        "--every", type=int, default=12, help="peers answer one clip in so many; 0 leaves them out"
    )
    add_document_option(parser)
    args = parser.parse_args()
    rows, answers = load_index(args.corpus), load_answers(args.corpus)
    show_tables(our_tables(rows, answers), args.document)
    if args.every:
        show_tables(peer_tables(rows, args.corpus, args.every, answers), args.document)


def load_answers(corpus: Path) -> Answers:
    """Return the out-of-fold answers of all stages by clip."""
    found: Answers = defaultdict(dict)
    for path in sorted(corpus.glob("answers-*.json")):
        for clip, row in json.loads(path.read_text()).items():
            found[clip].update(row)
    return found


def our_tables(rows: list[Row], answers: Answers) -> Iterator[Table]:
    """Yield every table of ours, out of fold."""
    timed = [r for r in rows if "bpm" in answers[r["id"]]]
    keyed = [r for r in rows if "key" in answers[r["id"]]]
    shaped = [r for r in rows if "kind" in answers[r["id"]]]
    decided = [r for r in keyed if r["decided"]]
    tempo = [tempo_score(answers[r["id"]]["bpm"], r["bpm"]) for r in timed]
    yield _scored("tempo", TEMPO_SCORES, _tempo_lines(timed), timed, tempo)
    keys = [key_score(answers[r["id"]]["key"], r["key"]) for r in keyed]
    yield _scored("key", KEY_SCORES, _key_lines(keyed), keyed, keys)
    if shaped:
        yield from _kind_tables(shaped, answers)
        yield from class_tables(shaped, answers)
    yield merge_reliability(
        "reliability",
        {
            "tempo": reliability_rows(
                [answers[r["id"]]["bpm_confidence"] for r in timed], [bool(s[0]) for s in tempo]
            ),
            "key": reliability_rows(
                [answers[r["id"]]["key_confidence"] for r in decided],
                [answers[r["id"]]["key"] == r["key"] for r in decided],
            ),
            **_kind_reliability(shaped, answers),
            **class_reliability(shaped, answers),
        },
    )


def _scored(name: str, header: tuple[str, ...], lines: Lines, rows: list[Row], scores: list[Score]) -> Table:
    """Return the mean scores of the clips that each line takes in, in percent."""
    out: list[tuple[Cell, ...]] = []
    for line, takes in lines:
        part = [score for r, score in zip(rows, scores, strict=True) if takes(r)]
        if part:
            out.append((line, len(part), *(float(v) for v in 100 * np.mean(part, axis=0))))
    return Table(name, (name, "clips", *header), out)


def _where(**fields: object) -> Callable[[Row], bool]:
    """Return a test whether a clip has these values."""
    return lambda row: all(row[field] == value for field, value in fields.items())


def _families(rows: list[Row]) -> list[tuple[str, str]]:
    """Return every family of the clips with its name, those in the table above first."""
    found = {r["family"] for r in rows}
    order = [family for family in _FAMILIES if family in found]
    return [(family, _FAMILIES.get(family, family)) for family in [*order, *sorted(found - set(order))]]


def _tempo_lines(rows: list[Row]) -> Lines:
    """Return the lines of the tempo table: loops by cut and family, then tracks by family."""
    families = _families(rows)
    return [
        ("loops, all", _where(kind="loop")),
        *((f"– {name}", _where(kind="loop", cut=cut)) for cut, name in _CUTS.items()),
        *((f"– {name}", _where(kind="loop", family=family)) for family, name in families),
        ("tracks, all", _where(kind="track")),
        *((f"– {name}", _where(kind="track", family=family)) for family, name in families),
    ]


def _key_lines(rows: list[Row]) -> Lines:
    """Return the lines of the key table: families and parts where the notes decide the key, then the rest."""
    return [
        ("all that decide their key", _where(decided=True)),
        *((f"– {name}", _where(decided=True, family=family)) for family, name in _families(rows)),
        *((name, _where(decided=True, content=content)) for content, name in _CONTENTS.items()),
        ("notes that do not decide the key", _where(decided=False)),
        ("all, including those", _where()),
    ]


def _kind_tables(rows: list[Row], answers: Answers) -> Iterator[Table]:
    """Yield how loops, one-shots and textures are told apart, and what is invented."""
    pairs = [(KIND_OF_CLIP[r["kind"]], heard_kind(answers[r["id"]])) for r in rows]
    yield confusion_table("kinds", pairs, KINDS)
    sorts: dict[str, list[str]] = defaultdict(list)
    for r, (truth, heard) in zip(rows, pairs, strict=True):
        if truth == TEXTURE:
            sorts[r["content"]].append(heard)
    header = ("texture", "clips", "called a texture", "called a loop, so a tempo is invented")
    yield Table(
        "textures",
        header,
        [(name, len(h), _share(h, TEXTURE), _share(h, LOOP)) for name, h in sorted(sorts.items())],
    )
    loops = [heard for truth, heard in pairs if truth == LOOP]
    shots = [heard for truth, heard in pairs if truth == ONE_SHOT]
    drums = [answers[r["id"]]["tonal"] >= MIN_TONAL for r in rows if r["content"] == "drums"]
    music = [answers[r["id"]]["tonal"] >= MIN_TONAL for r in rows if r["key"] is not None]
    yield Table(
        "what is invented",
        ("of all clips", "%"),
        [
            ("loop or one-shot, balanced", (_share(loops, LOOP) + 100 - _share(shots, LOOP)) / 2),
            ("a tempo invented for one-shots", _share(shots, LOOP)),
            ("a tempo invented for textures", _share([h for t, h in pairs if t == TEXTURE], LOOP)),
            ("a tempo withheld from loops", 100 - _share(loops, LOOP)),
            ("a key invented for drum loops", float(100 * np.mean(drums))),
            ("a key withheld from music", float(100 - 100 * np.mean(music))),
        ],
    )


def heard_kind(answer: Row) -> str:
    """Return the likeliest kind of an answer."""
    return KINDS[int(np.argmax(answer["kind"]))]


def _share(heard: list[str], kind: str) -> float:
    """Return how many are called a kind, in percent."""
    return 100 * heard.count(kind) / max(len(heard), 1)


def _kind_reliability(rows: list[Row], answers: Answers) -> dict[str, list[tuple[Cell, ...]]]:
    """Return how often a kind of each confidence is right: of all clips, and of what is called a texture."""
    parts = {}
    for title, only in (("kind", KINDS), ("texture", (TEXTURE,))):
        some = [r for r in rows if heard_kind(answers[r["id"]]) in only]
        parts[title] = reliability_rows(
            [max(answers[r["id"]]["kind"]) for r in some],
            [heard_kind(answers[r["id"]]) == KIND_OF_CLIP[r["kind"]] for r in some],
        )
    return parts


if __name__ == "__main__":
    main()
