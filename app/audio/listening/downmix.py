"""The one downmix and resampling of the analysis: the channels as one signal at the front end's rate."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import chain

import numpy as np
import numpy.typing as npt
import soxr

from app.audio.decoding.scratch_file import Samples, SampleSource, iter_blocks
from app.audio.listening.channel_cancellation import Cancellation, ChannelComparison, restore_sides

# Below this level of the mean, more than two channels are represented by the loudest one.
MIN_MEAN_DB = -20.0


def mix_to_mono(
    sound: SampleSource, frames: int, sample_rate: int, rate_hz: int
) -> tuple[npt.NDArray[np.float32], Cancellation]:
    """Return the channels as one signal at another rate, and what their mean loses.

    The signal is the mean of the channels, without its constant offset. Where left and right cancel each
    other out, in a band for a second, it is the louder of the two. Where the mean of more than two channels
    is 20 dB weaker than one of them, that one is taken.

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
    mono : ndarray of float32, shape (n,)
        At least one sample, even when a very short sound would resample to none.
    lost : Cancellation

    Notes
    -----
    soxr resamples at its high quality (20 bits) as a stream, so memory holds one block and the result.
    """
    # The offset is removed before resampling, because it would leave a click at either end.
    total, channels = 0.0, sound.shape[1]
    comparison = ChannelComparison(channels, frames, sample_rate)
    for block in iter_blocks(sound, frames):
        total += float(block.sum(dtype=np.float64))
        comparison.add_block(block)
    lost, offset = comparison.result(), np.float32(total / (frames * channels))
    if channels > 2 and lost.mono_level_db < MIN_MEAN_DB:
        mono = _resample(sound, frames, sample_rate, rate_hz, lambda block: block[:, lost.loudest])
    else:
        mono = _resample(sound, frames, sample_rate, rate_hz, lambda block: _mean(block) - offset)
    if lost.needs_sides:
        side = _resample(sound, frames, sample_rate, rate_hz, _half_difference)
        mono = restore_sides(mono, side, rate_hz, lost)
    return mono, lost


def _mean(block: Samples) -> Samples:
    # Channel by channel, because numpy is slow at a sum over an axis of length two.
    return np.asarray(reduce(np.add, block.T) / np.float32(block.shape[1]), dtype=np.float32)


def _half_difference(block: Samples) -> Samples:
    return np.asarray((block[:, 0] - block[:, 1]) / np.float32(2))


def _resample(
    sound: SampleSource, frames: int, sample_rate: int, rate_hz: int, combine: Callable[[Samples], Samples]
) -> Samples:
    """Return one signal made of the channels of each block, at another rate."""
    stream = soxr.ResampleStream(sample_rate, rate_hz, 1, dtype="float32", quality="HQ")
    mono = np.zeros(frames * rate_hz // sample_rate + 2, dtype=np.float32)
    end = 0
    for block in chain(iter_blocks(sound, frames), [sound[:0]]):
        signal = combine(block) if len(block) else np.zeros(0, np.float32)
        part = stream.resample_chunk(signal, last=not len(block))[: len(mono) - end]
        mono[end : end + len(part)] = part
        end += len(part)
    return mono[: max(end, 1)]
