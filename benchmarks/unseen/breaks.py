"""Half-bar breaks, slow triplets and footwork: beats whose length or subdivision misleads."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.unseen.controls import Control
from benchmarks.unseen.hits import Grid, hat, kick, rim, snare
from benchmarks.unseen.signals import Rng


def half_bar(rng: Rng) -> Control:
    """Return two beats of drums with six to ten hits, 70 to 140 BPM."""
    grid = Grid(round(rng.uniform(70, 140)), 2)
    low, high, top = kick(rng), snare(rng), hat(rng)
    grid.put(low, 0)
    grid.put(high, 1, 0.9)
    steps = int(rng.choice([2, 4]))
    for step in range(2 * steps):
        grid.put(top, step / steps, 0.9 if step % steps == 0 else rng.uniform(0.4, 0.7))
    for at in rng.choice(
        [0.5, 0.75, 1.25, 1.5, 1.75], 10 - 2 - 2 * steps if steps == 2 else 1, replace=False
    ):
        grid.put(low if rng.random() < 0.6 else high, float(at), rng.uniform(0.4, 0.8))
    return grid.y, grid.bpm


def slow_triplets(rng: Rng) -> Control:
    """Return 12/8 at 42 to 58 BPM: three parts a beat, kick on one and three, snare on two and four."""
    grid = Grid(round(rng.uniform(42, 58)), 4 * int(rng.choice([1, 2])))
    low, high, top = kick(rng), snare(rng), hat(rng)
    for bar in range(int(grid.beats / 4)):
        for sound, at in (
            (low, 0),
            (high, 1),
            (low, 2),
            (high, 3),
            (low, float(rng.choice([1 + 2 / 3, 2 + 2 / 3]))),
        ):
            grid.put(sound, bar * 4 + at)
        for third in range(12):
            grid.put(top, bar * 4 + third / 3, 0.8 if third % 3 == 0 else rng.uniform(0.3, 0.6))
    return grid.y, grid.bpm


def footwork(rng: Rng) -> Control:
    """Return footwork at 150 to 165 BPM: kicks in dotted quarters over a snare that keeps the bar."""
    grid = Grid(round(rng.uniform(150, 165)), 8 * int(rng.choice([1, 2])))
    low, high, top, stick = kick(rng), snare(rng), hat(rng), rim(rng)
    for half in range(int(grid.beats / 8)):
        for at in (0, 1.5, 3, 4.5, 6, 7):
            grid.put(low, half * 8 + at)
        for at in (3, 7):
            grid.put(high, half * 8 + at, 0.9)
        for step in range(16):
            grid.put(top, half * 8 + step / 2, 0.3 + 0.4 * (step % 2))
        for at in (0.75, 2.25, 5.25):
            grid.put(stick, half * 8 + at, 0.4)
    return grid.y, grid.bpm


MAKERS: dict[str, Callable[[Rng], Control]] = {
    "half-bar break": half_bar,
    "slow triplets": slow_triplets,
    "footwork": footwork,
}
