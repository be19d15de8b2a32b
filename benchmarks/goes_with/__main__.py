"""Measure if the fit score puts layers of one arrangement above foreign ones: python -m benchmarks.goes_with.

A pair counts when a layer goes better with another layer of its own arrangement, as it is, transposed by up
to 2 semitones or at a tempo 3 to 10 % away, than with that layer of a foreign one.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import soundfile

from app.audio.file_report import measure_file
from app.audio.goes_with import SoundPart, pair_fit, part_of_measurement
from app.music.key_fit import key_fit
from benchmarks.goes_with.composed import LAYERS, PLAIN, RETIMED, TRANSPOSED, VERSIONS, Layer, composed_layers
from benchmarks.tables import Table, add_document_option, show_tables
from training.installed_sounds import RATE

FITTED_ON = 20
"""The weights were fitted on the arrangements before this one; they are not scored."""
TARGETS = {PLAIN: 85.0, TRANSPOSED: 80.0, RETIMED: 80.0}

Score = Callable[[SoundPart, SoundPart], float]
Parts = dict[tuple[str, int, str], SoundPart]


def main() -> int:
    """Print the table; return 1 when the fit score misses a target."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--arrangements", type=int, default=40)
    parser.add_argument("--cache", type=Path, help="keep measurements in this file, and use those in it")
    add_document_option(parser)
    options = parser.parse_args()
    if options.arrangements < FITTED_ON + 2:
        parser.error(f"--arrangements: at least {FITTED_ON + 2}, as the first {FITTED_ON} are not scored")
    parts = _measure(composed_layers(options.arrangements), options.cache)
    chance = random.Random(1)
    scores: dict[str, Score] = {
        "random": lambda one, other: chance.random(),
        "key only": lambda one, other: key_fit(one.key, other.key),
        "fit score": lambda one, other: pair_fit(one, other).total,
    }
    shares = {
        name: _shares(parts, range(FITTED_ON, options.arrangements), score) for name, score in scores.items()
    }
    title = f"score, {options.arrangements - FITTED_ON} arrangements"
    rows = [(name, *(found[version] for version in VERSIONS)) for name, found in shares.items()]
    show_tables([Table("goes with", (title, *VERSIONS), rows)], options.document)
    return int(any(shares["fit score"][version] < least for version, least in TARGETS.items()))


def _measure(layers: Iterable[Layer], cache: Path | None) -> Parts:
    known: dict[str, Any] = {}
    if cache is not None and cache.exists():
        known = {line["key"]: line["measured"] for line in map(json.loads, cache.read_text().splitlines())}
    parts: Parts = {}
    with TemporaryDirectory() as folder:
        for layer in layers:
            key = f"{layer.arrangement} {layer.name} {layer.version}"
            if key not in known and (sound := layer.play()) is not None:
                path = Path(folder) / "loop.wav"
                soundfile.write(path, sound, RATE)
                known[key] = measure_file(path)
                _keep(cache, key, known[key])
            if key in known:
                parts[layer.version, layer.arrangement, layer.name] = _as_part(known[key])
    return parts


def _keep(cache: Path | None, key: str, measured: dict[str, Any]) -> None:
    print(f"measured {key}", file=sys.stderr)
    if cache is not None:
        with cache.open("a") as out:
            out.write(json.dumps({"key": key, "measured": measured}) + "\n")


def _as_part(m: dict[str, Any]) -> SoundPart:
    return part_of_measurement(m, m["kind"], m["sound"], m["bpm"], m["key"])


def _shares(parts: Parts, arrangements: range, score: Score) -> dict[str, float]:
    """Return in how many pairs the own layer is above the foreign one, in percent; ties count half."""
    return {version: 100 * _share(parts, arrangements, version, score) for version in VERSIONS}


def _share(parts: Parts, arrangements: range, version: str, score: Score) -> float:
    won, pairs = 0.0, 0
    for own in arrangements:
        for name, other in ((a, b) for a in LAYERS for b in LAYERS if a != b):
            query, mate = parts.get((PLAIN, own, name)), parts.get((version, own, other))
            if query is None or mate is None:
                continue
            mine = score(query, mate)
            foreign = (parts.get((version, each, other)) for each in arrangements if each != own)
            theirs = [score(query, part) for part in foreign if part is not None]
            won += sum(1.0 if mine > each else 0.5 if mine == each else 0.0 for each in theirs)
            pairs += len(theirs)
    return won / pairs


if __name__ == "__main__":
    sys.exit(main())
