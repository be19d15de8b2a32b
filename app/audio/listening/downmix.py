"""The one downmix and resampling of the analysis: the mean of the channels at the front end's rate."""

from __future__ import annotations

from itertools import chain

import numpy as np
import numpy.typing as npt
import soxr

from app.audio.decoding.scratch_file import SampleSource, iter_blocks


def mix_to_mono(sound: SampleSource, frames: int, sample_rate: int, rate_hz: int) -> npt.NDArray[np.float32]:
    """Return the mean of the channels at another rate, without its constant offset.

    Parameters
    ----------
    sound : SampleSource
        Shape (any, channels).
    frames : int
        How many frames from the start to take, at least one.
    sample_rate, rate_hz : int
        Rate of `sound` and of the result, in Hz.

    Returns
    -------
    ndarray of float32, shape (n,)
        At least one sample, even when a very short sound would resample to none.

    Notes
    -----
    soxr resamples at its high quality (20 bits) as a stream, so memory holds one block and the result.
    """
    stream = soxr.ResampleStream(sample_rate, rate_hz, 1, dtype="float32", quality="HQ")
    # The offset is removed before resampling, because it would leave a click at either end.
    total = sum(float(block.sum(dtype=np.float64)) for block in iter_blocks(sound, frames))
    offset = np.float32(total / (frames * sound.shape[1]))
    mono = np.zeros(frames * rate_hz // sample_rate + 2, dtype=np.float32)
    end = 0
    for block in chain(iter_blocks(sound, frames), [sound[:0]]):
        mean = block.mean(axis=1, dtype=np.float32) - offset if len(block) else np.zeros(0, np.float32)
        part = stream.resample_chunk(mean, last=not len(block))[: len(mono) - end]
        mono[end : end + len(part)] = part
        end += len(part)
    return mono[: max(end, 1)]
