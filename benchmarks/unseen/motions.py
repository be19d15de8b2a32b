"""Sounds that go somewhere: risers, downlifters, sweeps, swells, reversed cymbals and tails."""

from __future__ import annotations

import numpy as np

from benchmarks.unseen.signals import (
    Rng,
    Signal,
    filtered,
    frames,
    glide,
    noise,
    reverb,
    scaled,
    swept,
    times,
    wander,
)


def riser(rng: Rng, duration_s: float) -> Signal:
    """Return a sound that grows and climbs to its end: noise, a tone, or both."""
    x = times(duration_s) / duration_s
    low, high = rng.uniform(80, 400), rng.uniform(3_000, 12_000)
    return np.asarray(_moving(rng, duration_s, low * (high / low) ** x) * x ** rng.uniform(0.5, 3))


def downlifter(rng: Rng, duration_s: float) -> Signal:
    """Return a sound that falls: from high to low, and mostly from loud to soft."""
    x = times(duration_s) / duration_s
    low, high = rng.uniform(40, 200), rng.uniform(2_000, 10_000)
    return np.asarray(
        _moving(rng, duration_s, high * (low / high) ** (x ** rng.uniform(0.5, 1))) * (1 - x) ** 1.2
    )


def sweep(rng: Rng, duration_s: float) -> Signal:
    """Return a sweep of a sine, a saw or a filter, up or down or there and back."""
    x = times(duration_s) / duration_s
    shape = [x, 1 - x, 1 - np.abs(2 * x - 1)][int(rng.integers(3))]
    low, high = rng.uniform(30, 300), rng.uniform(1_500, 14_000)
    hz = low * (high / low) ** shape
    if rng.random() < 0.35:
        hz = low + (high - low) * shape
    y = _moving(rng, duration_s, hz)
    fade = np.minimum(1, np.minimum(x, 1 - x) * rng.uniform(5, 60))
    return np.asarray(y * fade)


def swell(rng: Rng, duration_s: float) -> Signal:
    """Return a sound that grows and fades away once."""
    x = times(duration_s) / duration_s
    peak = rng.uniform(0.3, 0.8)
    shape = np.where(x < peak, x / peak, (1 - x) / (1 - peak)) ** rng.uniform(1, 3)
    if rng.random() < 0.5:
        return np.asarray(noise(rng, duration_s, rng.uniform(-6, 0)) * shape)
    root = rng.uniform(55, 330)
    tones = [
        glide(root * ratio * (1 + 0.002 * (wander(rng, duration_s, 1) - 0.5)), 8, 1.3)
        for ratio in (1, 1.5, 2, 2.52)
    ]
    return np.asarray(np.sum(tones[: int(rng.integers(1, 5))], axis=0) * shape)


def reversed_tail(rng: Rng, duration_s: float) -> Signal:
    """Return a cymbal, a chord or a hit in a large room, played backwards."""
    t = times(duration_s)
    which = int(rng.integers(3))
    if which == 0:
        partials = rng.uniform(400, 14_000, 40)
        y = np.sum([np.sin(2 * np.pi * hz * t + rng.uniform(0, 6)) for hz in partials], axis=0) / 8
        y = (y + 0.7 * filtered(noise(rng, duration_s), 3_000, None)) * np.exp(
            -t * rng.uniform(3, 7) / duration_s
        )
    elif which == 1:
        root = rng.uniform(80, 400)
        y = np.sum([glide(np.full(t.size, root * r), 6, 1.2) for r in (1, 1.26, 1.5)], axis=0)
        y = y * np.exp(-t * rng.uniform(2, 5) / duration_s)
    else:
        hit = np.zeros(frames(duration_s))
        hit[: frames(0.03)] = noise(rng, 0.03)
        y = reverb(rng, hit, duration_s * rng.uniform(0.6, 1.2), 1.0)
    return np.asarray(y[::-1])


def _moving(rng: Rng, duration_s: float, hz: Signal) -> Signal:
    """Return noise through a moving filter, a gliding sine, a gliding saw, or noise and tone together."""
    which = int(rng.integers(4))
    tone = glide(np.minimum(hz, 18_000) * (0.25 if which == 2 else 0.5), 12 if which == 2 else 1)
    air = swept(noise(rng, duration_s), np.minimum(hz, 18_000), rng.uniform(0.3, 1.5))
    if which == 0:
        return scaled(air)
    return scaled(tone) if which < 3 else scaled(air) + 0.4 * scaled(tone)
