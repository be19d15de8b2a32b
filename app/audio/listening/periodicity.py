"""Periodicities of a sound: the tempi it could have, and features that speak for or against each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft

from app.audio.listening.front_end import FRAME_RATE_HZ, FrontEnd

Array = npt.NDArray[np.float64]

MIN_BPM, MAX_BPM = 40.0, 208.0
MAX_LOOP_S = 40.0
MAX_PEAKS = 9
# Tempi that are nearer count as one. Where the length of the loop was found inside a longer file, peaks,
# which are read to a frame, have to be further from its tempi.
SAME_TEMPO_RATIO, FOUND_LENGTH_RATIO = 0.0015, 0.005
RELATED_PERIODS = (1.0, 2.0, 0.5, 3.0, 1 / 3, 1.5, 2 / 3)
# Lags in beats at which each curve's autocorrelation is read.
LAG_BEATS: dict[str, tuple[float, ...]] = {
    "all": (0.25, 1 / 3, 0.5, 2 / 3, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 16),
    "low": (0.5, 1, 2, 4, 8),
    "body": (0.5, 1, 2, 4),
    "mid": (0.25, 0.5, 1, 2, 3, 4),
    "high": (0.25, 1 / 3, 0.5, 1, 2),
    "timbre": (0.5, 1, 2, 3, 4, 8, 16),
}
# Multiples of the beat's frequency at which each curve's spectrum is read.
SPECTRUM_MULTIPLES: dict[str, tuple[float, ...]] = {
    "all": (0.25, 1 / 3, 0.5, 2 / 3, 1, 1.5, 2, 3, 4),
    "low": (0.5, 1, 2), "mid": (0.25, 0.5, 1, 2), "high": (1, 2, 4),
}  # fmt: skip


@dataclass(frozen=True)
class Rhythm:
    """Autocorrelations and spectra of the onset curves, and the candidate tempi.

    Attributes
    ----------
    lagged : autocorrelation by curve name, index in frames, 1 at lag zero.
    waves : magnitude spectrum by curve name.
    wave_hz : step between the bins of `waves` in Hz.
    spans : lengths in seconds that may be a whole number of beats: the file, its sounding part, …
    bpm : candidate tempi in beats a minute, shape (candidates,).
    onset_rate : onsets a second.
    peakiness : maximum of the onset strength over its mean, at most 100.
    """

    lagged: dict[str, Array]
    waves: dict[str, Array]
    wave_hz: float
    spans: tuple[float, ...]
    bpm: Array
    onset_rate: float
    peakiness: float


def measure_rhythm(frames: FrontEnd) -> Rhythm:
    """Measure the periodicities of a sound and collect its candidate tempi.

    Candidates are 60 N / length for whole numbers N of beats (as Font and Serra, ISMIR 2016, test a length)
    and the peaks of the autocorrelation with their simple multiples.

    Parameters
    ----------
    frames : FrontEnd
    """
    names = ("all", "low", "body", "mid", "high")
    curves = {name: frames.onset_strength[i].astype(np.float64) for i, name in enumerate(names)}
    lagged = {name: _autocorrelation(c[None]) for name, c in curves.items()}
    lagged["timbre"] = _autocorrelation(frames.mel - frames.mel.mean(axis=1, keepdims=True))
    waves, step = {}, 0.0
    for name in SPECTRUM_MULTIPLES:
        waves[name], step = _curve_spectrum(curves[name])
    spans = _possible_lengths(frames)
    is_found = frames.loop_s != frames.duration_s
    bpm = _candidate_bpms(lagged["all"], spans, FOUND_LENGTH_RATIO if is_found else SAME_TEMPO_RATIO)
    total = curves["all"]
    peaks = (
        (total[1:-1] > total[:-2]) & (total[1:-1] >= total[2:]) & (total[1:-1] > 0.15 * total.max(initial=0))
    )
    rate = float(peaks.sum()) / max(frames.end_s - frames.start_s, 0.1)
    peakiness = float(total.max(initial=0) / (total.mean() + 1e-9)) if total.size else 0.0
    return Rhythm(lagged, waves, step, spans, bpm, rate, min(peakiness, 100.0))


def _autocorrelation(rows: npt.ArrayLike, power: float = 0.7) -> Array:
    """Return the generalised autocorrelation (Tolonen and Karjalainen 2000), unbiased, summed over rows."""
    x = np.asarray(rows, dtype=np.float64)
    size = x.shape[1]
    n = scipy.fft.next_fast_len(2 * size)
    spectrum = np.abs(scipy.fft.rfft(x, n, axis=1)) ** (2 * power)
    lagged = scipy.fft.irfft(spectrum.sum(axis=0), n)[:size]
    overlap = np.maximum(1 - np.arange(size) / size, 0.1)
    return np.asarray(lagged / overlap / (lagged[0] + 1e-12))


def _curve_spectrum(x: Array) -> tuple[Array, float]:
    """Return the magnitude spectrum of a curve relative to its sum, and the step of its bins in Hz."""
    n = scipy.fft.next_fast_len(max(4 * x.size, 4096))
    magnitude = np.abs(scipy.fft.rfft(x, n)) / (x.sum() + 1e-9)
    return magnitude, FRAME_RATE_HZ / n


def _possible_lengths(frames: FrontEnd) -> tuple[float, ...]:
    """Return the length of the file, and the lengths from its first sound to its end, last sound and tail."""
    start, end, tail = (at - frames.lead_s for at in (frames.start_s, frames.end_s, frames.tail_s))
    lead, length = start if start > 0.01 else 0.0, frames.loop_s
    return (length, length - lead, min(end, length) - lead, min(tail, length) - lead)


def _candidate_bpms(lagged: Array, spans: tuple[float, ...], least_ratio: float) -> Array:
    """Return the candidate tempi, those of the lengths first, without near repeats, at most 220.

    `least_ratio` is how far the tempi of peaks have to be from those of the lengths.
    """
    found: list[float] = []
    for span in sorted(set(spans), key=spans.index):
        if 0.2 < span <= MAX_LOOP_S:
            beats = np.arange(max(1, np.ceil(span * MIN_BPM / 60)), np.floor(span * MAX_BPM / 60) + 1)
            found += list(60 * beats / span)
    kept = _without_repeats([], found, SAME_TEMPO_RATIO)
    peaks = [
        60 * FRAME_RATE_HZ / (period * kin) for period in _peak_periods(lagged) for kin in RELATED_PERIODS
    ]
    far = [b for b in peaks if all(abs(b / k - 1) > least_ratio for k in kept)]
    return np.array(_without_repeats(kept, far, SAME_TEMPO_RATIO)[:220])


def _without_repeats(kept: list[float], found: list[float], ratio: float) -> list[float]:
    """Return tempi in range that are not too near one another."""
    out = list(kept)
    for bpm in found:
        if MIN_BPM <= bpm <= MAX_BPM and all(abs(bpm / k - 1) > ratio for k in out):
            out.append(bpm)
    return out


def _peak_periods(lagged: Array) -> list[float]:
    """Return the strongest periods of a beat in frames, refined at their multiples."""
    low, high = int(FRAME_RATE_HZ * 60 / MAX_BPM), min(int(FRAME_RATE_HZ * 60 / MIN_BPM) + 2, lagged.size - 1)
    if high <= low + 2:
        return []
    part = lagged[low - 1 : high + 1]
    at = np.flatnonzero((part[1:-1] > part[:-2]) & (part[1:-1] >= part[2:])) + low
    strongest = at[np.argsort(-lagged[at])][:MAX_PEAKS]
    return [_refined_period(lagged, float(p)) for p in strongest]


def _refined_period(lagged: Array, period: float) -> float:
    """Return the period as read at 2, 4, 8 and 16 times its lag, where an error of a frame matters less."""
    best = _parabola_vertex(lagged, period)
    for multiple in (2, 4, 8, 16):
        centre = best * multiple
        reach = max(2, int(0.012 * centre))
        low, high = int(centre) - reach, int(centre) + reach + 2
        if high + 1 >= 0.8 * lagged.size:
            break
        top = low + int(np.argmax(lagged[low:high]))
        if low < top < high - 1 and lagged[top] > 0.5 * lagged[round(best)]:
            best = _parabola_vertex(lagged, float(top)) / multiple
    return best


def _parabola_vertex(curve: Array, at: float) -> float:
    """Return the vertex of the parabola through three points around a peak."""
    i = round(at)
    if not 1 <= i < curve.size - 1:
        return at
    a, b, c = curve[i - 1 : i + 2]
    bend = a - 2 * b + c
    return float(i + np.clip(0.5 * (a - c) / bend, -0.5, 0.5)) if bend < 0 else float(i)


def read_curve(curve: Array, at: Array, reach: float) -> Array:
    """Return the largest of three interpolated values around each place, shape (n,).

    Parameters
    ----------
    curve : ndarray, shape (m,)
    at : ndarray, shape (n,)
        Places in steps of the curve; those past 85 % of it give NaN.
    reach : float
        How far before and after each place is read too.
    """
    index = np.arange(curve.size)
    values = np.maximum.reduce([np.interp(at + d, index, curve) for d in (-reach, 0.0, reach)])
    return np.where(at < 0.85 * curve.size, values, np.nan)


def tempo_features(r: Rhythm) -> Array:
    """Return the features of each candidate tempo, shape (candidates, features).

    NaN stands for what a short sound does not tell. The trees were fitted on this order of the columns, so
    it must not change without new weights.

    Parameters
    ----------
    r : Rhythm
    """
    period = 60 * FRAME_RATE_HZ / r.bpm
    columns = [
        read_curve(r.lagged[name], period * lag, 0.7) for name, lags in LAG_BEATS.items() for lag in lags
    ]
    places = [(name, m) for name, ms in SPECTRUM_MULTIPLES.items() for m in ms]
    columns += [read_curve(r.waves[name], r.bpm / 60 * m / r.wave_hz, 0.5) for name, m in places]
    columns += _relative_features(r, period)
    columns += _length_features(r)
    log = np.log2(r.bpm / 118)
    same = np.ones_like(r.bpm)
    columns += [log, np.exp(-0.5 * (log / 0.45) ** 2), r.onset_rate * 60 / r.bpm, r.onset_rate * same]
    columns += [np.log2(r.spans[0]) * same, r.peakiness * same]
    return np.stack(columns, axis=1)


def _relative_features(r: Rhythm, period: Array) -> list[Array]:
    """Return the same values relative to those of the best candidate."""
    out = []
    for name in ("all", "low", "mid", "timbre"):
        value = read_curve(r.lagged[name], period, 0.7)
        best = np.nanmax(value) if np.isfinite(value).any() else 1.0
        out.append(value - best)
        double = read_curve(r.lagged[name], period * 2, 0.7)
        out.append(double - value)
    wave = read_curve(r.waves["all"], r.bpm / 60 / r.wave_hz, 0.5)
    out.append(wave / (wave.max(initial=0) + 1e-9))
    comb = np.mean(
        [np.nan_to_num(read_curve(r.lagged["all"], period * k, 0.7)) for k in (1, 2, 3, 4)], axis=0
    )
    out.append(comb - comb.max(initial=0))
    return out


def _length_features(r: Rhythm) -> list[Array]:
    """Return how far each length is from a whole number of beats, and how that number divides."""
    out = []
    for span in r.spans:
        beats = span * r.bpm / 60
        whole = np.maximum(np.round(beats), 1)
        out.append(np.abs(beats - whole) / np.maximum(beats, 1) * 100)
        out.append(_divisibility(whole, np.abs(beats - whole) < 0.02 + 0.002 * beats))
    beats = r.spans[0] * r.bpm / 60
    bars = [np.abs(beats / m - np.round(beats / m)) * m for m in (4, 8, 3)]
    nearest = np.min([np.abs(r.bpm * s / 60 - np.round(r.bpm * s / 60)) for s in r.spans], axis=0)
    return [
        *out,
        *bars,
        nearest,
        np.log2(beats),
        np.abs(r.bpm - np.round(r.bpm)),
        np.log2(beats) - np.round(np.log2(beats)),
    ]


def _divisibility(whole: Array, near: npt.NDArray[np.bool_]) -> Array:
    """Grade beats: 5 power of two from 4, 4 multiple of four, 3 of three, 2 even, 1 odd, 0 not whole."""
    power = (whole >= 4) & (np.log2(whole) % 1 == 0)
    grade = np.select([power, whole % 4 == 0, whole % 3 == 0, whole % 2 == 0], [5, 4, 3, 2], 1)
    return np.where(near, grade, 0).astype(np.float64)
