"""Apply the effects that producers and their tools use, so that no model relies on clean renders.

Sounds are mono float32 arrays at `RATE`.
"""

from __future__ import annotations

import subprocess

import numpy as np
from scipy import signal

from training.installed_sounds import RATE


def normalise(y: np.ndarray, peak: float = 0.9) -> np.ndarray:
    """Scale a sound to a peak between 0 and 1."""
    return (y * (peak / (np.abs(y).max() + 1e-9))).astype(np.float32)


def random_filter(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Apply a low-pass, a high-pass or a broad tilt, chosen at random."""
    kind = rng.integers(3)
    if kind == 0:
        sos = signal.butter(2, rng.uniform(1200, 9000), "low", fs=RATE, output="sos")
    elif kind == 1:
        sos = signal.butter(1, rng.uniform(60, 350), "high", fs=RATE, output="sos")
    else:
        low = signal.butter(1, rng.uniform(200, 2000), "low", fs=RATE, output="sos")
        return (y + rng.uniform(-0.6, 1.5) * signal.sosfilt(low, y)).astype(np.float32)
    return signal.sosfilt(sos, y).astype(np.float32)


def add_reverb(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Convolve with decaying noise and keep the length."""
    decay_s = rng.uniform(0.15, 1.2)
    n = int(decay_s * RATE)
    tail = rng.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n)
    wet = signal.fftconvolve(y, tail)[: y.size]
    return (y + rng.uniform(0.05, 0.4) * wet * np.abs(y).max() / (np.abs(wet).max() + 1e-9)).astype(
        np.float32
    )


def add_noise(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add hiss or crackle, 20 to 50 dB below the peak."""
    level = np.abs(y).max() * 10 ** (-rng.uniform(20, 50) / 20)
    noise = rng.standard_normal(y.size)
    if rng.random() < 0.4:
        noise *= rng.random(y.size) < 0.002
        noise *= 4
    return (y + level * noise).astype(np.float32)


def saturate(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Distort with a hyperbolic tangent after a random gain of 1 to 5."""
    gain = rng.uniform(1, 5)
    return np.tanh(gain * normalise(y)).astype(np.float32)


def sidechain(y: np.ndarray, bpm: float, rng: np.random.Generator) -> np.ndarray:
    """Duck the level on every beat, as a compressor keyed by the kick does."""
    phase = (np.arange(y.size) / RATE * bpm / 60) % 1
    return (y * (1 - rng.uniform(0.4, 0.95) * np.exp(-phase * rng.uniform(3, 7)))).astype(np.float32)


def mp3_round_trip(y: np.ndarray, kbps: int) -> np.ndarray:
    """Encode as MP3 and decode again, cut or padded to the original length."""
    pcm = (np.clip(y, -1, 1) * 32767).astype("<i2").tobytes()
    raw = ["-f", "s16le", "-ar", str(RATE), "-ac", "1"]
    quiet = ["ffmpeg", "-v", "error"]
    packed = _run_filter([*quiet, *raw, "-i", "-", "-b:a", f"{kbps}k", "-f", "mp3", "-"], pcm)
    back = np.frombuffer(_run_filter([*quiet, "-f", "mp3", "-i", "-", *raw, "-"], packed), "<i2")
    out = np.zeros(y.size, dtype=np.float32)
    out[: min(back.size, y.size)] = back[: y.size] / 32768
    return out


def change_speed(y: np.ndarray, ratio: float, keep_pitch: bool) -> np.ndarray:
    """Play `ratio` times as fast with sox, keeping the pitch or not."""
    pcm = (np.clip(y, -1, 1) * 32767).astype("<i2").tobytes()
    raw = ["-t", "raw", "-r", str(RATE), "-e", "signed", "-b", "16", "-c", "1"]
    effect = ["tempo", f"{ratio:.6f}"] if keep_pitch else ["speed", f"{ratio:.6f}", "rate", str(RATE)]
    out = np.frombuffer(_run_filter(["sox", "-V1", *raw, "-", *raw, "-", *effect], pcm), "<i2")
    return (out / 32768).astype(np.float32)


def _run_filter(command: list[str], stdin: bytes) -> bytes:
    """Send bytes through a command and return what it writes to stdout."""
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout


def random_effects(y: np.ndarray, bpm: float | None, rng: np.random.Generator) -> np.ndarray:
    """Apply a random chain of the effects above, mild for most clips, and keep the length.

    Without a tempo there is no side-chain ducking.
    """
    if bpm is not None and rng.random() < 0.15:
        y = sidechain(y, bpm, rng)
    for chance, effect in ((0.25, random_filter), (0.2, add_reverb), (0.2, saturate), (0.2, add_noise)):
        if rng.random() < chance:
            y = effect(y, rng)
    y = normalise(y, rng.uniform(0.2, 0.99))
    if rng.random() < 0.06:
        y = mp3_round_trip(y, int(rng.choice([64, 96, 128])))
    return y
