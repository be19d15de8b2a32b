"""Measure where chops cut drum loops, beside other tools: `python -m benchmarks.chopping`.

The strokes of every loop are known. Half of the loops, with kits and rhythms of their own, were kept back
while the onset detection was made. Fails when the F-measure of ours is below 0.93 or that of another tool
there, or when a cut is neither at a zero crossing nor at the quietest frame.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np

from benchmarks.alike.kits import KIT_ROOT
from benchmarks.chops.detectors import OURS, all_detectors, keep_strongest
from benchmarks.chops.loops import Loop, all_loops
from benchmarks.chops.players import ATTACK, FIRST_SOUND, PACKAGES, RATE_HZ, WRITTEN
from benchmarks.chops.scores import Count, Hit, count_right, group_hits, name_place, offsets_s
from benchmarks.tables import Table, add_document_option, show_tables
from training.installed_sounds import HELD_OUT_SOUNDFONTS, SOUNDFONTS

MIN_F_MEASURE = 0.93
HALVES = {"looked at": False, "kept back": True}
Cuts = dict[str, list[list[tuple[float, float]]]]
"""By detector, for each loop."""


def main() -> int:
    """Print the tables; return 1 when ours misses a bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_document_option(parser)
    options = parser.parse_args()
    if missing := _missing():
        print(f"No {', '.join(map(str, missing))}: apt install {PACKAGES}", file=sys.stderr)
        return 1
    tables, delays_ms = [], dict[str, float]()
    for name, is_kept_back in HALVES.items():
        loops = list(all_loops(is_kept_back))
        cuts = {way: [ask(x.samples, len(_hits(x))) for x in loops] for way, ask in all_detectors().items()}
        delays_ms = delays_ms or {way: _delay_ms(loops, found) for way, found in cuts.items()}
        tables.append(_table(name, loops, cuts, delays_ms))
        places = _count_places(loops, cuts[OURS])
        tables.append(Table(f"places of cuts: {name}", tuple(places), [tuple(places.values())]))
    show_tables(tables, options.document)
    return int(places["elsewhere"] > 0 or _is_behind(loops, cuts, delays_ms))


def _missing() -> list[Path]:
    fonts = [SOUNDFONTS["fluid"], SOUNDFONTS["tim"], *HELD_OUT_SOUNDFONTS.values()]
    return [path for path in (KIT_ROOT, *fonts) if not path.exists()]


def _hits(loop: Loop, beginning: str = ATTACK) -> list[Hit]:
    return group_hits([stroke[beginning] for stroke in loop.strokes], loop.duration_s)


def _delay_ms(loops: list[Loop], found: list[list[tuple[float, float]]]) -> float:
    """Return how late a detector is in the median."""
    off = [o for x, cuts in zip(loops, found, strict=True) for o in offsets_s(_hits(x), [t for t, _ in cuts])]
    return 1000 * float(np.median(off))


def _score(
    loops: list[Loop],
    found: list[list[tuple[float, float]]],
    *,
    beginning: str = ATTACK,
    is_limited: bool = False,
    delay_ms: float = 0.0,
) -> Count:
    """Count the right cuts of a detector over all loops."""
    counts = []
    for loop, cuts in zip(loops, found, strict=True):
        hits = _hits(loop, beginning)
        times = keep_strongest(cuts, len(hits)) if is_limited else [t for t, _ in cuts]
        counts.append(count_right(hits, [t - delay_ms / 1000 for t in times], loop.duration_s))
    return reduce(add, counts)


def _table(half: str, loops: list[Loop], cuts: Cuts, delays_ms: dict[str, float]) -> Table:
    rows = []
    for way, found in cuts.items():
        count = _score(loops, found)
        others = [
            _score(loops, found, is_limited=True),
            _score(loops, found, is_limited=True, delay_ms=delays_ms[way]),
            _score(loops, found, beginning=FIRST_SOUND),
            _score(loops, found, beginning=WRITTEN),
        ]
        shown = (count.precision, count.recall, *(each.f_measure for each in (count, *others)))
        rows.append((way, *(f"{value:.3f}" for value in shown), f"{delays_ms[way]:+.1f}"))
    count = _score(loops, cuts[OURS])
    header = (
        f"{len(loops)} loops, {count.hits} hits", "precision", "recall", "F", "F, as many as hits",
        "and less its delay", "F, hits from 1 %", "F, hits as written", "delay ms",
    )  # fmt: skip
    return Table(f"chops: {half}", header, rows)


def _count_places(loops: list[Loop], found: list[list[tuple[float, float]]]) -> Counter[str]:
    """Count where our cuts are."""
    places = Counter({"crossing": 0, "quietest": 0, "elsewhere": 0})
    for loop, cuts in zip(loops, found, strict=True):
        places.update(name_place(loop.samples, round(time * RATE_HZ), RATE_HZ) for time, _ in cuts)
    return places


def _is_behind(loops: list[Loop], cuts: Cuts, delays_ms: dict[str, float]) -> bool:
    """Return whether ours is below the bound, or below another tool at its best."""
    best = {
        way: max(
            _score(loops, found).f_measure,
            _score(loops, found, is_limited=True, delay_ms=delays_ms[way]).f_measure,
        )
        for way, found in cuts.items()
        if way != OURS
    }
    ours = _score(loops, cuts[OURS]).f_measure
    return ours < max(MIN_F_MEASURE, *best.values(), 0.0)


if __name__ == "__main__":
    sys.exit(main())
