# Tables of musical rules are easiest to read with one case on each line, however long it gets.
# ruff: noqa: E501 - for that reason
"""Draw chord progressions from a table or by function, and tell whether the notes played decide the key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

Chord = tuple[int, str]  # semitones above the tonic, quality

MINOR_PROGRESSIONS = [
    [0], [0, 8, 3, 10], [0, 5, 7, 0], [0, 10, 8, 10], [0, 8], [0, 5], [0, 10], [0, 8, 10, 0], [0, 3, 10, 5], [0, 5, 8, 7],
    [0, 0, 8, 10], [8, 10, 0, 0], [0, 10, 5, 8], [5, 0, 7, 0], [0, 7], [0, 3, 8, 10], [0, 0, 5, 5], [0, 8, 5, 7], [8, 3, 10, 0], [0, 1],
]  # fmt: skip
MAJOR_PROGRESSIONS = [
    [0], [0, 7, 9, 5], [0, 5, 7, 0], [0, 9, 5, 7], [0, 5], [2, 7, 0, 0], [0, 10, 5, 0], [5, 7, 0, 9], [0, 4, 5, 7], [0, 7, 5, 5],
    [0, 9, 2, 7], [5, 0, 7, 0], [0, 2], [0, 0, 5, 7], [9, 5, 0, 7], [0, 7], [0, 5, 0, 7], [5, 5, 0, 0], [0, 5, 9, 7], [0, 10],
]  # fmt: skip
_MINOR_QUALITY = {0: "m", 1: "", 2: "d", 3: "", 5: "m", 7: "m", 8: "", 10: ""}
_MAJOR_QUALITY = {0: "", 2: "m", 4: "m", 5: "", 7: "", 9: "m", 10: "", 11: "d"}
TRIADS = {"": (0, 4, 7), "m": (0, 3, 7), "d": (0, 3, 6)}

# Which chords tend to follow a chord, by function: root and quality, with weights.
NEXT_CHORDS: dict[bool, dict[Chord, dict[Chord, float]]] = {
    False: {
        (0, ""): {(5, ""): 4, (7, ""): 4, (9, "m"): 3, (2, "m"): 2, (4, "m"): 1.5, (10, ""): 0.7, (5, "m"): 0.3, (2, ""): 0.3},
        (2, "m"): {(7, ""): 6, (5, ""): 2, (0, ""): 2, (4, "m"): 1},
        (2, ""): {(7, ""): 4, (5, ""): 1, (0, ""): 1},
        (4, "m"): {(9, "m"): 3, (5, ""): 4, (2, "m"): 1},
        (5, ""): {(0, ""): 5, (7, ""): 5, (2, "m"): 1, (9, "m"): 1, (5, "m"): 0.6},
        (5, "m"): {(0, ""): 4, (7, ""): 1},
        (7, ""): {(0, ""): 7, (9, "m"): 2, (5, ""): 3, (2, "m"): 0.7},
        (9, "m"): {(5, ""): 5, (2, "m"): 3, (7, ""): 3, (4, "m"): 1, (0, ""): 1},
        (10, ""): {(5, ""): 4, (0, ""): 3},
    },
    True: {
        (0, "m"): {(8, ""): 4, (10, ""): 4, (5, "m"): 4, (3, ""): 2, (7, "m"): 1.5, (7, ""): 1.5, (5, ""): 0.5, (1, ""): 0.4},
        (1, ""): {(0, "m"): 4, (10, ""): 1},
        (3, ""): {(10, ""): 3, (8, ""): 3, (5, "m"): 2, (0, "m"): 1},
        (5, "m"): {(0, "m"): 5, (7, ""): 2, (7, "m"): 2, (10, ""): 2, (8, ""): 1},
        (5, ""): {(0, "m"): 4, (10, ""): 1},
        (7, "m"): {(0, "m"): 4, (8, ""): 3, (5, "m"): 2, (10, ""): 1},
        (7, ""): {(0, "m"): 7, (8, ""): 1},
        (8, ""): {(10, ""): 5, (3, ""): 3, (7, ""): 2, (7, "m"): 1, (5, "m"): 2, (0, "m"): 2},
        (10, ""): {(0, "m"): 5, (8, ""): 3, (3, ""): 2, (5, "m"): 1, (7, "m"): 1},
    },
}  # fmt: skip
_FIRST_CHORDS = {
    False: {(5, ""): 3, (9, "m"): 1, (2, "m"): 2, (7, ""): 1},
    True: {(8, ""): 3, (5, "m"): 2, (10, ""): 1},
}


@dataclass(frozen=True)
class Harmony:
    """A key and its chords, as (semitones above the tonic, quality), each `beats_per_chord` long."""

    tonic: int
    minor: bool
    chords: tuple[Chord, ...]
    beats_per_chord: float
    seventh: bool

    @property
    def key(self) -> int:
        """The key: 0 to 11 for major, 12 to 23 for minor."""
        return self.tonic + 12 * self.minor


def table_harmony(rng: np.random.Generator, tonic: int, minor: bool, beats_per_bar: int) -> Harmony:
    """Draw a progression of the mode from the tables."""
    roots = (MINOR_PROGRESSIONS if minor else MAJOR_PROGRESSIONS)[rng.integers(20)]
    chords = _add_qualities(roots, minor)
    if minor and rng.random() < 0.25:
        chords = [(r, "" if r == 7 else q) for r, q in chords]
    if minor and rng.random() < 0.12:
        chords = [(r, "" if r == 5 else q) for r, q in chords]
    return Harmony(
        tonic, minor, tuple(chords), _draw_chord_beats(rng, beats_per_bar), bool(rng.random() < 0.35)
    )


def functional_harmony(rng: np.random.Generator, tonic: int, minor: bool, beats_per_bar: int) -> Harmony:
    """Draw a progression by which chord tends to follow which, so that a model cannot memorise a table.

    Four in five begin on the tonic chord, as loops do. Every one contains it.
    """
    home, length = (0, "m" if minor else ""), int(rng.choice([2, 3, 4, 4, 4, 8]))
    while True:
        chords = [home if rng.random() < 0.8 else _draw_chord(rng, _FIRST_CHORDS[minor])]
        while len(chords) < length:
            chords.append(
                chords[-1] if rng.random() < 0.12 else _draw_chord(rng, NEXT_CHORDS[minor][chords[-1]])
            )
        if home in chords and len(set(chords)) > 1:
            return Harmony(
                tonic, minor, tuple(chords), _draw_chord_beats(rng, beats_per_bar), bool(rng.random() < 0.35)
            )


def _draw_chord(rng: np.random.Generator, weights: dict[Chord, float]) -> Chord:
    """Draw a chord by weight."""
    share = np.array(list(weights.values()))
    return list(weights)[rng.choice(len(share), p=share / share.sum())]


def _draw_chord_beats(rng: np.random.Generator, beats_per_bar: int) -> float:
    """Draw how many beats a chord lasts: half a bar to two bars in 4/4, else a bar."""
    return (
        beats_per_bar * float(rng.choice([0.5, 1, 1, 1, 2])) if beats_per_bar == 4 else float(beats_per_bar)
    )


def _add_qualities(roots: Iterable[int], minor: bool) -> list[Chord]:
    """Return the roots with the qualities they have in the mode."""
    return [(r, (_MINOR_QUALITY if minor else _MAJOR_QUALITY)[r]) for r in roots]


def chord_at(h: Harmony, beat: float) -> tuple[int, tuple[int, ...]]:
    """Return the root of the chord that sounds at a beat, and its tones above the root."""
    root, quality = h.chords[int(beat // h.beats_per_chord) % len(h.chords)]
    tones: tuple[int, ...] = TRIADS[quality]
    if h.seventh:
        tones = (*tones, 11 if quality == "" and (root in (0, 5) or (h.minor and root in (3, 8))) else 10)
    return h.tonic + root, tones


def decides_key(h: Harmony, beats: float, pitches: dict[str, list[int]]) -> bool:
    """Return whether the notes played tell the key to a listener who can hear each of them.
     `pitches` are those of each tonal part that sounds, in order. The tonic and the third above it have to
    sound. A bass or a melody alone has to begin or end on the tonic. Chords decide the key when they begin on
    the tonic chord, or when they are not a progression of another key that begins on its tonic chord: Am F C
    G is A minor to one listener and C major to the next, whatever the composer meant.
    """
    heard = {p % 12 for part in pitches.values() for p in part}
    if not {h.tonic % 12, (h.tonic + 4 - h.minor) % 12} <= heard:
        return False
    if "chords" in pitches:
        chords = [h.chords[i % len(h.chords)] for i in range(max(1, int(np.ceil(beats / h.beats_per_chord))))]
        return chords[0][0] == 0 or not _fits_other_key(chords)
    return any(part[at] % 12 == h.tonic % 12 for part in pitches.values() for at in (0, -1))


def _fits_other_key(chords: list[Chord]) -> bool:
    """Return whether the chords are also a progression of another key that begins on its tonic chord."""
    first = chords[0][0]
    moved = [((r - first) % 12, q) for r, q in chords]
    for minor, table in ((False, MAJOR_PROGRESSIONS), (True, MINOR_PROGRESSIONS)):
        for roots in table:
            other = _add_qualities(roots, minor)
            if roots[0] == 0 and all(c == other[i % len(other)] for i, c in enumerate(moved)):
                return True
    return False
