"""Measure a rendered sound for the preflight, in blocks. This needs numpy, so only workers import it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.audio.unit_format import MAX_FRAMES, RATE_HZ
from app.sp404.card.sound_facts import SoundFacts
from app.sp404.project.pcm_files import pcm_blocks, read_pcm_shape

FULL_SCALE = 32768.0
TOP = 32760
"""Nearly the end of the scale: loud masters stop a few steps before it."""
CLIPPED_RUN = 3
FLOOR_DB = -200.0


def measure_wav(path: Path) -> SoundFacts:
    """Return what the preflight wants to know of a WAV of 48 kHz and 16 bits.

    Parameters
    ----------
    path : Path

    Raises
    ------
    UnitFileError
        It is no such WAV.

    Notes
    -----
    A run of three samples in a row at the same end of the scale counts as clipped; silence that rendering
    added is not told from any other.
    """
    shape = read_pcm_shape(path, RATE_HZ, MAX_FRAMES)
    peak, runs = 0, 0
    sums = np.zeros(shape.channels)
    energies = np.zeros(2)
    tail = np.zeros((CLIPPED_RUN, shape.channels), dtype=np.int16)
    for data in pcm_blocks(path, shape):
        block = np.frombuffer(data, dtype="<i2").reshape(-1, shape.channels)
        peak = max(peak, int(np.abs(block.astype(np.int32)).max()))
        sums += block.sum(axis=0, dtype=np.float64)
        if shape.channels == 2:
            energies += _energies(block)
        joined = np.vstack([tail, block])
        runs += _count_runs(joined)
        tail = joined[-CLIPPED_RUN:]
    means = sums / shape.frames / FULL_SCALE
    offset = float(means[np.argmax(np.abs(means))])
    return SoundFacts(peak / FULL_SCALE, offset, runs, _sides_db(energies) if shape.channels == 2 else None)


def _energies(block: NDArray[np.int16]) -> NDArray[np.float64]:
    """Return the energies of the sum and the difference of two channels."""
    left, right = block[:, 0].astype(np.float64), block[:, 1].astype(np.float64)
    return np.array([np.square(left + right).sum(), np.square(left - right).sum()])


def _sides_db(energies: NDArray[np.float64]) -> float:
    middle, sides = energies
    if sides == 0:
        return FLOOR_DB
    return float(10 * math.log10(sides / middle)) if middle else -FLOOR_DB


def _count_runs(block: NDArray[np.int16]) -> int:
    """Return how many runs get long enough in a block, which begins with samples that were counted before."""
    count = 0
    for channel in block.T:
        for clipped in (channel >= TOP, channel <= -TOP):
            reached = clipped[3:] & clipped[2:-1] & clipped[1:-2] & ~clipped[:-3]
            count += int(np.count_nonzero(reached))
    return count
