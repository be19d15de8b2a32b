"""Hits, beats, notes and chords of known kind, tempo and key, for the tests of the estimators."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RATE = 44_100
Sound = npt.NDArray[np.float64]


def hit(kind: str, seed: int = 0) -> Sound:
    """Return a kick, a snare or a hat."""
    t = np.arange(int(0.35 * RATE)) / RATE
    noise = np.random.default_rng(seed).standard_normal(t.size)
    noise *= np.minimum((t[-1] - t) / 0.05, 1)
    if kind == "kick":
        return np.asarray(
            np.minimum((t[-1] - t) / 0.05, 1)
            * np.sin(2 * np.pi * np.cumsum(48 + 150 * np.exp(-t / 0.02)) / RATE)
            * np.exp(-t / 0.12)
        )
    if kind == "snare":
        return np.asarray(
            0.5 * np.sin(2 * np.pi * 190 * t) * np.exp(-t / 0.05) + 0.6 * noise * np.exp(-t / 0.08)
        )
    return np.asarray(0.4 * np.diff(noise, prepend=0.0) * np.exp(-t / 0.03))


def clicks(bpm: float, seconds: float) -> Sound:
    """Return a hat on every beat."""
    return lay([(i * 60 / bpm, "hat", 1.0) for i in range(int(seconds * bpm / 60) + 1)], seconds)


def lay(hits: list[tuple[float, str, float]], seconds: float) -> Sound:
    """Return hits, each given as time in s, kind and gain, mixed into one sound."""
    out = np.zeros(round(seconds * RATE))
    for i, (at, kind, gain) in enumerate(hits):
        start, y = round(at * RATE), hit(kind, i)
        room = max(min(y.size, out.size - start), 0)
        out[start : start + room] += gain * y[:room]
    return out


def beat(bpm: float, bars: int) -> Sound:
    """Return a drum loop of whole bars: kick on one and three, snare on two and four, hats on eighths."""
    hits = []
    for i in range(bars * 8):
        at = i * 30 / bpm
        hits.append((at, "hat", 0.5))
        if i % 4 == 0:
            hits.append((at, "kick", 1.0))
        if i % 4 == 2:
            hits.append((at, "snare", 0.8))
    hits.append((2.5 * 60 / bpm, "kick", 0.7))
    return lay(hits, bars * 240 / bpm)


def tone(midi: float, seconds: float, harmonics: int = 8) -> Sound:
    """Return a note with falling harmonics and a soft decay."""
    t = np.arange(int(seconds * RATE)) / RATE
    hz = 440 * 2 ** ((midi - 69) / 12)
    y = sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, harmonics + 1))
    return np.asarray(y * np.exp(-t / 0.8) * np.minimum(t / 0.005, 1) * np.minimum((t[-1] - t) / 0.01, 1))


def chords(roots: list[tuple[int, bool]], seconds_each: float = 1.0) -> Sound:
    """Return triads one after another with their bass, each given as MIDI root and whether it is minor."""
    parts = []
    for root, minor in roots:
        notes = (root, root + (3 if minor else 4), root + 7, root - 12)
        parts.append(np.sum([tone(n, seconds_each) for n in notes], axis=0))
    return np.concatenate(parts)


def pink(seconds: float, seed: int = 1) -> Sound:
    """Return noise that falls by 3 dB an octave."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(int(seconds * RATE)))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(spectrum.size), 1)))
