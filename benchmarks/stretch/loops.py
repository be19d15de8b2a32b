"""Real loops of Debian packages at other tempi, and what is judged of them."""

from __future__ import annotations

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
from app.audio.render.recipe import SLICES, RenderRecipe
from app.audio.render.renderer import Rendered, render
from app.audio.result import Analysis
from benchmarks.stretch.signals import RATE_HZ
from benchmarks.tables import Table

FOLDERS = (Path("/usr/share/sonic-pi/samples"), Path("/usr/share/lmms/samples/beats"))
CHANGES_PERCENT = (-25, -10, 10, 25, 50)
JUMP_FACTOR, TEMPO_ERROR = 1.5, 0.001
# Beats that a loop may have; a tempo that its length does not allow was not read right.
BEATS, LENGTH_ERROR = (2, 3, 4, 6, 8, 12, 16, 32), 0.015
# Of hits that are compared: the least strength, how far one may be from where it belongs, the least number.
MIN_STRENGTH, HIT_REACH_S, MIN_HITS = 0.1, 0.015, 4
SPANS_BPM = {"below 85": (0, 85), "85 to 170": (85, 170), "above": (170, 1000)}
_HEARD = ("tempo measured %", "or its half or double %", "another %", "none %", "tempo of the file %")
MADE_NAME = "made.wav"
Made = tuple[np.ndarray, Rendered]


@dataclass(frozen=True)
class Stretched:
    """One real loop at one tempo.

    Attributes
    ----------
    name, method : str
    asked_bpm : float
    heard_bpm : float or None
        What the analysis hears in the samples alone.
    file_bpm : float or None
        What it says of the rendered file, which states its tempo; its name does not.
    hits_off_ms : float or None
        How far hits are from where they belong, in the median; None where too few are found.
    jumps : int
        Samples that are too far from the one before.
    energy_db : float
        The change of energy.
    """

    name: str
    method: str
    asked_bpm: float
    heard_bpm: float | None
    file_bpm: float | None
    hits_off_ms: float | None
    jumps: int
    energy_db: float

    def is_heard(self, *multiples: float) -> bool:
        """Return whether the analysis measures the asked tempo, or one of its multiples."""
        ratio = (self.heard_bpm or 0.0) / self.asked_bpm
        return min(abs(ratio / k - 1) for k in (1.0, *multiples)) <= TEMPO_ERROR

    @property
    def is_read(self) -> bool:
        """Whether the analysis gives the file the asked tempo."""
        return abs((self.file_bpm or 0.0) / self.asked_bpm - 1) <= TEMPO_ERROR


def real_loops() -> list[Path]:
    """Return the loops that are installed."""
    return [path for folder in FOLDERS for path in sorted(folder.glob("*")) if _may_be_loop(path)]


def _may_be_loop(path: Path) -> bool:
    return path.name.startswith("loop_") or "beats" in path.parts


def stretch_loop(path: Path) -> Iterator[Stretched]:
    """Yield a loop at each tempo; nothing for a sound whose tempo the analysis does not read right."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            decoded = decode_file(path, folder)
        except UnreadableAudio:
            return
        analysis = measure_decoded(decoded, "neutral.wav")
        if analysis.bpm is None or not _is_read_right(analysis.bpm, analysis.duration_s):
            return
        plain = _render(decoded.samples, decoded.sample_rate, RenderRecipe(), folder)
        for percent in CHANGES_PERCENT:
            recipe = fit_recipe(RenderRecipe(bpm=analysis.bpm * (1 + percent / 100)), analysis)
            made = _render(decoded.samples, decoded.sample_rate, recipe, folder)
            yield _judge(path.stem, plain, made, recipe, analysis, _tempo_of(folder / MADE_NAME))


def _is_read_right(bpm: float, duration_s: float) -> bool:
    return min(abs(duration_s * bpm / 60 / beats - 1) for beats in BEATS) < LENGTH_ERROR


def _render(sound: SampleSource, rate: int, recipe: RenderRecipe, folder: Path) -> Made:
    target = folder / MADE_NAME
    done = render(sound, rate, recipe, target, folder)
    samples, _ = soundfile.read(target, dtype="float32", always_2d=True)
    return samples / 10 ** (done.wav.gain_db / 20), done


def _tempo_of(path: Path) -> float | None:
    """Return the tempo of a file as it is when a producer uploads it, by a name that tells nothing."""
    with tempfile.TemporaryDirectory() as folder:
        return measure_decoded(decode_file(path, Path(folder)), "neutral.wav").bpm


def _judge(
    name: str, plain: Made, made: Made, recipe: RenderRecipe, analysis: Analysis, file_bpm: float | None
) -> Stretched:
    (before, _), (after, done) = plain, made
    ratio = done.length.ratio
    is_far = _jumps(after) > JUMP_FACTOR * np.percentile(_jumps(before), 99.99)
    for time, _ in analysis.onsets:
        at = round(time * RATE_HZ * ratio)
        is_far[max(at - 960, 0) : at + 1440] = False
    energy = 10 * np.log10(np.square(after).mean() / np.square(before).mean())
    if recipe.method == SLICES:
        energy += 10 * np.log10(ratio)  # as many hits, in another time
    heard = analyze_sound(after, RATE_HZ)
    return Stretched(
        name,
        recipe.method,
        done.length.bpm or 0.0,
        heard.bpm,
        file_bpm,
        _hits_off_ms(analysis, heard, ratio),
        int(is_far.sum()),
        float(energy),
    )


def _jumps(sound: np.ndarray) -> np.ndarray:
    return np.abs(np.diff(sound, axis=0)).max(axis=1)


def _hits_off_ms(before: Analysis, after: Analysis, ratio: float) -> float | None:
    """Return how far hits are from where they belong, in the median; None where too few are found."""
    times = np.array([time for time, _ in after.onsets])
    asked = [time * ratio for time, strength in before.onsets if strength >= MIN_STRENGTH]
    off = np.array([np.abs(times - time).min() for time in asked if times.size])
    near = off[off <= HIT_REACH_S]
    return 1000 * float(np.median(near)) if len(near) >= MIN_HITS else None


def loop_tables(loops: list[Stretched]) -> list[Table]:
    """Return one table by method and one by the tempo that was asked for."""
    ways = {method: [x for x in loops if x.method == method] for method in sorted({x.method for x in loops})}
    header = ("way", "loops", "with a jump", "most energy dB", "hits off ms", *_HEARD)
    rows = [(way, len(own), *_figures(own), *_heard_shares(own)) for way, own in ways.items()]
    spans = {name: [x for x in loops if low <= x.asked_bpm < high] for name, (low, high) in SPANS_BPM.items()}
    by_tempo = [(span, len(own), *_heard_shares(own)) for span, own in spans.items() if own]
    return [
        Table("stretched loops", header, rows),
        Table("tempi of stretched loops", ("BPM asked for", "loops", *_HEARD), by_tempo),
    ]


def _figures(loops: list[Stretched]) -> tuple[int, str, str]:
    energy = max((x.energy_db for x in loops), key=abs)
    off = [x.hits_off_ms for x in loops if x.hits_off_ms is not None]
    return sum(x.jumps > 0 for x in loops), f"{energy:+.2f}", f"{np.median(off):.1f}"


def _heard_shares(loops: list[Stretched]) -> tuple[float, float, float, float, float]:
    none = float(np.mean([x.heard_bpm is None for x in loops]))
    exact, octave = (float(np.mean([x.is_heard(*more) for x in loops])) for more in ((), (0.5, 2)))
    file = float(np.mean([x.is_read for x in loops]))
    return 100 * exact, 100 * octave, 100 * abs(1 - octave - none), 100 * none, 100 * file
