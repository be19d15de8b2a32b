"""Synthesise plain voices and drum hits, so that not all sounds of the corpus are sampled."""

from __future__ import annotations

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
    elif label in ("hihat", "cymbal"):
        metal = (
            sum(signal.square(2 * np.pi * rng.uniform(300, 900) * k * t) for k in (2.1, 3.3, 4.7, 5.9, 7.3))
            / 5
        )
        length = rng.uniform(0.015, 0.28) if label == "hihat" else rng.uniform(0.4, 1.4)
        body = _band_pass(
            rng.uniform(0.2, 1) * metal + rng.uniform(0.3, 1) * noise,
            rng.uniform(3500, 7000) if label == "hihat" else rng.uniform(1500, 5000),
            10500,
        )
        y = body * decay(length)
    else:
        y = _percussion_hit(t, noise, rng)
    stop = int(np.argmax(np.cumsum(y**2) > (1 - 1e-5) * np.sum(y**2))) + 200
    return (y[:stop] / (np.abs(y).max() + 1e-9)).astype(np.float32)


def _percussion_hit(t: np.ndarray, noise: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a bell, a click, a shaker or a small drum, chosen at random."""
    kind = rng.integers(4)
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
