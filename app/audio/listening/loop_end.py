"""Where a loop was cut: at its end the sound stops within a millisecond, and an encoder's silence follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# The level is compared over half a millisecond before a place and one millisecond after it. What resampling
# and the decoder smear over the place itself is left out.
BEFORE_S, AFTER_S, SMEAR_S = 5e-4, 1e-3, 1.5e-4
# By so much the level has to fall. In 98 of 100 loops that were cut, it falls by 8 dB or more.
MIN_DROP_DB = 6.0
# What is quieter than this beside the mean level does not count as sound.
SILENT_DB = -100.0

Floats = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LoopEnd:
    """Where the level falls most.

    Attributes
    ----------
    time_s : seconds from the start of the file.
    drop_db : how much the level falls and stays down.
    """

    time_s: float
    drop_db: float


def find_loop_end(y: Floats, rate_hz: int, earliest_s: float, latest_s: float) -> LoopEnd | None:
    """Return where the sound stops between two times, or None where its level does not fall at once.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
        The sound to the end of its file.
    rate_hz : int
        Its rate.
    earliest_s, latest_s : float
        Seconds from the start of the file.

    Notes
    -----
    The difference of successive samples is measured, because low notes end in a slow swing of the filter that
    removes the offset.
    """
    energy, after_size = _energy(y), round(AFTER_S * rate_hz)
    before_size, smear = round(BEFORE_S * rate_hz), round(SMEAR_S * rate_hz)
    first = max(int(earliest_s * rate_hz), before_size)
    places = np.arange(first, min(int(np.ceil(latest_s * rate_hz)), y.size - after_size) + 1)
    if not places.size:
        return None
    before = (energy[places] - energy[places - before_size]) / before_size
    following = (energy[first + after_size :] - energy[first:-after_size]) / after_size
    # The loudest millisecond from each place to the end of the file.
    loudest = np.maximum.accumulate(following[::-1])[::-1]
    after = loudest[np.minimum(places - first + smear, loudest.size - 1)]
    floor = energy[-1] / y.size * 10 ** (SILENT_DB / 10) + 1e-30
    drop_db = 10 * np.log10((before + floor) / (after + floor))
    best = int(np.argmax(drop_db))
    if drop_db[best] < MIN_DROP_DB:
        return None
    return LoopEnd(float(places[best]) / rate_hz, float(drop_db[best]))


def _energy(y: Floats) -> Array:
    """Return the summed squares of the differences before each sample, shape (n + 1,)."""
    change = np.diff(y, prepend=np.float32(0)).astype(np.float64)
    return np.concatenate(([0.0], np.cumsum(np.square(change))))
