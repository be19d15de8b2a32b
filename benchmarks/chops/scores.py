"""Compare cuts with the strokes that were played."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ONE_HIT_S = 0.06
"""Strokes that follow the first one within this are one hit: no cuts are nearer."""

TOLERANCE_S = 0.005
CROSSING_REACH_S = 0.002

Hit = tuple[float, ...]
"""When the strokes of one hit begin, in seconds."""


@dataclass(frozen=True)
class Count:
    """How many hits and cuts there are, and how many cuts are at hits."""

    hits: int = 0
    cuts: int = 0
    right: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.hits + other.hits, self.cuts + other.cuts, self.right + other.right)

    @property
    def precision(self) -> float:
        """The share of cuts that are at a hit."""
        return self.right / max(self.cuts, 1)

    @property
    def recall(self) -> float:
        """The share of hits that have a cut."""
        return self.right / max(self.hits, 1)

    @property
    def f_measure(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.right / max(self.hits + self.cuts, 1)


def group_hits(strokes_s: Sequence[float], duration_s: float) -> list[Hit]:
    """Return the hits that can be cut at; those within 60 ms of the start or the end are left out."""
    groups: list[list[float]] = []
    for time in sorted(strokes_s):
        if groups and time - groups[-1][0] < ONE_HIT_S:
            groups[-1].append(time)
        else:
            groups.append([time])
    return [tuple(g) for g in groups if g[0] >= ONE_HIT_S and g[-1] <= duration_s - ONE_HIT_S]


def count_right(hits: Sequence[Hit], cuts_s: Sequence[float], duration_s: float) -> Count:
    """Count the hits that have a cut within 5 ms of one of their strokes; each cut counts once.

    Cuts within the first and last 60 ms are left out, as hits there are.
    """
    margin = ONE_HIT_S - TOLERANCE_S
    cuts = sorted(cut for cut in cuts_s if margin <= cut <= duration_s - margin)
    free, right = set(range(len(cuts))), 0
    for hit in hits:
        near = [(min(abs(cuts[i] - stroke) for stroke in hit), i) for i in free]
        if near and min(near)[0] <= TOLERANCE_S:
            free.discard(min(near)[1])
            right += 1
    return Count(len(hits), len(cuts), right)


def offsets_s(hits: Sequence[Hit], cuts_s: Sequence[float], reach_s: float = 0.03) -> list[float]:
    """Return how far cuts are behind the nearest stroke, of those that have one within 30 ms."""
    strokes = np.array([stroke for hit in hits for stroke in hit])
    if not strokes.size:
        return []
    nearest = [cut - strokes[np.argmin(np.abs(strokes - cut))] for cut in cuts_s]
    return [float(off) for off in nearest if abs(off) <= reach_s]


def name_place(samples: np.ndarray, cut: int, rate_hz: int) -> str:
    """Return where a cut of samples, shape (frames, channels), is: "crossing", "quietest" or "elsewhere".

    At a crossing, the mean of the channels or one of them is zero or has just changed its sign. The quietest
    frame is so within 4 ms around or beside the cut, and no crossing is in them.
    """
    signals = [samples.mean(axis=1), *samples.T]
    if any(s[cut] == 0 or np.sign(s[cut]) != np.sign(s[max(cut - 1, 0)]) for s in signals):
        return "crossing"
    reach = round(CROSSING_REACH_S * rate_hz)
    return "quietest" if any(_is_quietest(s, cut, reach) for s in signals) else "elsewhere"


def _is_quietest(signal: np.ndarray, cut: int, reach: int) -> bool:
    """Return whether the cut is the quietest of some 2 * `reach` + 1 samples of one sign that it is among."""
    level = np.where((signal < 0) == (signal[cut] < 0), np.abs(signal), 0)  # another sign is a crossing
    lowest, highest = cut, cut
    while lowest > max(cut - 2 * reach, 0) and level[lowest - 1] >= level[cut]:
        lowest -= 1
    while highest < min(cut + 2 * reach, len(level) - 1) and level[highest + 1] >= level[cut]:
        highest += 1
    return highest - lowest >= 2 * reach
