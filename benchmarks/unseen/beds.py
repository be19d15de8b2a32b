"""Beds of noise: hiss, coloured noise, crackle, room tone, wind, rain, water, fire, applause."""

from __future__ import annotations

import numpy as np

from benchmarks.unseen.signals import (
    RATE_HZ,
    Rng,
    Signal,
    filtered,
    frames,
    noise,
    ping,
    place,
    random_times,
    scaled,
    times,
    wander,
)


def tape_hiss(rng: Rng, duration_s: float) -> Signal:
    """Return the hiss of a tape or a preamplifier, with its slow changes of level."""
    y = filtered(noise(rng, duration_s, rng.uniform(-1, 2)), rng.uniform(100, 2_000), None)
    y = filtered(y, None, rng.uniform(8_000, 19_000), 1)
    drift = 1 + rng.choice([0, 0.1, 0.3]) * (wander(rng, duration_s, rng.uniform(0.3, 3)) - 0.5)
    return np.asarray(y * drift)


def coloured_noise(rng: Rng, duration_s: float) -> Signal:
    """Return white, pink, brown, blue or violet noise, sometimes through a filter."""
    y = noise(rng, duration_s, float(rng.choice([0, -3, -4.5, -6, 3, 6])))
    if rng.random() < 0.3:
        low = rng.uniform(60, 3_000)
        y = filtered(y, low, min(20_000, low * rng.uniform(1.5, 8)))
    return y


def vinyl_crackle(rng: Rng, duration_s: float) -> Signal:
    """Return clicks and pops at random times over surface noise."""
    y = rng.uniform(0.002, 0.05) * noise(rng, duration_s, -2)
    for at in random_times(rng, duration_s, rng.uniform(3, 60)):
        width = rng.uniform(0.0002, 0.002)
        click = noise(rng, 6 * width) * np.exp(-times(6 * width) / width)
        place(y, click, at, float(rng.pareto(2.0) + 0.1) * 0.3)
    for at in random_times(rng, duration_s, rng.uniform(0.2, 2)):
        place(y, ping(rng.uniform(80, 400), 0.03, 120), at, rng.uniform(0.3, 1.5))
    return np.clip(filtered(y, None, rng.uniform(6_000, 18_000), 1), -4, 4)


def room_tone(rng: Rng, duration_s: float) -> Signal:
    """Return the air of a room with mains hum at 50 or 60 Hz."""
    y = filtered(noise(rng, duration_s, rng.uniform(-6, -3)), 30, rng.uniform(800, 6_000), 1)
    mains, t = float(rng.choice([50, 60])), times(duration_s)
    for k in (1, 2, 3, 5, 7):
        y += rng.uniform(0, 1.2) / k * np.sin(2 * np.pi * mains * k * t + rng.uniform(0, 6))
    return y


def wind(rng: Rng, duration_s: float) -> Signal:
    """Return gusts: noise whose level and colour wander together."""
    gust = wander(rng, duration_s, rng.uniform(0.3, 1.5))
    low = filtered(noise(rng, duration_s, -5), 40, 500)
    whistle_hz = rng.uniform(400, 1_200)
    whistle = filtered(noise(rng, duration_s), whistle_hz, whistle_hz * 1.25)
    return np.asarray(scaled(low) * (0.15 + gust) + rng.uniform(0, 1) * scaled(whistle) * gust**2)


def rain(rng: Rng, duration_s: float) -> Signal:
    """Return many drops: short bursts and pings at random times over a bed."""
    y = rng.uniform(0.05, 0.4) * filtered(noise(rng, duration_s), rng.uniform(500, 2_000), 14_000)
    drops = np.zeros(frames(duration_s))
    for at in random_times(rng, duration_s, float(rng.choice([8, 40, 150]))):
        if rng.random() < 0.3:
            drop = ping(rng.uniform(1_500, 6_000), 0.02, 250)
        else:
            drop = noise(rng, 0.012) * np.exp(-times(0.012) * rng.uniform(300, 900))
        place(drops, drop, at, float(rng.lognormal(-1, 0.8)))
    return y + filtered(drops, 400, None)


def water(rng: Rng, duration_s: float) -> Signal:
    """Return a stream with bubbles, or waves at irregular distances."""
    bed = filtered(noise(rng, duration_s, -2), rng.uniform(150, 500), rng.uniform(3_000, 9_000))
    if rng.random() < 0.4:
        return np.asarray(bed * (0.08 + wander(rng, duration_s, rng.uniform(0.15, 0.5)) ** 2))
    y = rng.uniform(0.05, 0.4) * bed
    for at in random_times(rng, duration_s, rng.uniform(10, 60)):
        t = times(rng.uniform(0.02, 0.08))
        hz = rng.uniform(350, 2_200) * (1 + rng.uniform(0.5, 4) * t)
        bubble = np.sin(2 * np.pi * np.cumsum(hz) / RATE_HZ) * np.exp(-t * rng.uniform(40, 150))
        place(y, bubble, at, float(rng.lognormal(-1.2, 0.6)))
    return y


def fire(rng: Rng, duration_s: float) -> Signal:
    """Return a fire: rumble, hissing, and cracks in bursts."""
    flicker = wander(rng, duration_s, rng.uniform(2, 8))
    y = 0.4 * scaled(filtered(noise(rng, duration_s, -6), 30, 300)) * (0.5 + flicker)
    y += rng.uniform(0.01, 0.06) * filtered(noise(rng, duration_s), 2_000, 12_000)
    for burst in random_times(rng, duration_s, rng.uniform(0.6, 2.5)):
        for at in burst + np.cumsum(rng.exponential(0.05, int(rng.integers(1, 14)))):
            length = rng.uniform(0.003, 0.02)
            crack = filtered(noise(rng, 0.03), rng.uniform(600, 3_000), None) * np.exp(-times(0.03) / length)
            place(y, crack, at, float(rng.lognormal(-1.5, 0.9)))
    return y


def applause(rng: Rng, duration_s: float) -> Signal:
    """Return a few to many people who clap, each at a pace of their own that drifts."""
    y = np.zeros(frames(duration_s))
    for _ in range(int(rng.choice([12, 30, 80]))):
        hz, pace = rng.uniform(700, 2_200), rng.uniform(0.2, 0.36)
        clap = filtered(noise(rng, 0.03), hz, hz * 1.8) * np.exp(-times(0.03) * rng.uniform(120, 300))
        gaps = pace * np.exp(0.12 * rng.standard_normal(int(duration_s / pace * 2) + 4))
        for at in np.cumsum(gaps) - rng.uniform(0, pace):
            if 0 <= at < duration_s:
                place(y, clap, float(at), rng.uniform(0.4, 1))
    crowd = filtered(noise(rng, duration_s, -3), 300, 3_000) * wander(rng, duration_s, 0.5)
    return np.asarray(scaled(y) + rng.choice([0, 0.05, 0.2]) * scaled(crowd))
