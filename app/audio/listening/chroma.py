"""The pitch classes of a sound: spectral peaks, tuning, harmonic pitch-class profiles and chord shares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from app.audio.listening.front_end import LONG_WINDOW, RATE_HZ, Floats, FrontEnd

Array = npt.NDArray[np.float64]

MIN_PEAK_HZ, MAX_PEAK_HZ = 38.0, 5000.0
HARMONICS = 4
BASS_FLOOR = 0.02
MIN_PROMINENCE = 1.3  # how many times its surroundings a peak must reach
PROFILE_NAMES = (
    "harmonic",
    "plain",
    "bass",
    "middle",
    "presence",
    "first",
    "firstbass",
    "last",
    "lastbass",
    "major",
    "minor",
    "bassroot",
)
SPAN_COUNT = 24
SPAN_BANDS = ("harmonic", "bass", "low", "mid", "high", "plain")


@dataclass(frozen=True)
class SpectralPeaks:
    """The spectral peaks of all windows.

    Attributes
    ----------
    window : number of the spectrum that holds the peak, shape (peaks,).
    midi : pitch in semitones, A4 = 69, fractional, shape (peaks,).
    level : magnitude, shape (peaks,).
    white : magnitude relative to its surroundings (whitened), log-compressed, shape (peaks,).
    windows : number of spectra.
    """

    window: npt.NDArray[np.intp]
    midi: Array
    level: Array
    white: Array
    windows: int


def find_peaks(frames: FrontEnd) -> SpectralPeaks:
    """Find the spectral peaks of the long windows.

    Parameters
    ----------
    frames : FrontEnd

    Notes
    -----
    A peak is a local maximum that stands out from its surroundings; frequency and level come from parabolic
    interpolation of the log magnitude (Smith and Serra 1987).
    """
    first, last = int(MIN_PEAK_HZ * LONG_WINDOW / RATE_HZ), int(MAX_PEAK_HZ * LONG_WINDOW / RATE_HZ)
    mag = frames.long_spectra[:, first - 1 : last + 1] + np.float32(1e-9)
    centre = mag[:, 1:-1]
    floor = _local_mean(centre)
    loud = centre > max(1e-4 * float(mag.max(initial=0)), 1e-7)
    found = (centre > mag[:, :-2]) & (centre >= mag[:, 2:]) & (centre > MIN_PROMINENCE * floor) & loud
    window, column = np.nonzero(found)
    a, b, c = (np.log(mag[window, column + d].astype(np.float64)) for d in (0, 1, 2))
    offset = np.clip(0.5 * (a - c) / (a - 2 * b + c - 1e-12), -0.5, 0.5)
    hz = (column + first + offset) * RATE_HZ / LONG_WINDOW
    level = np.exp(b - 0.25 * (a - c) * offset)
    midi = 69 + 12 * np.log2(hz / 440)
    return SpectralPeaks(window, midi, level, np.log1p(level / floor[window, column]), mag.shape[0])


def _local_mean(mag: Floats) -> Floats:
    """Return the mean over a third of an octave or more around each bin."""
    total = np.cumsum(np.pad(mag, ((0, 0), (1, 0))), axis=1, dtype=np.float64)
    size = mag.shape[1]
    index = np.arange(size)
    reach = np.maximum(12, (0.12 * index).astype(int))
    low, high = np.maximum(index - reach, 0), np.minimum(index + reach + 1, size)
    return np.asarray((total[:, high] - total[:, low]) / (high - low), dtype=np.float32)


def tuning_cents(p: SpectralPeaks) -> float:
    """Return the deviation of the tuning from A = 440 Hz in cents, −50 to 50; 0 without peaks.

    The peaks' positions within their semitones are averaged as angles.

    Parameters
    ----------
    p : SpectralPeaks
    """
    if p.midi.size == 0:
        return 0.0
    inside = (p.midi > 45) & (p.midi < 100)
    phase = np.sum(p.white[inside] * np.sqrt(p.level[inside]) * np.exp(2j * np.pi * p.midi[inside]))
    return float(np.angle(phase) / (2 * np.pi) * 100) if abs(phase) > 0 else 0.0


def chroma_by_band(p: SpectralPeaks, cents: float) -> dict[str, Array]:
    """Return the pitch classes of each window by band.

    Parameters
    ----------
    p : SpectralPeaks
    cents : float
        Tuning of the sound, see `tuning_cents`.

    Returns
    -------
    dict of str to ndarray, shape (windows, 12)
        Scaled so that the largest class of a loud window is 1.

    Notes
    -----
    `harmonic` follows the harmonic pitch-class profile of Gómez (2006): a peak counts for each note of which
    it would be one of the first four harmonics. The other bands count a peak as the note it is, each in its
    own register.
    """
    midi = p.midi - cents / 100
    found = {
        "harmonic": _pitch_classes(p, midi, p.white, 43, 108, HARMONICS),
        "plain": _pitch_classes(p, midi, np.sqrt(p.level), 36, 108, 1),
        "bass": _pitch_classes(p, midi, p.level, 26, 52, 1),
        "low": _pitch_classes(p, midi, p.white, 40, 58, 1),
        "mid": _pitch_classes(p, midi, p.white, 55, 72, 1),
        "high": _pitch_classes(p, midi, p.white, 69, 100, 1),
        "middle": _pitch_classes(p, midi, p.white, 44, 95, 1),
    }
    # Below the lowest note there is only leakage. The floor flattens the profile when there is no real bass.
    found["bass"] += BASS_FLOOR * float(p.level.max(initial=0.0))
    return {name: _scale_windows(rows) for name, rows in found.items()}


def chroma_profiles(rows: dict[str, Array]) -> dict[str, Array]:
    """Return pitch-class profiles of the whole sound.

    Parameters
    ----------
    rows : dict of str to ndarray, shape (windows, 12)
        From `chroma_by_band`.

    Returns
    -------
    dict of str to ndarray, shape (12,)
        By the names of `PROFILE_NAMES`; each sums to 1, or is all 0 when there is no pitch. `major` and
        `minor` are shares of time in which a triad fits best. `first` and `last` cover the ends, where loops
        and songs tend to return to their tonic.
    """
    harmonic, low = rows["harmonic"], rows["bass"]
    edge = max(1, round(harmonic.shape[0] * 0.16))
    share = {name: _mean_profile(rows[name]) for name in ("harmonic", "plain", "bass", "middle")}
    share |= {"presence": _mean_profile((harmonic > 0.5).astype(np.float64))}
    share |= {"first": _mean_profile(harmonic[:edge]), "last": _mean_profile(harmonic[-edge:])}
    share |= {"firstbass": _mean_profile(low[:edge]), "lastbass": _mean_profile(low[-edge:])}
    return share | _chord_shares(harmonic, low)


def chroma_spans(rows: dict[str, Array]) -> Array:
    """Return how the pitch classes change over time, shape (bands, 12, `SPAN_COUNT`).

    The bands are those of `SPAN_BANDS`; each is averaged over equal spans of time.

    Parameters
    ----------
    rows : dict of str to ndarray, shape (windows, 12)
        From `chroma_by_band`.
    """
    return np.stack([_span_means(rows[name]) for name in SPAN_BANDS]).transpose(0, 2, 1)


def _span_means(rows: Array) -> Array:
    """Return the means of equal parts, which may begin and end within a window, shape (SPAN_COUNT, 12)."""
    count = rows.shape[0]
    total = np.vstack([np.zeros((1, 12)), np.cumsum(rows, axis=0)])
    edges = np.linspace(0, count, SPAN_COUNT + 1)
    whole = np.minimum(edges.astype(int), count - 1)
    reached = total[whole] + (edges - whole)[:, None] * rows[whole]
    return np.asarray(np.diff(reached, axis=0) * SPAN_COUNT / count)


def _pitch_classes(
    p: SpectralPeaks, midi: Array, weight: Array, low: float, high: float, harmonics: int
) -> Array:
    """Return the weight of the peaks by window and pitch class, shape (windows, 12)."""
    out = np.zeros(p.windows * 12)
    for harmonic in range(1, harmonics + 1):
        note = midi - 12 * np.log2(harmonic)
        near = np.round(note)
        keep = (midi >= low) & (midi <= high) & (note >= low - 12)
        gain = weight * np.cos(np.pi * (note - near)) ** 2 * 0.6 ** (harmonic - 1)
        where = p.window[keep] * 12 + near[keep].astype(np.intp) % 12
        out += np.bincount(where, gain[keep], p.windows * 12)
    return out.reshape(p.windows, 12)


def _scale_windows(rows: Array) -> Array:
    """Divide each window by its largest class, but keep weak windows weak."""
    top = rows.max(axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(top, 0.15 * top.max(initial=0) + 1e-12))


def _mean_profile(rows: Array) -> Array:
    total = rows.sum(axis=0)
    return np.asarray(total / (total.sum() + 1e-12))


@lru_cache(maxsize=1)
def _triad_vectors() -> Array:
    """Return unit vectors of the 24 triads, major first, shape (24, 12)."""
    out = np.zeros((24, 12))
    for root in range(12):
        out[root, [root, (root + 4) % 12, (root + 7) % 12]] = 1
        out[root + 12, [root, (root + 3) % 12, (root + 7) % 12]] = 1
    return np.asarray(out / np.sqrt(3))


def _chord_shares(rows: Array, low: Array) -> dict[str, Array]:
    """Return the share of time of each triad, from sound and bass together, and of each bass note."""
    around = np.pad(rows, ((1, 1), (0, 0)), mode="edge")
    smooth = around[:-2] + around[1:-1] + around[2:]
    unit = smooth / (np.linalg.norm(smooth, axis=1, keepdims=True) + 1e-12)
    fit = np.exp(12 * (unit @ _triad_vectors().T + 0.15 * np.hstack([low, low])))
    fit /= fit.sum(axis=1, keepdims=True) + 1e-12
    share = fit.mean(axis=0)
    root = np.exp(6 * low)
    return {
        "major": share[:12],
        "minor": share[12:],
        "bassroot": _mean_profile(root / root.sum(axis=1, keepdims=True)),
    }
