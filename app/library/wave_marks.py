"""The marks on the waveform of a sample's page: its beats, bar lines and onsets, as far as they are known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.audio.render.chop import bar_times, beat_times
from app.cards.known_sounds import SURE
from app.models import Sample
from app.music.sound_classes import LOOP
from app.plurals import pluralize
from app.shaping.orders import analysis_in_force

WAVE_WIDTH = 800
WAVE_HEIGHT = 32
END = 1 - 0.5 / WAVE_WIDTH  # a line this near the end would be half outside
ONSET_HEIGHT = 5.0  # of the strongest
UNSURE = "The tempo is uncertain, so no beats are drawn. Correct it to see them."
FROM_START = "Beats are counted from the start, at your tempo."


@dataclass(frozen=True)
class WaveMarks:
    """Marks of a waveform `WAVE_WIDTH` wide, each kind as one SVG path, and what to say about them.

    `beats` has those that begin no bar. A path is empty where nothing is known. `legend` has the kinds that
    there are, each with a count such as "2 bars".
    """

    bars: str
    beats: str
    onsets: str
    legend: tuple[tuple[str, str], ...] = ()
    words: str = ""

    @property
    def names(self) -> list[str]:
        """Return the counts of the legend."""
        return [name for _, name in self.legend]


def wave_marks(sample: Sample) -> WaveMarks:
    """Return the marks of a sample. Only a loop whose tempo is sure has beats and bar lines."""
    analysis = analysis_in_force(sample)
    duration_s = analysis.duration_s
    if duration_s <= 0:
        return WaveMarks("", "", "")
    onsets = _ticks((time / duration_s, strength) for time, strength in analysis.onsets)
    of_onsets = _count("onsets", onsets)
    if sample.kind != LOOP or analysis.bpm is None:
        return WaveMarks("", "", onsets, of_onsets)
    if analysis.bpm_confidence < SURE:
        return WaveMarks("", "", onsets, of_onsets, UNSURE)
    starts = set(bar_times(analysis))
    bars = _lines(sorted(starts), duration_s)
    beats = _lines((time for time in beat_times(analysis) if time not in starts), duration_s)
    legend = (*_count("bars", bars), *_count("beats", bars + beats), *of_onsets)
    return WaveMarks(bars, beats, onsets, legend, FROM_START if "bpm" in sample.corrections else "")


def _count(kind: str, path: str) -> tuple[tuple[str, str], ...]:
    """Return the line of the legend for a path of marks; none for an empty path."""
    number = path.count("M")
    return ((kind, pluralize(number, kind.removesuffix("s"))),) if number else ()


def _lines(times: Iterable[float], duration_s: float) -> str:
    """Return a line from top to bottom at each time before the end."""
    shares = (time / duration_s for time in times)
    return "".join(f"M{_place(share)} 0v{WAVE_HEIGHT}" for share in shares if 0 <= share < END)


def _ticks(onsets: Iterable[tuple[float, float]]) -> str:
    """Return a tick from the bottom for each onset, the higher the stronger it is."""
    return "".join(
        f"M{_place(share)} {WAVE_HEIGHT}v-{max(strength, 0.2) * ONSET_HEIGHT:.1f}"
        for share, strength in onsets
        if 0 <= share < 1
    )


def _place(share: float) -> str:
    return f"{share * WAVE_WIDTH:.3f}".rstrip("0").rstrip(".")
