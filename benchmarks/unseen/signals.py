"""Build noise, filters, slow random curves and irregular times, the parts of every generated sound."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt
import scipy.interpolate
import scipy.signal

RATE_HZ = 44_100

Signal = npt.NDArray[np.float64]
Rng = np.random.Generator


def seeded(*parts: str | int) -> Rng:
    """Return a generator that depends on nothing but the parts."""
    return np.random.default_rng([zlib.crc32(p.encode()) if isinstance(p, str) else p for p in parts])


def frames(duration_s: float) -> int:
    """Return a duration in frames."""
    return round(duration_s * RATE_HZ)


def times(duration_s: float) -> Signal:
    """Return the time of each frame in seconds."""
    return np.arange(frames(duration_s)) / RATE_HZ


def noise(rng: Rng, duration_s: float, slope_db: float = 0.0) -> Signal:
    """Return noise with a slope in dB an octave (0 white, -3 pink, -6 brown), RMS 1."""
    count = frames(duration_s)
    white = rng.standard_normal(count)
    if slope_db:
        spectrum = np.fft.rfft(white)
        hz = np.maximum(np.fft.rfftfreq(count, 1 / RATE_HZ), 20.0)
        white = np.fft.irfft(spectrum * (hz / 1_000) ** (slope_db / 6.0206), count)
    return np.asarray(white / (np.sqrt(np.mean(white**2)) + 1e-12))


def filtered(y: Signal, low_hz: float | None, high_hz: float | None, order: int = 2) -> Signal:
    """Return a sound between two frequencies; None leaves that side open."""
    edges = [hz for hz in (low_hz, high_hz) if hz is not None]
    kind = "bandpass" if len(edges) == 2 else ("highpass" if low_hz is not None else "lowpass")
    sections = scipy.signal.butter(
        order, edges if len(edges) == 2 else edges[0], kind, fs=RATE_HZ, output="sos"
    )
    return np.asarray(scipy.signal.sosfilt(sections, y))


def swept(y: Signal, cutoff_hz: Signal, width_octaves: float = 1.0) -> Signal:
    """Return a sound through a band-pass whose centre moves, in blocks that overlap by half."""
    size = 2_048
    hop, window = size // 2, np.hanning(size + 1)[:-1]
    padded = np.concatenate([np.zeros(hop), y, np.zeros(size)])
    out, hz = np.zeros(padded.size), np.maximum(np.fft.rfftfreq(size, 1 / RATE_HZ), 1.0)
    for start in range(0, y.size + hop, hop):
        centre = cutoff_hz[min(start, y.size - 1)]
        gain = np.exp(-0.5 * (np.log2(hz / centre) / width_octaves) ** 2)
        block = np.fft.irfft(np.fft.rfft(padded[start : start + size] * window) * gain, size)
        out[start : start + size] += block
    return out[hop : hop + y.size]


def wander(rng: Rng, duration_s: float, per_s: float) -> Signal:
    """Return a smooth random curve from 0 to 1 that turns at irregular times, `per_s` of them a second."""
    gaps = rng.gamma(2.0, 0.5 / per_s, max(8, int(duration_s * per_s * 2) + 8))
    at = np.concatenate([[-1.0], np.cumsum(gaps)])
    at = at[: max(4, int(np.searchsorted(at, duration_s)) + 2)]
    curve = scipy.interpolate.PchipInterpolator(at, rng.random(at.size))
    return np.asarray(np.clip(curve(np.minimum(times(duration_s), at[-1])), 0, 1))


def random_times(rng: Rng, duration_s: float, per_s: float, least_gap_s: float = 0.0) -> Signal:
    """Return the times of a Poisson process, at least `least_gap_s` apart."""
    gaps = least_gap_s + rng.exponential(max(1e-4, 1 / per_s - least_gap_s), int(duration_s * per_s * 3) + 12)
    at = np.cumsum(gaps) - gaps[0] * rng.random()
    return np.asarray(at[at < duration_s])


def uneven_times(rng: Rng, duration_s: float, mean_gap_s: float, spread: float = 0.5) -> Signal:
    """Return times whose gaps are log-normal, so that no two in a row agree."""
    gaps = mean_gap_s * np.exp(spread * rng.standard_normal(int(duration_s / mean_gap_s * 3) + 12))
    at = np.cumsum(gaps) - gaps[0] * rng.random()
    return np.asarray(at[at < duration_s])


def place(out: Signal, sound: Signal, at_s: float, level: float = 1.0, wrap: bool = False) -> None:
    """Add a sound at a time; its end wraps to the start of `out`, or is cut."""
    start = round(at_s * RATE_HZ)
    if wrap:
        np.add.at(out, (start + np.arange(sound.size)) % out.size, sound * level)
    elif start < out.size:
        part = sound[: out.size - start]
        out[start : start + part.size] += part * level


def ping(hz: float, duration_s: float, decay: float) -> Signal:
    """Return a decaying sine; `decay` is the exponent for each second."""
    t = times(duration_s)
    return np.asarray(np.sin(2 * np.pi * hz * t) * np.exp(-decay * t))


def glide(hz: Signal, harmonics: int = 1, rolloff: float = 1.0) -> Signal:
    """Return a tone that follows a frequency; harmonics above 20 kHz are left out."""
    phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
    out = np.zeros(hz.size)
    for k in range(1, harmonics + 1):
        out += np.sin(k * phase) / k**rolloff * (hz * k < 20_000)
    return out


def reverb(rng: Rng, y: Signal, decay_s: float, wet: float, wrap: bool = False) -> Signal:
    """Return a sound in a room, as long as before; `wrap` lets the tail run into the start."""
    tail = noise(rng, 1.5 * decay_s, -3) * np.exp(-6.9 * times(1.5 * decay_s) / decay_s)
    tail /= np.sqrt(np.sum(tail**2))
    full = scipy.signal.fftconvolve(y, tail)
    if wrap:
        padded = np.concatenate([full, np.zeros(-full.size % y.size)])
        return np.asarray((1 - wet) * y + wet * padded.reshape(-1, y.size).sum(axis=0))
    return np.asarray((1 - wet) * y + wet * full[: y.size])


def scaled(y: Signal) -> Signal:
    """Return a sound with its peak at 1."""
    return np.asarray(y / (np.abs(y).max() + 1e-12))
