"""Say in words why two sounds are alike and where they differ: "same body, brighter, shorter"."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple, Self

from app.audio.similarity import layout
from app.music.sound_classes import LOOP

MAX_ALIKE, MAX_DIFFERENT = 2, 3
ROUNDING = 1e-6  # a figure just at a bound is beyond it, as in a search


@dataclass(frozen=True)
class SoundFigures:
    """The measured figures of a sound that reasons are told from; None where there is none."""

    kind: str
    duration_s: float
    brightness: float | None = None
    noisiness: float | None = None
    punch: float | None = None  # crest in dB
    bpm: float | None = None
    key: str | None = None

    @classmethod
    def mean(cls, sounds: Sequence[Self]) -> Self:
        """Return the means of the figures of several sounds; what they don't share is None.

        Parameters
        ----------
        sounds : sequence of SoundFigures
            At least one.
        """
        first = sounds[0]
        means = {}
        for trait in TRAITS:
            values = [getattr(sound, trait.figure) for sound in sounds]
            known = [float(value) for value in values if value is not None]
            means[trait.figure] = fmean(known) if len(known) == len(values) else None
        kinds, keys = {sound.kind for sound in sounds}, {sound.key for sound in sounds}
        return cls(
            kind=first.kind if len(kinds) == 1 else "",
            key=first.key if len(keys) == 1 else None,
            **means,  # type: ignore[arg-type]  # every sound has a length, so its mean is a number
        )


class Trait(NamedTuple):
    """A figure by which sounds differ, and the words for more and for less of it.

    A difference is clear from `step` on: a factor where `is_ratio`, else as many of the figure's own units.
    """

    figure: str
    more: str
    less: str
    step: float
    is_ratio: bool = False

    def bound(self, value: float, is_more: bool) -> float:
        """Return where a figure begins to be clearly more, or less, than a value.

        Parameters
        ----------
        value : float
            In the figure's own units.
        is_more : bool
        """
        if self.is_ratio:
            return value * self.step if is_more else value / self.step
        return value + self.step if is_more else value - self.step


TRAITS = (
    Trait("brightness", "brighter", "darker", 8.0),  # of 100
    Trait("duration_s", "longer", "shorter", 1.25, is_ratio=True),
    Trait("noisiness", "noisier", "cleaner", 8.0),  # of 100
    Trait("punch", "punchier", "softer", 3.5),  # dB of crest
    Trait("bpm", "faster", "slower", 1.03, is_ratio=True),
)
CHANGES: Mapping[str, tuple[Trait, bool]] = {
    word: (trait, is_more) for trait in TRAITS for word, is_more in ((trait.more, True), (trait.less, False))
}
"""What "like this but …" can ask for: the figure, and whether there should be more of it."""

# Up to these distances in a block, unweighted, two sounds have the same, or something similar. Of hits whose
# bodies are nearer than the first, nine in ten are of one class and half of one instrument; nearer than the
# second, eight in ten are of one class. Copies of a loop lie below the first rhythm and harmony, hardly any
# other loop does.
LIKENESS = {layout.BODY: (0.4, 0.6), layout.RHYTHM: (0.5, 1.1), layout.HARMONY: (0.2, 0.35)}

# The distances at which two sounds match by half, by preset, for loops and for others: 0.6 of the median
# distance of two loops, and of hits of two classes, among the same sounds. So a drum of the same class but
# another kit matches by 50 %, another layer of the same drum by 90 %, and any other drum by 15 % (medians).
HALF_MATCH = {
    layout.BALANCED: (3.34, 1.57),
    layout.TIMBRE: (1.96, 2.07),
    layout.RHYTHM: (3.0, 0.55),
    layout.HARMONY: (2.0, 0.31),
}


def match_percent(distance: float, preset: str, kind: str) -> int:
    """Return how well two sounds match by their distance, 0 to 100.

    Parameters
    ----------
    distance : float
        From `distances.distances`.
    preset : str
        One of `layout.PRESETS`, by which the distance was weighed.
    kind : str
        The kind of the sound that the other is compared with.
    """
    of_loops, of_others = HALF_MATCH[preset]
    half = of_loops if kind == LOOP else of_others
    return round(100 * math.pow(0.5, (distance / half) ** 2))


def explain_likeness(
    blocks: Mapping[str, float], source: SoundFigures, other: SoundFigures, asked: str = ""
) -> str:
    """Return in a few words what two sounds share and how the other one differs: "same body, brighter".

    Parameters
    ----------
    blocks : mapping of str to float
        The distance in each of `layout.BLOCKS`, from `distances.block_distances`.
    source, other : SoundFigures
    asked : str
        One of `CHANGES` that was asked for: it comes first among the differences.

    Returns
    -------
    str
        At most two things they share and three differences, the largest first; never empty.
    """
    alike = _shared_words(blocks, source, other)[:MAX_ALIKE]
    different = _different_words(source, other, asked)[:MAX_DIFFERENT]
    return ", ".join([*alike, *different]) or "similar overall"


def _shared_words(blocks: Mapping[str, float], source: SoundFigures, other: SoundFigures) -> list[str]:
    """Return what is the same or similar. Rhythm and harmony say something about two loops only."""
    compared = [layout.BODY]
    if source.kind == other.kind == LOOP:
        compared += [layout.RHYTHM] if source.bpm and other.bpm else []
        compared += [layout.HARMONY] if source.key and other.key else []
    words = []
    for block in compared:
        same, similar = LIKENESS[block]
        if blocks[block] <= similar:
            words.append(f"same {block}" if blocks[block] <= same else f"similar {block}")
    return sorted(words)  # the same before the similar


def _different_words(source: SoundFigures, other: SoundFigures, asked: str) -> list[str]:
    """Return the clear differences: the one asked for, then those of the most steps."""
    found = []
    for trait in TRAITS:
        steps = _count_steps(trait, getattr(source, trait.figure), getattr(other, trait.figure))
        if abs(steps) > 1 - ROUNDING:
            word = trait.more if steps > 0 else trait.less
            found.append((word != asked, -abs(steps), word))
    return [word for *_, word in sorted(found)]


def _count_steps(trait: Trait, before: float | None, after: float | None) -> float:
    """Return how many clear steps one figure is from another; 0 where one is not known."""
    if before is None or after is None:
        return 0.0
    if not trait.is_ratio:
        return (after - before) / trait.step
    return math.log(after / before) / math.log(trait.step) if before > 0 and after > 0 else 0.0
