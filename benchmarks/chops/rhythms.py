"""Drum parts with every stroke known: written ones, and those that the training's composer plays.

A written part has one string for each drum of the kit, a sign for each sixteenth: digits are loudness, dots
are rests, and `f` is a flam: a soft stroke 30 ms before a loud one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.compose import Note
from training.drum_patterns import STYLES, drum_hits

FLAM_S, FLAM_SOFT, FLAM_LOUD = 0.03, 0.45, 0.9
BEATS_A_BAR, STEPS_A_BEAT = 4, 4
# The composer's lanes by the drums of a kit.
LANES = {"ohat": "open hat", "perc": "hand drum", "cymbal": "ride"}


@dataclass(frozen=True)
class Stroke:
    """One stroke: when, on which drum, and how hard, 0 to 1."""

    time_s: float
    drum: str
    force: float


@dataclass(frozen=True)
class Rhythm:
    """A drum part, with bass and chords beside it or without."""

    name: str
    bpm: float
    beats: int
    strokes: tuple[Stroke, ...]
    bass: tuple[Note, ...] = ()
    chords: tuple[Note, ...] = ()

    @property
    def duration_s(self) -> float:
        """The length in seconds."""
        return self.beats * 60 / self.bpm


# name: tempo, swing from 0 (straight) to 1 (triplets), what plays beside it, and the drums
Written = tuple[float, float, str, dict[str, str]]
TUNED_ON: dict[str, Written] = {
    "sixteenths": (96, 0.0, "", {
        "kick": "9.....7...9.....9..7..9...9.....", "snare": "....9.......9.......9..2.2..9..3",
        "hat": "7354735473547354735473547354735."}),
    "flams": (88, 0.0, "", {
        "kick": "9.......9.9.....9.....9.9.......", "snare": "....f.......9.......f.......f..3",
        "hat": "7.5.7.5.7.5.7.5.7.5.7.5.7.5.7.5."}),
    "open hats": (122, 0.0, "bass", {
        "kick": "9...9...9...9...9...9...9...9..5", "clap": "....9.......9.......9.......9...",
        "hat": "5.3.5.3.5.3.5.3.5.3.5.3.5.3.5.3.", "open hat": "..8...8...8...8...8...8...8...8."}),
    "swung": (84, 0.7, "bass chords", {
        "kick": "9......5..9.....9..5......9..5..", "snare": "....9.......9..2....9..2....9...",
        "hat": "7.577.577.577.577.577.577.577.57"}),
    "ghosts": (104, 0.15, "", {
        "kick": "9.9.......9..9..9..9..9...9.....", "snare": "....9..2.2.29..2....9..2.3..9.2.",
        "hat": "7.5.7.5.7.5.7.5.7.5.7.5.7.5.7.5."}),
    "pads beside": (92, 0.0, "chords", {
        "kick": "9.....9...9.....9.....9.9.......", "snare": "....9.......9.......9.......9..3",
        "hat": "6.6.6.6.6.6.6.6.6.6.6.6.6.6.6.6."}),
}  # fmt: skip
KEPT_BACK: dict[str, Written] = {
    "fast sixteenths": (128, 0.0, "", {
        "kick": "9...9...9...9...9...9...9..59...", "clap": "....9.......9.......9.......9...",
        "hat": "4575457545754575457545754575457.", "rim": "..........5.............5..5...."}),
    "drags": (78, 0.25, "", {
        "kick": "9......9..5.....9......9..5..7..", "snare": "....f..2....f..2....f..2.2..f...",
        "hat": "7.577.5.7.577.5.7.577.5.7.577.57"}),
    "ride and ghosts": (112, 0.4, "bass", {
        "kick": "9.....5...9.....9.....5.9.......", "snare": "....8..2.2..8..2....8.2..2..8..3",
        "ride": "7.5.7.577.5.7.577.5.7.577.5.7.57"}),
    "toms": (132, 0.0, "chords", {
        "kick": "9.......9.......9.......9.......", "snare": "....9.......9.......9...........",
        "hat": "7.7.7.7.7.7.7.7.7.7.7.7.........", "tom": "........................9.7.9787"}),
    "open and closed": (98, 0.0, "bass chords", {
        "kick": "9..5....9.9.....9..5....9.......", "snare": "....9.......9.......9.......9..4",
        "hat": "7.5.7...7.5.7...7.5.7...7.5.7...", "open hat": "......8.......8.......8.......8."}),
    "half time": (142, 0.0, "bass", {
        "kick": "9.....9...........9...9.........", "snare": "........9...............9.......",
        "hat": "7.7.7.777.7.7.7.7.7.7.777.7.7777"}),
}  # fmt: skip


def written_rhythm(name: str, part: Written) -> Rhythm:
    """Return a written part of two bars, with what plays beside it."""
    bpm, swing, beside, drums = part
    beats = len(next(iter(drums.values()))) // STEPS_A_BEAT
    strokes = [
        stroke
        for drum, line in drums.items()
        for step, sign in enumerate(line)
        for stroke in _strokes(sign, _time_s(step, bpm, swing), drum)
    ]
    bass = [(0.0, 1.5, 33, 100), (2.5, 0.5, 33, 90), (4.0, 1.5, 36, 100), (6.5, 1.0, 31, 95)]
    chords = [
        (bar * 4.0, 3.9, pitch, 75) for bar in (0, 1) for pitch in ((57, 60, 64) if bar else (53, 57, 60))
    ]
    return Rhythm(
        name,
        bpm,
        beats,
        tuple(sorted(strokes, key=lambda each: each.time_s)),
        tuple(bass) if "bass" in beside else (),
        tuple(chords) if "chords" in beside else (),
    )


def _time_s(step: int, bpm: float, swing: float) -> float:
    late = swing * (1 / 6 * 0.5) if step % 2 else 0.0
    return (step / STEPS_A_BEAT + late) * 60 / bpm


def _strokes(sign: str, time_s: float, drum: str) -> list[Stroke]:
    """Return the strokes of one sign."""
    if sign == ".":
        return []
    if sign == "f":
        return [Stroke(time_s - FLAM_S, drum, FLAM_SOFT), Stroke(time_s, drum, FLAM_LOUD)]
    return [Stroke(time_s, drum, int(sign) / 9)]


def composed_rhythms(is_kept_back: bool) -> list[Rhythm]:
    """Return two bars of each of the composer's styles in 4/4, with its own swing, looseness and mistakes.

    Every second style is kept back.
    """
    rng = np.random.default_rng(404 + is_kept_back)
    names = [name for name in STYLES if name != "waltz"][int(is_kept_back) :: 2]
    made = []
    for name in names:
        slow, fast = STYLES[name][0]
        bpm = round(float(rng.uniform(slow, fast)), 1)
        lanes, _ = drum_hits(rng, name, 2, BEATS_A_BAR)
        strokes = [
            Stroke(beat * 60 / bpm, LANES.get(lane, lane), gain)
            for lane, row in lanes.items()
            for beat, gain in row
        ]
        made.append(Rhythm(name, bpm, 2 * BEATS_A_BAR, tuple(sorted(strokes, key=lambda each: each.time_s))))
    return made
