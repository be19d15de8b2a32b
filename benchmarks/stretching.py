"""Measure how sounds are stretched, beside other tools: `python -m benchmarks.stretching`.

First on generated sounds, whose figures can be told exactly; then ours on the loops of Debian packages, from
25 % slower to 50 % faster. Fails when a length is not exact, when one of our ways misses its bounds, or when
the analysis gives too few of the rendered files the tempo that was asked for.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import numpy as np

from benchmarks.stretch import signals
from benchmarks.stretch.loops import loop_tables, real_loops, stretch_loop
from benchmarks.stretch.methods import SLICES, VOCODER, WHOLE, Stretch, all_ways, processor_s
from benchmarks.tables import Table, add_document_option, show_tables

TARGETS_BPM = (87, 120)
MAX_ATTACK_MS = {SLICES: 1.0, WHOLE: 3.7}
MAX_CENTS, MAX_JITTER_MS, MAX_PROCESSOR_RATIO = 0.5, 0.3, 1.2
MAX_ENERGY_DB, MIN_READ = 0.5, 0.98
SEEDS = 4
Judged = dict[str, dict[str, float]]


def main() -> int:
    """Print the tables; return 1 when a bound of ours is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loops", type=int, default=200, help="real loops at most")
    add_document_option(parser)
    options = parser.parse_args()
    judged = {name: _judge(way) for name, way in all_ways().items()}
    loops = [each for path in real_loops()[: options.loops] for each in stretch_loop(path)]
    show_tables([_generated_table(judged), *loop_tables(loops)], options.document)
    is_clean = all(abs(each.energy_db) <= MAX_ENERGY_DB and not each.jumps for each in loops)
    for each in loops:
        if not each.is_heard():
            said = f"heard {each.heard_bpm}, the file {each.file_bpm}"
            print(f"{each.name} at {each.asked_bpm:.2f} BPM ({each.method}): {said}")
    is_read = bool(np.mean([each.is_read for each in loops]) >= MIN_READ)
    return int(any(_misses(judged)) or not is_clean or not is_read)


def _judge(stretch: Stretch) -> dict[str, float]:
    """Return the worse of the figures for the two tempi; of the hits, the median of some draws."""
    steady, chord = signals.sines((signals.STEADY_HZ,)), signals.sines(signals.CHORD_HZ)
    found: list[dict[str, float]] = []
    for bpm in TARGETS_BPM:
        ratio = signals.BPM / bpm
        frames = round(len(chord) * ratio)
        made = [stretch(signals.hits(seed), frames) for seed in range(SEEDS)]
        hits = [signals.judge_hits(each, ratio) for each in made]
        found.append(
            {
                "frames off": float(max(abs(len(each) - frames) for each in made)),
                "attack ms": float(np.median([each.attack_ms for each in hits])),
                "before dB": float(np.median([each.before_db for each in hits])),
                "timing ms": float(np.median([each.jitter_ms for each in hits])),
                "cents": signals.pitch_error_cents(stretch(chord, frames)),
                "ripple dB": signals.ripple_db(stretch(steady, frames)),
                "ms a second": 1000
                * processor_s(stretch, signals.hits(), frames)
                / (len(chord) / signals.RATE_HZ),
            }
        )
    return {name: max(each[name] for each in found) for name in found[0]}


def _generated_table(judged: Judged) -> Table:
    names = tuple(next(iter(judged.values())))
    places = {name: sorted(row[name] for row in judged.values()) for name in names}
    rows = [
        (way, *(f"{row[name]:.2f} ({places[name].index(row[name]) + 1})" for name in names))
        for way, row in judged.items()
    ]
    return Table("stretched sounds", ("", *names), rows)


def _misses(judged: Judged) -> Iterator[bool]:
    for way, most_ms in MAX_ATTACK_MS.items():
        row = judged[way]
        yield row["frames off"] > 0
        yield row["attack ms"] > most_ms
        yield row["timing ms"] > MAX_JITTER_MS
        yield row["ms a second"] > MAX_PROCESSOR_RATIO * judged[VOCODER]["ms a second"]
    yield judged[WHOLE]["cents"] > MAX_CENTS


if __name__ == "__main__":
    sys.exit(main())
