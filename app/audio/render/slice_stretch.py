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
"""One slice fades into the next over this time, and the sound ends with such a fade where it is cut."""

LEAD_S = 0.003
"""A slice begins this long before its onset, so that no part of the attack is left in the slice before."""

TAIL_S = 0.06
"""The end of a slice, at most half of it, that fills the gap before the next one."""


def move_slices(sound: Samples, onsets: Sequence[int], frames: int, sample_rate: int) -> Samples:
    """Return the sound with another length, its slices moved and not stretched.

    Parameters
    ----------
    sound : ndarray of float32, shape (n, channels)
    onsets : sequence of int
        Frames where slices begin, rising; what is before the first one is a slice too. One within 3 ms of the
        onset before it does not count.
    frames : int
        The length that is wanted.
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray of float32, shape (frames, channels)

    Notes
    -----
    A slice that is too long is cut. A gap is filled by the end of the slice, played backwards and forwards
    under a ramp that falls to silence. One slice fades into the next before its attack.
    """
    ratio = frames / len(sound)
    lead, fade, tail = (round(seconds * sample_rate) for seconds in (LEAD_S, FADE_S, TAIL_S))
    inside = [onset for before, onset in pairwise([0, *sorted(onsets)]) if before + lead < onset < len(sound)]
    starts = [0, *(onset - lead for onset in inside), len(sound)]
    places = [0, *(max(round(onset * ratio) - lead, 0) for onset in inside), frames]
    made = np.zeros((frames, sound.shape[1]), dtype=np.float32)
    for (first, after), (begin, end) in zip(pairwise(starts), pairwise(places), strict=True):
        wanted = min(end + fade, frames) - begin
        piece = sound[first : min(first + wanted, after + fade)]
        if len(piece) < wanted:
            piece = _fill_gap(sound[first:after], wanted, tail)
        if first:
            piece = _fade_in(piece, fade)
        if end < frames or len(piece) < after - first:
            piece = _fade_out(piece, fade)
        made[begin : begin + len(piece)] += piece
    return made


def _fill_gap(part: Samples, frames: int, tail: int) -> Samples:
    """Return a slice with so many frames: its tail follows, backwards and forwards, falling to silence."""
    gap = frames - len(part)
    there = part[-max(min(tail, len(part) // 2), 1) :]
    round_trip = np.concatenate([there[::-1], there])
    times = -(-gap // len(round_trip))
    ramp = np.linspace(1, 0, gap, endpoint=False, dtype=np.float32)[:, None]
    return np.concatenate([part, np.tile(round_trip, (times, 1))[:gap] * ramp])


def _fade_in(part: Samples, frames: int) -> Samples:
    """Return a copy that begins in silence; with `_fade_out` of the slice before, it adds up to one."""
    faded, length = part.copy(), min(frames, len(part))
    faded[:length] *= (np.arange(length, dtype=np.float32) / frames)[:, None]
    return faded


def _fade_out(part: Samples, frames: int) -> Samples:
    """Return a copy that ends in silence."""
    faded, length = part.copy(), min(frames, len(part))
    faded[len(part) - length :] *= (1 - np.arange(length, dtype=np.float32) / frames)[:, None]
    return faded
