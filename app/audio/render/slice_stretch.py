"""Change the length of drums by moving their hits: every hit stays as it was recorded.

The idea is that of slicers since ReCycle: the sound is cut at its onsets, and each slice begins where its
onset belongs in the new tempo. What is new here is only how gaps and overlaps are handled.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from app.audio.decoding.scratch_file import Samples

FADE_S = 0.002
"""A slice that is cut, or whose tail ends, fades out over this time."""

TAIL_S = 0.06
"""The end of a slice, at most half of it, that fills the gap before the next one."""


def move_slices(sound: Samples, onsets: Sequence[int], frames: int, sample_rate: int) -> Samples:
    """Return the sound with another length, its slices moved and not stretched.

    Parameters
    ----------
    sound : ndarray of float32, shape (n, channels)
    onsets : sequence of int
        Frames where slices begin, rising; what is before the first one is a slice too.
    frames : int
        The length that is wanted.
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray of float32, shape (frames, channels)

    Notes
    -----
    A slice that is too long is cut, with a fade. A gap is filled by the end of the slice, played backwards
    and forwards under a ramp that falls to silence.
    """
    ratio = frames / len(sound)
    starts = sorted({0, *(onset for onset in onsets if 0 < onset < len(sound))})
    made = np.zeros((frames, sound.shape[1]), dtype=np.float32)
    fade = round(FADE_S * sample_rate)
    for first, after in pairwise([*starts, len(sound)]):
        begin, end = round(first * ratio), round(after * ratio)
        made[begin:end] = _fit_slice(sound[first:after], end - begin, fade, round(TAIL_S * sample_rate))
    return made


def _fit_slice(part: Samples, frames: int, fade: int, tail: int) -> Samples:
    """Return one slice with so many frames."""
    if frames == len(part):
        return part
    if frames < len(part):
        return _fade_end(part[:frames], fade)
    return _fade_end(np.concatenate([part, _continue(part, frames - len(part), tail)]), fade)


def _continue(part: Samples, frames: int, tail: int) -> Samples:
    """Return what follows a slice in a gap: its tail, backwards and forwards, falling to silence."""
    there = part[-max(min(tail, len(part) // 2), 1) :]
    round_trip = np.concatenate([there[::-1], there])
    times = -(-frames // len(round_trip))
    ramp = np.linspace(1, 0, frames, endpoint=False, dtype=np.float32)[:, None]
    return np.tile(round_trip, (times, 1))[:frames] * ramp


def _fade_end(part: Samples, fade: int) -> Samples:
    """Return a copy that ends in silence."""
    faded = part.copy()
    length = min(fade, len(part))
    faded[len(part) - length :] *= np.linspace(1, 0, length, endpoint=False, dtype=np.float32)[:, None]
    return faded
