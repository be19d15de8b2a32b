"""Small pictures of a sound: peaks for the player, bars for the sample card."""

from __future__ import annotations

from functools import reduce

import numpy as np

from app.audio.decoding.scratch_file import SampleSource, iter_blocks

PEAK_COUNT = 800
BAR_COUNT = 64


def draw_waveform(samples: SampleSource) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the peaks and bars of a sound.

    Parameters
    ----------
    samples : SampleSource
        Shape (frames, channels), full scale ±1.

    Returns
    -------
    peaks : tuple of int, `PEAK_COUNT` long
        Largest magnitudes of equal stretches, 255 at full scale.
    bars : tuple of int, `BAR_COUNT` long
        The same of fewer stretches, 255 for the loudest, so that a quiet sound shows its shape too.
    """
    peaks = _stretch_maxima(samples, PEAK_COUNT)
    groups = np.array([part.max() for part in np.array_split(peaks, BAR_COUNT)])
    loudest = float(groups.max())
    bars = groups / loudest if loudest > 0.0 else groups
    return _to_bytes(peaks), _to_bytes(bars)


def _stretch_maxima(samples: SampleSource, places: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    found = np.zeros(places)
    start = 0
    for block in iter_blocks(samples):
        # Channel by channel, because numpy is slow at a maximum over an axis of length two.
        magnitude = reduce(np.maximum, (np.abs(channel) for channel in block.T))
        place = (np.arange(start, start + len(block)) * places) // len(samples)
        first = np.flatnonzero(np.diff(place, prepend=-1))
        found[place[first]] = np.maximum(found[place[first]], np.maximum.reduceat(magnitude, first))
        start += len(block)
    if len(samples) < places:
        found = found[(np.arange(places) * len(samples) // places) * places // len(samples)]
    return found


def _to_bytes(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[int, ...]:
    return tuple(int(value) for value in np.rint(np.clip(values, 0.0, 1.0) * 255.0))
