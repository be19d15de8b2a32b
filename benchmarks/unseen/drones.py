"""Sounds that stand: drones, pads, atmospheres, machines, clouds of grains."""

from __future__ import annotations

import numpy as np

from benchmarks.unseen.beds import coloured_noise, rain, room_tone, vinyl_crackle, water, wind
from benchmarks.unseen.signals import (
    Rng,
    Signal,
    filtered,
    frames,
    glide,
    noise,
    place,
    random_times,
    reverb,
    scaled,
    times,
    wander,
)


def drone(rng: Rng, duration_s: float) -> Signal:
    """Return a low tone whose partials come and go."""
    root, y = rng.uniform(30, 160), np.zeros(frames(duration_s))
    for ratio in rng.choice([1, 1, 1.5, 2, 2.003, 3, 4.01], int(rng.integers(2, 6)), replace=False):
        drift = 1 + 0.004 * (wander(rng, duration_s, 0.4) - 0.5)
        y += glide(root * ratio * drift, int(rng.integers(1, 16)), rng.uniform(0.8, 1.6)) * (
            0.2 + wander(rng, duration_s, rng.uniform(0.1, 0.6))
        )
    return filtered(y, None, rng.uniform(400, 6_000))


def pad(rng: Rng, duration_s: float) -> Signal:
    """Return one chord held with detuned voices; a soft start and end, or none."""
    root = 440 * 2 ** (int(rng.integers(-36, -5)) / 12)
    chord = [(0, 7), (0, 4, 7), (0, 3, 7), (0, 3, 7, 10), (0, 5, 7), (0, 4, 7, 11, 14)][int(rng.integers(6))]
    y = np.zeros(frames(duration_s))
    for step in chord:
        for _ in range(3):
            cents = rng.uniform(-12, 12)
            line = 1 + 0.001 * (wander(rng, duration_s, 1.5) - 0.5)
            y += glide(root * 2 ** ((step + cents / 100) / 12) * line, 10, 1.2)
    y = filtered(y, None, rng.uniform(600, 5_000))
    if rng.random() < 0.7:
        x, edge = times(duration_s), rng.uniform(0.1, min(2.0, duration_s / 3))
        y *= np.minimum(1, np.minimum(x, duration_s - x) / edge)
    return y


def atmosphere(rng: Rng, duration_s: float) -> Signal:
    """Return two to four layers: air, a tone, weather, and single events that do not repeat."""
    makers = (coloured_noise, room_tone, wind, rain, water, vinyl_crackle, drone, pad)
    y = np.zeros(frames(duration_s))
    for index in rng.choice(len(makers), int(rng.integers(2, 5)), replace=False):
        y += rng.uniform(0.2, 1) * scaled(makers[int(index)](rng, duration_s))
    events = np.zeros(frames(duration_s))
    for at in random_times(rng, duration_s, 0.4):
        length = rng.uniform(0.3, 1.5)
        t = times(length)
        tone = glide(rng.uniform(200, 2_500) * (1 + rng.uniform(-0.3, 0.3) * t), 4) * np.sin(
            np.pi * t / length
        )
        place(events, scaled(tone), at, rng.uniform(0.05, 0.5))
    return y + reverb(rng, events, rng.uniform(1, 4), 0.6)


def machine(rng: Rng, duration_s: float) -> Signal:
    """Return the hum of an engine, a fan or a transformer: steady harmonics that drift, and air."""
    hz = rng.uniform(28, 220) * (1 + 0.03 * (wander(rng, duration_s, 0.5) - 0.5))
    y = np.zeros(frames(duration_s))
    for k in range(1, int(rng.integers(6, 30))):
        y += rng.uniform(0, 1) / k**0.7 * glide(hz * k)
    air = filtered(noise(rng, duration_s, -3), rng.uniform(60, 300), rng.uniform(1_500, 9_000))
    return scaled(y) + rng.uniform(0.05, 1) * scaled(air)


def grains(rng: Rng, duration_s: float) -> Signal:
    """Return a cloud of short grains of tone or noise at random times, dense or thin."""
    y, centre = np.zeros(frames(duration_s)), rng.uniform(200, 3_000)
    tonal, length = rng.random() < 0.6, rng.uniform(0.02, 0.15)
    for at in random_times(rng, duration_s, float(rng.choice([12, 35, 90]))):
        grain_s = length * rng.uniform(0.6, 1.6)
        window = np.hanning(frames(grain_s))
        hz = centre * 2 ** rng.normal(0, 0.6)
        grain = glide(np.full(window.size, hz), 3) if tonal else filtered(noise(rng, grain_s), hz, hz * 1.6)
        place(y, grain[: window.size] * window, at, rng.uniform(0.1, 1))
    return reverb(rng, y, rng.uniform(0.5, 3), rng.uniform(0, 0.6))
