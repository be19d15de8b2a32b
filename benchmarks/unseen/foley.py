"""Foley: steps, keys, cloth, rattles and other events with gaps that do not repeat."""

from __future__ import annotations

import numpy as np

from benchmarks.unseen.signals import (
    Rng,
    Signal,
    filtered,
    frames,
    noise,
    ping,
    place,
    random_times,
    reverb,
    scaled,
    times,
    uneven_times,
)


def steps(rng: Rng, duration_s: float) -> Signal:
    """Return footsteps of somebody who hesitates: heel, sole, gravel or wood, at uneven gaps."""
    y, hard = np.zeros(frames(duration_s)), rng.random() < 0.5
    for at in uneven_times(rng, duration_s, rng.uniform(0.5, 1.1), rng.uniform(0.35, 0.7)):
        level = rng.uniform(0.4, 1)
        place(y, ping(rng.uniform(70, 180), 0.12, 45), at, level)
        grit = filtered(noise(rng, 0.2), rng.uniform(600, 2_500), None) * np.exp(
            -times(0.2) * rng.uniform(15, 60)
        )
        place(y, grit, at + rng.uniform(0.01, 0.09), level * (0.2 if hard else 0.6))
    air = rng.uniform(0.001, 0.02) * noise(rng, duration_s, -3)
    return reverb(rng, y, rng.uniform(0.2, 1.5), rng.uniform(0, 0.4)) + air


def clicks(rng: Rng, duration_s: float) -> Signal:
    """Return single hits of one object, dry or in a room, at uneven gaps."""
    y, hz = np.zeros(frames(duration_s)), rng.uniform(200, 5_000)
    overtones, decay = rng.uniform(1.3, 4, 3), rng.uniform(15, 200)
    for at in uneven_times(rng, duration_s, rng.uniform(0.15, 1.2), rng.uniform(0.45, 0.9)):
        hit = ping(hz * rng.uniform(0.97, 1.03), 0.25, decay)
        for ratio in overtones:
            hit = hit + 0.4 * ping(min(18_000, hz * ratio), 0.25, decay * ratio)
        hit[: frames(0.002)] += noise(rng, 0.002)
        place(y, hit, at, float(rng.lognormal(-0.7, 0.5)))
    return reverb(rng, y, rng.uniform(0.2, 2), rng.uniform(0, 0.5))


def typing(rng: Rng, duration_s: float) -> Signal:
    """Return keys of a keyboard or coins and locks: bursts of clicks and pauses."""
    y = np.zeros(frames(duration_s))
    for word in uneven_times(rng, duration_s, rng.uniform(0.8, 1.6), 0.5):
        gaps = rng.lognormal(np.log(0.11), 0.45, int(rng.integers(2, 10)))
        for at in word + np.cumsum(gaps):
            click = filtered(noise(rng, 0.02), rng.uniform(800, 3_500), None) * np.exp(-times(0.02) * 300)
            place(y, click, float(at), rng.uniform(0.3, 1))
            place(y, click[::-1] * 0.4, float(at) + rng.uniform(0.05, 0.1), rng.uniform(0.3, 1))
    return y + rng.uniform(0.0005, 0.01) * noise(rng, duration_s, -3)


def rustle(rng: Rng, duration_s: float) -> Signal:
    """Return cloth, paper or leaves: soft bursts of noise of uneven length at uneven times."""
    y, low = np.zeros(frames(duration_s)), rng.uniform(300, 3_500)
    for at in random_times(rng, duration_s, rng.uniform(0.8, 4)):
        length = float(rng.lognormal(np.log(0.25), 0.6))
        grain = np.abs(filtered(noise(rng, length), None, rng.uniform(20, 150)))
        burst = filtered(noise(rng, length), low, low * 4) * scaled(grain) * np.hanning(frames(length))
        place(y, burst, at, rng.uniform(0.2, 1))
    return y + rng.uniform(0.001, 0.02) * noise(rng, duration_s, -2)
