"""Find where to cut a sound into slices: at its hits, on its beats, or in equal parts.

Every cut but those of equal parts is at the nearest zero crossing within 2 ms, or else at the quietest frame
there. The onsets of an analysis are, at the rate of the original. Equal parts are as on the unit: of the
frames left over, the first parts have one each.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, get_args

from app.audio.listening.zero_crossings import FrameReader, snap_to_zero_crossing
from app.audio.render.recipe import RecipeError, RenderRecipe
from app.audio.result import Analysis

if TYPE_CHECKING:
    from app.audio.decoding.scratch_file import SampleSource

Way = Literal["onsets", "beats", "bars", "equal", "grid"]
WAYS: tuple[Way, ...] = get_args(Way)

MIN_GAP_S = 0.06
"""Cuts are never nearer to each other: a 32nd at 120 BPM is 62 ms."""

DEFAULT_SENSITIVITY = 0.8

MAX_CHOPS = 160
"""The most slices: a project of the unit has 160 pads."""

FADE_IN_MS, FADE_OUT_MS = 1.0, 2.5
BEATS_A_BAR = 4
GRID_STEPS = 4
"""Steps of the grid in a beat: sixteenths."""

WEAKEST = 0.5
"""The strength beside the strongest of the weakest onset that counts at a sensitivity of 0; 0.02 at 0.8."""


def find_chops(
    analysis: Analysis,
    sound: SampleSource | FrameReader,
    sample_rate: int,
    *,
    by: Way = "onsets",
    count: int = 16,
    sensitivity: float = DEFAULT_SENSITIVITY,
    min_gap_s: float = MIN_GAP_S,
) -> tuple[int, ...]:
    """Return where slices begin, in frames of the sound: 0 first, rising.

    Parameters
    ----------
    analysis : Analysis
        Of the sound, with its owner's corrections.
    sound : SampleSource or FrameReader, shape (frames, channels)
    sample_rate : int
    by : str
        "onsets"; "beats" or "bars"; "equal" parts; "grid" for sixteenths from the first beat.
    count : int
        The most slices. Of onsets the strongest are kept; of beats, bars and steps every second, fourth …
    sensitivity : float
        Of onsets, 0 to 1: more also cuts at weaker hits.
    min_gap_s : float
        The shortest slice in seconds; of two onsets that are nearer, the stronger one counts.

    Raises
    ------
    RecipeError
        The sound has no tempo to cut by, or a value makes no sense.
    """
    _check(by, count, sensitivity)
    if by == "equal":
        return _equal_parts(len(sound), _fitting_count(len(sound) / sample_rate, count, min_gap_s))
    times = _chosen_times(analysis, by, count, sensitivity, min_gap_s)
    if by != "onsets" or sample_rate != analysis.sample_rate:
        times = [snap_to_zero_crossing(time, sound, sample_rate) for time in times]
    return _whole_slices(times, len(sound), sample_rate, min_gap_s)


def chop_recipes(cuts: Sequence[int], frames: int) -> list[RenderRecipe]:
    """Return the recipe of each slice, from one cut to the next, with short fades.

    Parameters
    ----------
    cuts : sequence of int
        From `find_chops`, in frames of the original.
    frames : int
        Of the original.
    """
    return [
        RenderRecipe(start=start, end=end, fade_in_ms=FADE_IN_MS, fade_out_ms=FADE_OUT_MS)
        for start, end in pairwise([*cuts, frames])
    ]


def beat_times(analysis: Analysis) -> tuple[float, ...]:
    """Return the beats of a sound in seconds: as measured, or from its start where only a tempo is known.

    Parameters
    ----------
    analysis : Analysis
        Of the sound, with its owner's corrections. Without a tempo there are no beats.
    """
    if analysis.bpm is None:
        return ()
    return analysis.beats or _beats_at(analysis.bpm, analysis.duration_s)


def bar_times(analysis: Analysis) -> tuple[float, ...]:
    """Return where bars begin, in seconds: the measured downbeats, or every fourth of `beat_times`."""
    return analysis.downbeats or beat_times(analysis)[::BEATS_A_BAR]


def _fitting_count(duration_s: float, count: int, min_gap_s: float) -> int:
    """Return how many equal parts of the shortest length fit, at most those that are wanted."""
    return max(min(count, int(duration_s / min_gap_s)), 1) if min_gap_s else count


def _equal_parts(frames: int, count: int) -> tuple[int, ...]:
    """Return where equal parts begin; of the frames left over, the first parts have one each."""
    length, left_over = divmod(frames, count)
    return tuple(dict.fromkeys(k * length + min(k, left_over) for k in range(count)))


def _chosen_times(
    analysis: Analysis, by: str, count: int, sensitivity: float, min_gap_s: float
) -> list[float]:
    """Return the times in seconds to cut at, before they are moved to where a cut makes no click."""
    if by == "onsets":
        return _strongest(analysis.onsets, count, sensitivity, min_gap_s)
    return _thin_out(_steady_times(analysis, by), count, min_gap_s)


def _whole_slices(times: Sequence[float], frames: int, sample_rate: int, min_gap_s: float) -> tuple[int, ...]:
    """Return the times as frames after 0, without those too near to the start or the end for a slice."""
    cuts = {round(time * sample_rate) for time in times}
    latest = frames - min_gap_s * sample_rate
    return (0, *sorted(cut for cut in cuts if min_gap_s * sample_rate <= cut <= latest and cut > 0))


def _check(by: str, count: int, sensitivity: float) -> None:
    if by not in WAYS:
        raise RecipeError(f"A sound is cut by one of: {', '.join(WAYS)}.")
    if not 1 <= count <= MAX_CHOPS:
        raise RecipeError(f"A sound can be cut into 1 to {MAX_CHOPS} slices.")
    if not 0 <= sensitivity <= 1:
        raise RecipeError("The sensitivity must be between 0 and 1.")


def _strongest(
    onsets: Sequence[tuple[float, float]], count: int, sensitivity: float, min_gap_s: float
) -> list[float]:
    """Return the strongest onsets that keep their distance from each other and from the start."""
    least = WEAKEST * (1 - sensitivity) ** 2
    kept: list[float] = []
    for time, strength in sorted(onsets, key=lambda onset: -onset[1]):
        if strength < least or len(kept) == count - 1:
            break
        if time >= min_gap_s and all(abs(time - other) >= min_gap_s for other in kept):
            kept.append(time)
    return sorted(kept)


def _steady_times(analysis: Analysis, by: str) -> list[float]:
    """Return the times of beats, bars or sixteenths."""
    if analysis.bpm is None:
        raise RecipeError("No tempo is known for this sound. Cut it by onsets or into equal parts.")
    beats = beat_times(analysis)
    if by == "bars":
        return list(bar_times(analysis))
    if by == "beats":
        return list(beats)
    spans = pairwise([*beats, beats[-1] + 60 / analysis.bpm])
    return [first + (after - first) * k / GRID_STEPS for first, after in spans for k in range(GRID_STEPS)]


def _beats_at(bpm: float, duration_s: float) -> tuple[float, ...]:
    """Return steady beats from the start: a tempo that its owner corrected has none of its own."""
    return tuple(k * 60 / bpm for k in range(int(duration_s * bpm / 60) + 1))


def _thin_out(times: Sequence[float], count: int, min_gap_s: float) -> list[float]:
    """Return the times after the start, or of all every second, fourth …, for few and long enough slices."""
    step = 1
    while step <= len(times):
        kept = [time for time in times[::step] if time >= min_gap_s]
        gaps = [after - first for first, after in pairwise(kept)]
        if len(kept) < count and min(gaps, default=min_gap_s) >= min_gap_s:
            return kept
        step *= 2
    return []
