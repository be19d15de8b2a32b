"""Say in a few words why two sounds are alike, and how they differ.

It loads no numerical library: the web process says it of each row it shows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.audio.similarity import layout
from app.music.sound_classes import LOOP

# Distances within a block. Of hits whose bodies are nearer than the first, nine in ten are of
# one class and half of one instrument; nearer than the second, eight in ten are of one class. Copies of a
# loop lie below the first rhythm and harmony, hardly any other loop does.
SAME: Mapping[str, float] = {layout.BODY: 0.4, layout.RHYTHM: 0.5, layout.HARMONY: 0.2}
NEAR: Mapping[str, float] = {layout.BODY: 0.6, layout.RHYTHM: 1.1, layout.HARMONY: 0.35}
MIN_BRIGHTNESS, MIN_NOISINESS = 5.0, 10.0
MIN_LENGTH_RATIO = 1.3
MIN_ATTACK_RATIO, MIN_ATTACK_MS = 2.0, 5.0
SAME_TEMPO_RATIO = 1.01
# A harmony shorter than this is that of drums.
MIN_HARMONY = 0.3
MAX_WORDS = 4


@dataclass(frozen=True, slots=True)
class Figures:
    """The measured figures of a sound that a reason can name; see `result.Analysis`."""

    kind: str
    duration_s: float
    brightness: float | None
    noisiness: float | None
    attack_ms: float | None
    bpm: float | None
    key: str | None


def block_distances(a: Sequence[float], b: Sequence[float]) -> dict[str, float]:
    """Return the distance of two vectors in each block of `layout.BLOCKS`, unweighted.

    Parameters
    ----------
    a, b : sequence of float
        Of length `layout.LENGTH`.
    """
    return {name: math.dist(a[place], b[place]) for name, place in layout.BLOCKS.items()}


def explain_match(
    query: Figures, other: Figures, query_vector: Sequence[float], other_vector: Sequence[float]
) -> tuple[str, ...]:
    """Return why another sound is like the query and how it differs: "same body", "brighter", "shorter".

    At most `MAX_WORDS` parts, first what is alike, then what differs clearly. The differences are told of the
    other sound: "brighter" means brighter than the query. Empty when nothing stands out.

    Parameters
    ----------
    query, other : Figures
    query_vector, other_vector : sequence of float
        Of length `layout.LENGTH`, of the same version.
    """
    apart = block_distances(query_vector, other_vector)
    alike = [_name_likeness(layout.BODY, apart)]
    if query.kind == other.kind == LOOP:
        alike.append(_name_likeness(layout.RHYTHM, apart))
        if _has_harmony(query_vector) and _has_harmony(other_vector):
            alike.append(_name_likeness(layout.HARMONY, apart))
    differences = [
        _name_difference(query.brightness, other.brightness, MIN_BRIGHTNESS, ("brighter", "darker")),
        _name_ratio(query.duration_s, other.duration_s, MIN_LENGTH_RATIO, ("longer", "shorter")),
        _name_attack(query, other),
        _name_difference(query.noisiness, other.noisiness, MIN_NOISINESS, ("noisier", "cleaner")),
        *(_name_music(query, other) if query.kind == other.kind == LOOP else ()),
    ]
    return tuple(part for part in (*alike, *differences) if part)[:MAX_WORDS]


def _name_likeness(block: str, apart: Mapping[str, float]) -> str | None:
    if apart[block] <= SAME[block]:
        return f"same {block}"
    return f"similar {block}" if apart[block] <= NEAR[block] else None


def _has_harmony(vector: Sequence[float]) -> bool:
    return math.hypot(*vector[layout.BLOCKS[layout.HARMONY]]) >= MIN_HARMONY


def _name_difference(
    query: float | None, other: float | None, least: float, names: tuple[str, str]
) -> str | None:
    """Return the first name if the other figure is greater by the least difference, the second if smaller."""
    if query is None or other is None or abs(other - query) < least:
        return None
    return names[0] if other > query else names[1]


def _name_ratio(query: float, other: float, least: float, names: tuple[str, str]) -> str | None:
    """Return the first name if the other figure is greater by the least ratio, the second if smaller."""
    if min(query, other) <= 0 or max(query, other) < least * min(query, other):
        return None
    return names[0] if other > query else names[1]


def _name_attack(query: Figures, other: Figures) -> str | None:
    """Return how the attack of the other sound differs, if it does clearly."""
    if query.attack_ms is None or other.attack_ms is None:
        return None
    low, high = sorted((query.attack_ms, other.attack_ms))
    if high - low < MIN_ATTACK_MS or high < MIN_ATTACK_RATIO * low:
        return None
    return "softer attack" if other.attack_ms > query.attack_ms else "sharper attack"


def _name_music(query: Figures, other: Figures) -> tuple[str | None, ...]:
    """Return how tempo and key of two loops compare."""
    tempo = key = None
    if query.bpm and other.bpm:
        tempo = _name_ratio(query.bpm, other.bpm, SAME_TEMPO_RATIO, ("faster", "slower")) or "same tempo"
    if query.key and other.key:
        key = "same key" if query.key == other.key else "other key"
    return tempo, key
