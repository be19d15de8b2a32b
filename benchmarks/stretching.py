"""Measure how sounds are stretched, beside other tools: `python -m benchmarks.stretching`.

First on generated sounds, whose figures can be told exactly; then ours on the loops of Debian packages, from
25 % slower to 50 % faster. Fails when a length is not exact, or when one of our ways misses its bounds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from app.audio.analyzer import analyze_sound
from app.audio.decoding.decoder import decode_file
from app.audio.decoding.scratch_file import SampleSource
from app.audio.errors import UnreadableAudio
from app.audio.file_report import measure_decoded
from app.audio.render.fitting import fit_recipe
from app.audio.render.recipe import SLICES as BY_SLICES
from app.audio.render.recipe import RenderRecipe
from app.audio.render.renderer import Rendered, render
from app.audio.result import Analysis
from benchmarks.stretch import signals
from benchmarks.stretch.methods import SLICES, VOCODER, WHOLE, Stretch, all_ways, processor_s
from benchmarks.tables import Table, add_document_option, show_tables

FOLDERS = (Path("/usr/share/sonic-pi/samples"), Path("/usr/share/lmms/samples/beats"))
TARGETS_BPM = (87, 120)
CHANGES_PERCENT = (-25, -10, 10, 25, 50)
MAX_ATTACK_MS = {SLICES: 1.0, WHOLE: 4.0}
MAX_CENTS, MAX_JITTER_MS, MAX_PROCESSOR_RATIO = 0.5, 0.3, 1.2
JUMP_FACTOR, MAX_ENERGY_DB, TEMPO_ERROR = 1.5, 0.5, 0.001
SEEDS = 4
Judged = dict[str, dict[str, float]]
Made = tuple[np.ndarray, Rendered]


@dataclass(frozen=True)
class Stretched:
    """One real loop at one tempo: samples that jump too far, change of energy, and whether the ear agrees."""

    method: str
    jumps: int
    energy_db: float
    is_right: bool
    is_octave: bool


def main() -> int:
    """Print the tables; return 1 when a bound of ours is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loops", type=int, default=200, help="real loops at most")
    add_document_option(parser)
    options = parser.parse_args()
    judged = {name: _judge(way) for name, way in all_ways().items()}
    loops = [each for path in _real_loops()[: options.loops] for each in _stretch_loop(path)]
    show_tables([_generated_table(judged), _loop_table(loops)], options.document)
    return int(any(_misses(judged)) or any(abs(each.energy_db) > MAX_ENERGY_DB for each in loops))


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


def _real_loops() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted(folder.glob("*")) if _may_be_loop(path)]


def _may_be_loop(path: Path) -> bool:
    return path.name.startswith("loop_") or "beats" in path.parts


def _stretch_loop(path: Path) -> Iterator[Stretched]:
    """Yield a loop at each tempo; nothing for a sound without one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            decoded = decode_file(path, folder)
        except UnreadableAudio:
            return
        analysis = measure_decoded(decoded, "neutral.wav")
        if analysis.bpm is None:
            return
        plain = _render(decoded.samples, decoded.sample_rate, RenderRecipe(), folder)
        for percent in CHANGES_PERCENT:
            asked = analysis.bpm * (1 + percent / 100)
            recipe = fit_recipe(RenderRecipe(bpm=asked), analysis)
            made = _render(decoded.samples, decoded.sample_rate, recipe, folder)
            yield _judge_loop(plain, made, recipe, analysis)


def _render(sound: SampleSource, rate: int, recipe: RenderRecipe, folder: Path) -> Made:
    target = folder / "made.wav"
    done = render(sound, rate, recipe, target, folder)
    samples, _ = soundfile.read(target, dtype="float32", always_2d=True)
    return samples / 10 ** (done.wav.gain_db / 20), done


def _judge_loop(plain: Made, made: Made, recipe: RenderRecipe, analysis: Analysis) -> Stretched:
    (before, _), (after, done) = plain, made
    most = JUMP_FACTOR * np.percentile(_jumps(before), 99.99)
    is_far = _jumps(after) > most
    for time, _ in analysis.onsets:
        at = round(time * signals.RATE_HZ * done.length.ratio)
        is_far[max(at - 960, 0) : at + 1440] = False
    energy = 10 * np.log10(np.square(after).mean() / np.square(before).mean())
    if recipe.method == BY_SLICES:
        energy += 10 * np.log10(done.length.ratio)  # as many hits, in another time
    heard, asked = analyze_sound(after, signals.RATE_HZ).bpm or 0.0, done.length.bpm or 1.0
    off = [abs(heard * k / asked - 1) for k in (1, 0.5, 2)]
    return Stretched(
        recipe.method, int(is_far.sum()), float(energy), off[0] <= TEMPO_ERROR, min(off) <= TEMPO_ERROR
    )


def _jumps(sound: np.ndarray) -> np.ndarray:
    return np.abs(np.diff(sound, axis=0)).max(axis=1)


def _loop_table(loops: list[Stretched]) -> Table:
    header = ("way", "loops", "with a jump", "most energy dB", "tempo measured %", "or its half or double %")
    rows = []
    for method in sorted({each.method for each in loops}):
        own = [each for each in loops if each.method == method]
        rows.append(
            (
                method,
                len(own),
                sum(each.jumps > 0 for each in own),
                f"{max((each.energy_db for each in own), key=abs):+.2f}",
                100 * float(np.mean([each.is_right for each in own])),
                100 * float(np.mean([each.is_octave for each in own])),
            )
        )
    return Table("stretched loops", header, rows)


if __name__ == "__main__":
    sys.exit(main())
