"""Synthesise plain voices and drum hits, so that not all sounds of the corpus are sampled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import signal

from training.compose import Note
from training.installed_sounds import RATE


def play_notes(notes: list[Note], bpm: float, duration_s: float, rng: np.random.Generator) -> np.ndarray:
    """Play notes in beats with one random voice, and return exactly `duration_s` of sound."""
    out = np.zeros(int(duration_s * RATE) + 1, dtype=np.float32)
    shape, cutoff = rng.choice(["saw", "square", "sine", "super", "tri"]), rng.uniform(500, 6000)
    attack_s, release_s = rng.choice([0.003, 0.003, 0.03, 0.15]), rng.uniform(0.03, 0.3)
    decay = rng.choice([0.0, 1.0, 4.0])
    for beat, length, pitch, velocity in notes:
        start = int(beat * 60 / bpm * RATE)
        y = _oscillator(shape, 440 * 2 ** ((pitch - 69) / 12), length * 60 / bpm + release_s, rng)
        t = np.arange(y.size) / RATE
        y *= np.minimum(t / attack_s, 1) * np.exp(-decay * t) * np.clip((t[-1] - t) / release_s, 0, 1)
        stop = min(start + y.size, out.size)
        out[start:stop] += (velocity / 127 * y[: stop - start]).astype(np.float32) if stop > start else 0
    sos = signal.butter(2, cutoff, "low", fs=RATE, output="sos")
    return signal.sosfilt(sos, out)[: int(duration_s * RATE)].astype(np.float32)


def play_808(
    notes: Sequence[tuple[float, float, float, int]], bpm: float, duration_s: float, rng: np.random.Generator
) -> np.ndarray:
    """Play notes in beats with one decaying, driven sine that starts high, as the kick of the TR-808 does.

    Some notes glide into the next one.
    """
    out = np.zeros(int(duration_s * RATE) + 1, dtype=np.float32)
    drive, decay, punch = rng.uniform(0.8, 3), rng.uniform(0.4, 3), rng.uniform(0, 2)
    for i, (beat, length, pitch, velocity) in enumerate(notes):
        start = int(beat * 60 / bpm * RATE)
        t = np.arange(int(max(length * 60 / bpm, 0.12) * RATE)) / RATE
        hz = 440 * 2 ** ((pitch - 69) / 12) * (1 + punch * np.exp(-t * 60))
        if rng.random() < 0.2 and i + 1 < len(notes):
            hz = hz * 2 ** ((notes[i + 1][2] - pitch) / 12 * np.clip(t / t[-1] * 4 - 3, 0, 1))
        y = np.tanh(drive * np.sin(2 * np.pi * np.cumsum(hz) / RATE)) * np.exp(-t * decay)
        y *= np.minimum(1, np.minimum(t, t[::-1]) * 300) * velocity / 127
        stop = min(start + y.size, out.size)
        out[start:stop] += y[: max(stop - start, 0)].astype(np.float32)
    return out[: int(duration_s * RATE)]


def plain_note(pitch: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return one note as a sine, a pluck, an organ, FM or an 808; its pitch may be between two keys."""
    t, hz = np.arange(int(seconds * RATE)) / RATE, 440 * 2 ** ((pitch - 69) / 12)
    kind = rng.integers(5)
    if kind == 4 and pitch < 50:
        return play_808([(0.0, seconds, pitch, 110)], 60.0, seconds, rng)
    ratio, depth = float(rng.choice([1, 2, 3])), rng.uniform(0.2, 2) * np.exp(-t * rng.uniform(1, 8))
    if kind == 3 and hz * ratio < 5000:
        return np.sin(2 * np.pi * hz * t + depth * np.sin(2 * np.pi * hz * ratio * t)) * np.exp(
            -t * rng.uniform(0.5, 4)
        )
    partials = [k for k in range(1, int(rng.integers(2, 12))) if hz * k < 10_500] or [1]
    steep, damp = rng.uniform(0.7, 2.2), rng.uniform(0, 3) if kind == 2 else 0.0
    y = sum(
        np.sin(2 * np.pi * hz * k * t + k) / k**steep * np.exp(-t * damp * k)
        for k in (partials if kind else [1])
    )
    fade = np.minimum(1, np.minimum(t * rng.uniform(50, 600), t[::-1] * 200))
    return np.asarray(y) * fade * np.exp(-t * rng.uniform(0.2, 5))


def _oscillator(shape: str, hz: float, length_s: float, rng: np.random.Generator) -> np.ndarray:
    """Return a waveform: sine, triangle, square, detuned saws (`super`) or saw."""
    t = np.arange(max(int(length_s * RATE), 16)) / RATE
    if shape == "sine":
        return np.sin(2 * np.pi * hz * t) + 0.15 * np.sin(4 * np.pi * hz * t)
    if shape == "tri":
        return signal.sawtooth(2 * np.pi * hz * t, 0.5)
    if shape == "square":
        return _band_limited(hz, t, 2) * 1.2
    if shape == "super":
        voices = [_band_limited(hz * d, t + rng.random() / hz, 1) for d in (0.993, 1.0, 1.007)]
        return np.asarray(sum(voices)) / 2
    return _band_limited(hz, t, 1)


def _band_limited(hz: float, t: np.ndarray, step: int) -> np.ndarray:
    """Return a sum of harmonics below 9.5 kHz: all for a saw, every second for a square."""
    partials = np.arange(1, max(2, min(24, int(9500 / hz))), step)
    return np.asarray(sum(np.sin(2 * np.pi * hz * k * t) / k for k in partials)) * 0.6


# Decay of metal in seconds; "hat" is any hat, from tight to open.
METAL_DECAY_S = {
    "hat": (0.015, 0.28),
    "closed hat": (0.01, 0.08),
    "open hat": (0.11, 0.4),
    "cymbal": (0.4, 1.4),
}


def drum_hit(label: str, rng: np.random.Generator) -> np.ndarray:
    """Return a drum hit made of noise and swept sines, as drum machines make them."""
    t = np.arange(int(RATE * 1.2)) / RATE
    noise = rng.standard_normal(t.size)

    def decay(s: float) -> np.ndarray:
        """Return an exponential decay with a time constant in seconds."""
        return np.exp(-t / s)

    if label == "kick":
        hz = rng.uniform(38, 62) + rng.uniform(60, 400) * decay(rng.uniform(0.008, 0.04))
        y = np.sin(2 * np.pi * np.cumsum(hz) / RATE) * decay(rng.uniform(0.06, 0.4)) + rng.uniform(
            0, 0.2
        ) * noise * decay(0.004)
    elif label == "tom":
        hz = rng.uniform(75, 260) * (1 + rng.uniform(0.1, 0.6) * decay(rng.uniform(0.03, 0.1)))
        y = np.sin(2 * np.pi * np.cumsum(hz) / RATE) * decay(rng.uniform(0.08, 0.3)) + rng.uniform(
            0, 0.15
        ) * noise * decay(0.03)
    elif label == "snare":
        hz = rng.uniform(150, 260) * (1 + 0.4 * decay(0.015))
        tone = np.sin(2 * np.pi * np.cumsum(hz) / RATE) * decay(rng.uniform(0.03, 0.1))
        y = rng.uniform(0.3, 1) * tone + _band_pass(noise, rng.uniform(500, 1500), 9500) * decay(
            rng.uniform(0.05, 0.16)
        )
    elif label == "clap":
        bursts = sum(
            np.where(t >= d, np.exp(-(t - d).clip(0) / 0.006), 0)
            for d in np.cumsum(rng.uniform(0.007, 0.013, 3)) - 0.007
        )
        y = _band_pass(noise, rng.uniform(600, 1100), rng.uniform(2000, 5000)) * (
            bursts + decay(rng.uniform(0.04, 0.15)) * (t > 0.025)
        )
    elif label in METAL_DECAY_S:
        metal = (
            sum(signal.square(2 * np.pi * rng.uniform(300, 900) * k * t) for k in (2.1, 3.3, 4.7, 5.9, 7.3))
            / 5
        )
        length = rng.uniform(*METAL_DECAY_S[label])
        body = _band_pass(
            rng.uniform(0.2, 1) * metal + rng.uniform(0.3, 1) * noise,
            rng.uniform(1500, 5000) if label == "cymbal" else rng.uniform(3500, 7000),
            10500,
        )
        y = body * decay(length)
    else:
        y = _percussion_hit(t, noise, rng, label)
    stop = int(np.argmax(np.cumsum(y**2) > (1 - 1e-5) * np.sum(y**2))) + 200
    return (y[:stop] / (np.abs(y).max() + 1e-9)).astype(np.float32)


def _percussion_hit(t: np.ndarray, noise: np.ndarray, rng: np.random.Generator, label: str) -> np.ndarray:
    """Return a rim or a shaker; for percussion a bell, a click or a small drum; for "any" also a shaker."""
    if label == "rim":
        body = sum(np.sin(2 * np.pi * hz * t) for hz in (rng.uniform(380, 1100), rng.uniform(1400, 2600)))
        return (np.asarray(body) + rng.uniform(0.2, 1) * noise) * np.exp(-t / rng.uniform(0.006, 0.03))
    kind = 2 if label == "shaker" else rng.choice([0, 1, 3]) if label == "percussion" else rng.integers(4)
    if kind == 0:
        hz = rng.uniform(500, 900)
        return (signal.square(2 * np.pi * hz * t) + signal.square(2 * np.pi * hz * 1.48 * t)) * np.exp(
            -t / rng.uniform(0.05, 0.2)
        )
    if kind == 1:
        return np.sin(2 * np.pi * rng.uniform(700, 2600) * t) * np.exp(-t / rng.uniform(0.008, 0.05))
    if kind == 2:
        rise = np.minimum(t / rng.uniform(0.01, 0.04), 1)
        return _band_pass(noise, 3000, 10000) * rise * np.exp(-t / rng.uniform(0.02, 0.07))
    swept_hz = rng.uniform(180, 600) * (1 + 0.1 * np.exp(-t / 0.02))
    return np.sin(2 * np.pi * np.cumsum(swept_hz) / RATE) * np.exp(
        -t / rng.uniform(0.04, 0.15)
    ) + 0.2 * noise * np.exp(-t / 0.004)


def _band_pass(y: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return the sound between two frequencies in Hz."""
    return signal.sosfilt(signal.butter(2, [low, min(high, 10900)], "band", fs=RATE, output="sos"), y)
