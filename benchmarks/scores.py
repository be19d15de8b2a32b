"""Score answers for tempo, key and note as the literature does."""

from __future__ import annotations

Score = tuple[float, ...]

TEMPO_SCORES = ("±4 %", "±1 %", "±0.5 BPM", "any octave")
KEY_SCORES = ("exact", "MIREX")
NOTE_SCORES = ("pitch class", "octave too")


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


def note_score(heard: float | None, truth: float) -> Score:
    """Return whether a note's pitch class is right, and whether its octave is right too."""
    if heard is None:
        return (0, 0)
    return (abs((heard - truth + 6) % 12 - 6) < 0.5, abs(heard - truth) < 0.5)
