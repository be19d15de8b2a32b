"""Sounds whose stretched versions can be judged exactly, and the figures that judge them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.signal

RATE_HZ = 48_000
BPM = 100
BEATS = 16
CHORD_HZ = (220.0, 277.18, 329.63)
STEADY_HZ = 220.0

_RISE_S = 0.94e-3 / 0.8  # of which 10 to 90 % takes 0.94 ms
_DECAY_S = 0.06
_SMOOTH_S = 0.0002
_EARLY, _RISE = round(0.015 * RATE_HZ), round((0.001 + _RISE_S) * RATE_HZ)  # frames before a hit


def hits(seed: int = 1) -> np.ndarray:
    """Return a noise hit on each beat, in stereo, shape (frames, 2)."""
    random = np.random.default_rng(seed)
    frames = round(BEATS * 60 / BPM * RATE_HZ)
    sound = np.zeros((frames, 2), dtype=np.float32)
    for beat in range(BEATS):
        start = round(beat * 60 / BPM * RATE_HZ)
        time = np.arange(min(round(0.3 * RATE_HZ), frames - start)) / RATE_HZ
        level = np.clip(time / _RISE_S, 0, 1) * np.exp(-np.maximum(time - _RISE_S, 0) / _DECAY_S)
        sound[start : start + len(time)] = (
            0.2 * level[:, None] * random.standard_normal((len(time), 2))
        ).astype(np.float32)
    return sound


def sines(tones_hz: tuple[float, ...], seconds: float = 9.6) -> np.ndarray:
    """Return a chord of sines, in stereo."""
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    mono = sum(np.sin(2 * np.pi * hz * time) for hz in tones_hz) * (0.6 / len(tones_hz))
    return np.repeat(np.asarray(mono, dtype=np.float32)[:, None], 2, axis=1)


@dataclass(frozen=True)
class HitFigures:
    """The rise from 10 to 90 %, the loudest thing before a hit beside it, and the timing."""

    attack_ms: float
    before_db: float
    jitter_ms: float


def judge_hits(made: np.ndarray, ratio: float) -> HitFigures:
    """Judge the stretched hits; the first and last are left out."""
    power = np.square(made, dtype=np.float64).mean(axis=1)
    smooth = np.convolve(power, np.full(round(_SMOOTH_S * RATE_HZ), 1 / round(_SMOOTH_S * RATE_HZ)), "same")
    envelope = np.sqrt(smooth)
    reach = round(0.04 * RATE_HZ)
    places, before = [], []
    for beat in range(1, BEATS - 1):
        asked = beat * 60 / BPM * RATE_HZ * ratio
        part = envelope[round(asked) - reach : round(asked) + reach]
        top = float(part.max())
        place = int(np.argmax(part > 0.5 * top)) + round(asked) - reach
        places.append(place - asked)
        early = envelope[place - _EARLY : place - _RISE]
        before.append(20 * np.log10(max(float(early.max(initial=0)), 1e-7) / top))
    return HitFigures(
        _mean_rise_ms(power, places, ratio), float(np.max(before)), float(np.std(places) / RATE_HZ * 1000)
    )


def _mean_rise_ms(power: np.ndarray, places: list[float], ratio: float) -> float:
    """Return the rise of the mean of all hits: that of one noisy hit can't be read."""
    reach = round(0.03 * RATE_HZ)
    centres = [round(beat * 60 / BPM * RATE_HZ * ratio + off) for beat, off in enumerate(places, start=1)]
    mean = np.mean([power[c - reach : c + reach] for c in centres], axis=0)
    level = np.sqrt(scipy.signal.savgol_filter(mean, 31, 2).clip(0))
    top = np.sqrt(mean[reach : reach + round(0.004 * RATE_HZ)].mean())
    peak = int(np.argmax(level >= 0.9 * top))
    low = peak - int(np.argmax(level[:peak][::-1] <= 0.1 * top))
    return (peak - low) / RATE_HZ * 1000


def pitch_error_cents(made: np.ndarray) -> float:
    """Return the worst error of the chord's three tones."""
    mono = made[len(made) // 8 : -len(made) // 8].mean(axis=1)
    spectrum = np.abs(np.fft.rfft(mono * np.hanning(len(mono)), 8 * len(mono)))
    step = RATE_HZ / (8 * len(mono))
    worst = 0.0
    for hz in CHORD_HZ:
        low, high = int(hz * 0.97 / step), int(hz * 1.03 / step)
        found = (low + int(np.argmax(spectrum[low:high]))) * step
        worst = max(worst, abs(1200 * np.log2(found / hz)))
    return worst


def ripple_db(made: np.ndarray) -> float:
    """Return how much the level of a steady tone rises and falls."""
    mono = made[len(made) // 8 : -len(made) // 8].mean(axis=1)
    level = np.abs(scipy.signal.hilbert(mono))[1000:-1000]
    level = np.convolve(level, np.ones(218) / 218, "valid")
    return float(20 * np.log10(level.max() / max(float(level.min()), 1e-9)))
