"""Real sounds with the class that their makers name, measured by the product."""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

from app.audio.file_report import measure_file
from app.audio.result import Analysis
from benchmarks.alike.kits import kit_hits
from benchmarks.goes_with.composed import PLAIN, composed_layers
from training.installed_sounds import RATE

SONIC_PI = Path("/usr/share/sonic-pi/samples")
LAYERS_OF_INSTRUMENT = 2
SMALL_LIBRARIES = 8
# What a label of the kits, or a word of a sonic-pi name, may be called by the product.
CLASSES: dict[str, tuple[str, ...]] = {
    "kick": ("kick",), "snare": ("snare",), "clap": ("clap",), "stick": ("rim", "percussion"),
    "hat": ("closed hat", "hi-hat"), "open hat": ("open hat",), "tom": ("tom",), "crash": ("cymbal",),
    "ride": ("cymbal",), "bell": ("cymbal", "percussion"), "shaker": ("shaker", "percussion"),
    "hand drum": ("percussion",),
}  # fmt: skip
_NAMES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"^loop_", ("drums", "percussion")), (r"^bd_|kick|^drum_bass", ("kick",)),
    (r"^sn_|snare", ("snare",)), (r"tom", ("tom",)), (r"cymbal_closed|hat", ("closed hat", "hi-hat")),
    (r"cymbal_open", ("open hat", "cymbal")), (r"cymbal|splash", ("cymbal",)), (r"^bass_", ("bass",)),
    (r"^tabla|cowbell|^perc_|triangle|wood", ("percussion",)), (r"^ambi_|^vinyl_", ("", "fx", "pad")),
)  # fmt: skip
_LAYER_CLASSES = {
    "drums": ("drums", "percussion"),
    "bass": ("bass",),
    "chords": ("chords",),
    "melody": ("melody",),
}


@dataclass(frozen=True)
class LabelledSound:
    """A measured sound; `classes` are what its makers say it is, empty where they don't tell."""

    name: str
    source: str
    classes: tuple[str, ...]
    analysis: Analysis


def read_sounds(cache: Path, arrangements: int) -> list[LabelledSound]:
    """Return hits of hydrogen's kits, sonic-pi's samples and composed loops, measured once into a cache."""
    known = _read_cache(cache)
    with cache.open("a") as out:
        hits = [
            (*_measured(known, out, name, path), source, classes) for name, source, classes, path in _files()
        ]
        loops = list(_composed(known, out, cache.parent / "loop.wav", arrangements))
    return [
        LabelledSound(name, source, classes, analysis) for name, analysis, source, classes in [*hits, *loops]
    ]


def _files() -> Iterable[tuple[str, str, tuple[str, ...], Path]]:
    layers, seen = Counter[str](), set[str]()
    for hit in kit_hits():
        layers[hit.instrument] += 1
        if hit.digest not in seen and layers[hit.instrument] <= LAYERS_OF_INSTRUMENT:
            seen.add(hit.digest)
            yield f"{hit.kit} {hit.path.stem}", "hydrogen", CLASSES[hit.label], hit.path
    for path in sorted(SONIC_PI.glob("*.flac")):
        yield path.stem, "sonic-pi", _classes_of_name(path.stem), path


def _classes_of_name(name: str) -> tuple[str, ...]:
    return next((classes for pattern, classes in _NAMES if re.search(pattern, name)), ())


def _measured(known: dict[str, Any], out: Any, name: str, path: Path) -> tuple[str, Analysis]:
    plain = known.get(str(path)) or _note(out, str(path), measure_file(path))
    return name, Analysis.from_dict(plain)


def _composed(
    known: dict[str, Any], out: Any, scratch: Path, count: int
) -> Iterable[tuple[str, Analysis, str, tuple[str, ...]]]:
    for layer in composed_layers(count):
        if layer.version != PLAIN:
            continue
        name = f"{layer.name} {layer.arrangement}"
        plain = known.get(name)
        if plain is None and (sound := layer.play()) is None:
            continue
        if plain is None:
            soundfile.write(scratch, sound, RATE)
            plain = _note(out, name, measure_file(scratch))
        yield name, Analysis.from_dict(plain), "composed", _LAYER_CLASSES[layer.name]


def _note(out: Any, key: str, plain: dict[str, Any]) -> dict[str, Any]:
    out.write(json.dumps({"key": key, "measured": plain}) + "\n")
    out.flush()
    print(f"measured {key}", file=sys.stderr)
    return plain


def _read_cache(cache: Path) -> dict[str, Any]:
    if not cache.exists():
        return {}
    return {line["key"]: line["measured"] for line in map(json.loads, cache.read_text().splitlines())}


def libraries_of(sounds: list[LabelledSound]) -> dict[str, list[list[LabelledSound]]]:
    """Return the libraries to fill from: rich, twelve sounds drawn eight times, drums only, loops only."""
    chance = random.Random(12)
    real = [each for each in sounds if each.source != "composed"]
    return {
        "rich": [sounds],
        "twelve sounds": [chance.sample(real, 12) for _ in range(SMALL_LIBRARIES)],
        "drums only": [[each for each in sounds if each.source == "hydrogen"]],
        "loops only": [[each for each in sounds if each.analysis.kind == "loop"]],
    }
