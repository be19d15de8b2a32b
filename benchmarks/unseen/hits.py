"""Hits for the sounds with a beat, and a grid to put them on."""

from __future__ import annotations

import numpy as np

from benchmarks.unseen.signals import RATE_HZ, Rng, Signal, filtered, frames, noise, ping, place, times


class Grid:
    """Put sounds at beats of a tempo; what rings past the end wraps to the start, as in a cut loop."""

    def __init__(self, bpm: float, beats: float) -> None:
        self.bpm, self.beats = bpm, beats
        self.y = np.zeros(frames(beats * 60 / bpm))

    @property
    def duration_s(self) -> float:
        """Return the length in seconds."""
        return self.y.size / RATE_HZ

    def put(self, sound: Signal, beat: float, level: float = 1.0) -> None:
        """Add a sound at a beat."""
        place(self.y, sound, beat * 60 / self.bpm % self.duration_s, level, wrap=True)


def kick(rng: Rng, soft: bool = False) -> Signal:
    """Return a kick drum: a sine that falls, and a click unless it is soft."""
    t = times(0.35)
    hz = rng.uniform(42, 60) + rng.uniform(60, 220) * np.exp(-t * rng.uniform(25, 60))
    y = np.sin(2 * np.pi * np.cumsum(hz) / RATE_HZ) * np.exp(-t * rng.uniform(8, 18))
    if not soft:
        y[: frames(0.004)] += 0.3 * noise(rng, 0.004)
    return np.asarray(y * np.minimum(1, t * (60 if soft else 2_000)))


def snare(rng: Rng) -> Signal:
    """Return a snare drum: two modes and a rattle."""
    t = times(0.25)
    rattle = filtered(noise(rng, 0.25), rng.uniform(900, 2_500), None) * np.exp(-t * rng.uniform(14, 30))
    hz = rng.uniform(160, 240)
    return np.asarray(0.5 * rattle + 0.5 * ping(hz, 0.25, 25) + 0.3 * ping(hz * 1.6, 0.25, 35))


def hat(rng: Rng, is_open: bool = False) -> Signal:
    """Return a hi-hat, closed or open."""
    length = 0.4 if is_open else 0.08
    air = filtered(noise(rng, length), rng.uniform(5_000, 8_000), None, 3)
    return np.asarray(0.4 * air * np.exp(-times(length) * (9 if is_open else rng.uniform(50, 110))))


def rim(rng: Rng) -> Signal:
    """Return a rim shot."""
    hz = rng.uniform(800, 1_900)
    return ping(hz, 0.08, 90) + 0.5 * ping(hz * 2.3, 0.08, 130)


def shake(rng: Rng, length_s: float = 0.11) -> Signal:
    """Return one stroke of a shaker: noise with a soft start."""
    y = filtered(noise(rng, length_s), rng.uniform(3_000, 5_000), rng.uniform(9_000, 14_000))
    return np.asarray(y * np.hanning(y.size) ** 1.5)


def swish(rng: Rng, length_s: float) -> Signal:
    """Return a brush drawn over a snare."""
    y = filtered(noise(rng, length_s), 1_500, 8_000)
    return np.asarray(y * np.sin(np.pi * np.linspace(0, 1, y.size)) ** 2)


def burst(rng: Rng) -> Signal:
    """Return a burst of noise in a band: a drum made of nothing else."""
    low, length = float(rng.choice([80, 300, 1_000, 3_000])), rng.uniform(0.05, 0.2)
    y = filtered(noise(rng, length), low, low * 3)
    return np.asarray(y / np.abs(y).max() * np.exp(-times(length) * 5 / length))
