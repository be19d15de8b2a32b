"""Small pictures of a sound: peaks for the player, bars for the card."""

from __future__ import annotations

from functools import reduce

import numpy as np

from app.audio.decoding.pcm import Sound, blocks

PEAKS = 800
BARS = 64


def draw(samples: Sound) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return `PEAKS` peaks and `BARS` bars of `samples`, shape (frames, channels), whole numbers 0 to 255.

    Peaks are the largest magnitudes of equal stretches, full scale 255; bars are the same at fewer
    places, the loudest 255, so that a quiet sound has a shape too.
    """
    peaks = _maxima(samples, PEAKS)
    groups = np.array([part.max() for part in np.array_split(peaks, BARS)])
    loudest = float(groups.max())
    bars = groups / loudest if loudest > 0.0 else groups
    return _bytes(peaks), _bytes(bars)


def _maxima(samples: Sound, places: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    found = np.zeros(places)
    start = 0
    for block in blocks(samples):
        # Column by column: numpy is slow at a maximum over two neighbours.
        magnitude = reduce(np.maximum, (np.abs(channel) for channel in block.T))
        place = (np.arange(start, start + len(block)) * places) // len(samples)
        first = np.flatnonzero(np.diff(place, prepend=-1))
        found[place[first]] = np.maximum(found[place[first]], np.maximum.reduceat(magnitude, first))
        start += len(block)
    if len(samples) < places:
        found = found[(np.arange(places) * len(samples) // places) * places // len(samples)]
    return found


def _bytes(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[int, ...]:
    return tuple(int(value) for value in np.rint(np.clip(values, 0.0, 1.0) * 255.0))
