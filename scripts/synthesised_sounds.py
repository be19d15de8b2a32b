"""Synthesise drums, bass and chords: for the loop on the landing page, and for its pictures."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

RATE = 44_100
Signal = NDArray[np.float64]
STEPS_A_BAR = 16
SWING = 0.58  # where the second of two sixteenths falls


def kick(pitch_hz: float = 48.0, decay: float = 9.0) -> Signal:
    """Return a kick whose pitch falls to `pitch_hz`."""
    t = _times(0.4)
    phase = 2 * np.pi * np.cumsum(pitch_hz + 170 * np.exp(-t * 45)) / RATE
    return np.tanh(1.8 * np.sin(phase) * np.exp(-decay * t)) + 0.15 * noise(0.4, 260, seed=1)


def snare(tone_hz: float = 185.0, decay: float = 16.0) -> Signal:
    """Return a snare: a short tone and a burst of noise."""
    body = np.sin(2 * np.pi * tone_hz * _times(0.3)) * np.exp(-28 * _times(0.3))
    return 0.7 * body + 0.75 * high_pass(noise(0.3, decay, seed=2), 1200)


def hat(decay: float = 70.0, seed: int = 3) -> Signal:
    """Return a hat: closed with a fast decay, open with a slow one."""
    return 0.5 * high_pass(noise(0.5 if decay < 20 else 0.12, decay, seed), 7000)


def clap(seed: int = 5) -> Signal:
    """Return a clap: three bursts and their room."""
    made = np.zeros(round(0.35 * RATE))
    for at_s, decay in ((0.0, 120), (0.011, 120), (0.023, 14)):
        burst = noise(0.3, decay, seed)
        start = round(at_s * RATE)
        made[start : start + len(burst)] += burst
    return 0.7 * high_pass(made, 900)


def rim(tone_hz: float = 1700.0) -> Signal:
    """Return a rim shot."""
    t = _times(0.08)
    return 0.6 * (np.sin(2 * np.pi * tone_hz * t) + np.sin(2 * np.pi * 0.47 * tone_hz * t)) * np.exp(-70 * t)


def bass(frequency_hz: float, seconds: float) -> Signal:
    """Return a round bass note."""
    t = _times(seconds)
    tone = np.sin(2 * np.pi * frequency_hz * t) + 0.25 * np.sin(4 * np.pi * frequency_hz * t)
    return np.tanh(1.2 * tone) * np.exp(-1.6 * t) * _edges(t, 0.006, 0.03)


def chord(frequencies_hz: Iterable[float], seconds: float) -> Signal:
    """Return a chord of an electric piano."""
    t = _times(seconds)
    made = np.zeros(len(t))
    for number, frequency_hz in enumerate(frequencies_hz):
        bell = 1.4 * np.exp(-6 * t) * np.sin(2 * np.pi * frequency_hz * t * 2.001)
        start = number * round(0.006 * RATE)  # fingers are not exactly together
        note = np.sin(2 * np.pi * frequency_hz * t + bell) * np.exp(-1.1 * t) * _edges(t, 0.004, 0.08)
        made[start:] += note[: len(t) - start]
    return made / 4


def noise(seconds: float, decay: float, seed: int) -> Signal:
    """Return white noise that decays by a factor of e^decay per second, the same each time."""
    t = _times(seconds)
    return np.asarray(np.random.default_rng(seed).uniform(-1, 1, len(t)) * np.exp(-decay * t))


def high_pass(signal: Signal, frequency_hz: float) -> Signal:
    """Return the signal without what is below a frequency."""
    return np.asarray(sosfilt(butter(2, frequency_hz, "high", fs=RATE, output="sos"), signal))


def low_pass(signal: Signal, frequency_hz: float) -> Signal:
    """Return the signal without what is above a frequency."""
    return np.asarray(sosfilt(butter(2, frequency_hz, "low", fs=RATE, output="sos"), signal))


def place_steps(length: int, bpm: float, sound: Signal, steps: Iterable[tuple[float, float]]) -> Signal:
    """Return a loop of `length` frames with a sound at steps of a sixteenth, each with its level.

    Odd steps swing. What rings past the end goes on at the beginning.
    """
    made = np.zeros(length)
    sixteenth = 60 / bpm / 4 * RATE
    for step, level in steps:
        late = (2 * SWING - 1) * sixteenth if step % 2 == 1 else 0.0
        places = (round(step * sixteenth + late) + np.arange(len(sound))) % length
        np.add.at(made, places, level * sound)
    return made


def _times(seconds: float) -> Signal:
    return np.arange(round(seconds * RATE)) / RATE


def _edges(t: Signal, rise_s: float, fall_s: float) -> Signal:
    """Return a level that rises from 0 and falls to it, so that a note has no click."""
    return np.asarray(np.clip(t / rise_s, 0, 1) * np.clip((t[-1] - t) / fall_s, 0, 1))
