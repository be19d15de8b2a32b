"""Change the length of any sound with its pitch kept, by Signalsmith Stretch."""

from __future__ import annotations

import numpy as np
import python_stretch

from app.audio.decoding.scratch_file import Samples


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
    Signalsmith Stretch by Geraint Luff: blocks of 120 ms whose phases are predicted from one to the next. One
    call over the whole sound keeps the hits in their places. Two equal channels would not stay equal, so
    they are stretched as one.
    """
    if sound.shape[1] == 2 and np.array_equal(sound[:, 0], sound[:, 1]):
        return np.repeat(stretch_whole(sound[:, :1], frames, sample_rate), 2, axis=1)
    stretch = python_stretch.Signalsmith.Stretch()
    stretch.preset(sound.shape[1], float(sample_rate))
    stretch.setTimeFactor(len(sound) / frames)
    made = np.asarray(stretch.process(np.ascontiguousarray(sound.T))).T[:frames]
    missing = np.zeros((frames - len(made), sound.shape[1]), dtype=np.float32)
    return np.ascontiguousarray(np.concatenate([made, missing]))
