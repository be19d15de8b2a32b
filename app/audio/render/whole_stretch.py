"""Change the length of any sound with its pitch kept, by Signalsmith Stretch."""

from __future__ import annotations

import numpy as np
import python_stretch

from app.audio.decoding.scratch_file import Samples, iter_blocks

BLOCK_S, BLOCKS_AT_ONCE = 0.1175, 4
"""Length of a block, and how many overlap. Blocks of 120 ms, the default, soften attacks by 0.1 ms more;
much shorter ones lose the pitch of close notes."""

MAX_MAKE_UP = 1.2
"""The most by which the level is corrected: 1.6 dB."""


def stretch_whole(sound: Samples, frames: int, sample_rate: int) -> Samples:
    """Return the sound with another length and the same pitch.

    Parameters
    ----------
    sound : ndarray of float32, shape (n, channels)
    frames : int
        The length that is wanted, 0.5 to 2 times n: within it, two runs are equal.
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray of float32, shape (frames, channels)

    Notes
    -----
    Signalsmith Stretch by Geraint Luff: blocks of 117.5 ms whose phases are predicted one by one. One
    call over the whole sound keeps the hits in their places. Two equal channels would not stay equal, so
    they are stretched as one. The mean level is that of the original.
    """
    if sound.shape[1] == 2 and np.array_equal(sound[:, 0], sound[:, 1]):
        return np.repeat(stretch_whole(sound[:, :1], frames, sample_rate), 2, axis=1)
    stretch = python_stretch.Signalsmith.Stretch()
    interval = round(BLOCK_S * sample_rate / BLOCKS_AT_ONCE)
    stretch.configure(sound.shape[1], interval * BLOCKS_AT_ONCE, interval)
    stretch.setTimeFactor(len(sound) / frames)
    made = np.asarray(stretch.process(np.ascontiguousarray(sound.T)), dtype=np.float32).T[:frames]
    if len(made) < frames:
        made = np.pad(made, ((0, frames - len(made)), (0, 0)))
    made *= np.float32(_make_up(sound, made))
    return made


def _make_up(sound: Samples, made: Samples) -> float:
    """Return the gain that gives the mean level of the original: smeared hits have lost some of theirs."""
    before, after = (sum(float(np.vdot(b, b)) for b in iter_blocks(x)) / len(x) for x in (sound, made))
    return float(np.clip(np.sqrt(before / after), 1 / MAX_MAKE_UP, MAX_MAKE_UP)) if after > 0 else 1.0
