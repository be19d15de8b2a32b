"""Signals of known level, pitch and tempo, as the decoder gives them: float32, shape (frames, channels)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

RATE_HZ = 44_100

Samples = npt.NDArray[np.float32]


def seconds(duration_s: float, rate_hz: int = RATE_HZ) -> npt.NDArray[np.float64]:
    return np.arange(round(duration_s * rate_hz)) / rate_hz


def sine(hz: float, duration_s: float, *, level: float = 0.5, rate_hz: int = RATE_HZ) -> Samples:
    return column(level * np.sin(2 * np.pi * hz * seconds(duration_s, rate_hz)))


def column(values: npt.NDArray[np.float64]) -> Samples:
    return np.asarray(values, dtype=np.float32)[:, None]


def noise(duration_s: float, *, seed: int = 1, level: float = 0.2) -> Samples:
    return column(level * np.random.default_rng(seed).standard_normal(len(seconds(duration_s))))


def pink_noise(duration_s: float, *, seed: int = 1) -> Samples:
    """Return noise that falls by 3 dB an octave."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(len(seconds(duration_s))))
    falling = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)))
    return column(0.2 * falling / np.std(falling))


def hertz(pitch: float) -> float:
    """Return the frequency of a MIDI pitch in Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69) / 12))


def chord(pitches: tuple[float, ...], duration_s: float) -> Samples:
    """Return harmonic tones with a soft start and end."""
    times = seconds(duration_s)
    partials = [(hertz(pitch) * order, order) for pitch in pitches for order in (1, 2, 3, 4)]
    tone = sum(np.sin(2 * np.pi * hz * times) / order for hz, order in partials)
    shape = np.minimum(1.0, np.minimum(times / 0.01, (duration_s - times) / 0.05))
    return column(0.2 / len(pitches) * np.asarray(tone) * shape)


def clicks(bpm: float, duration_s: float) -> Samples:
    """Return a click on every beat from 0 s on."""
    out = np.zeros(round((duration_s + 1) * RATE_HZ))
    times = seconds(0.02)
    click = np.sin(2 * np.pi * 1_000 * times) * np.exp(-200 * times)
    for beat in range(int(duration_s * bpm / 60) + 1):
        place(out, click, beat * 60 / bpm)
    return column(0.5 * out[: round(duration_s * RATE_HZ)])


def kick() -> npt.NDArray[np.float64]:
    times = seconds(0.25)
    return np.asarray(np.sin(2 * np.pi * (50 * times - 4 * np.exp(-30 * times))) * np.exp(-16 * times))


def snare(seed: int = 2) -> npt.NDArray[np.float64]:
    times = seconds(0.2)
    hiss = np.random.default_rng(seed).standard_normal(len(times))
    body = 0.5 * np.sin(2 * np.pi * 190 * times) * np.exp(-30 * times)
    return np.asarray(0.6 * hiss * np.exp(-25 * times) + body)


def full_snare(seed: int = 2) -> npt.NDArray[np.float64]:
    """Return a snare with both tones of its shell and a longer rattle."""
    times = seconds(0.35)
    hiss = 0.2 * np.random.default_rng(seed).standard_normal(len(times)) * np.exp(-14 * times)
    shell = 0.6 * np.sin(2 * np.pi * 180 * times) + 0.3 * np.sin(2 * np.pi * 330 * times)
    return np.asarray(hiss + shell * np.exp(-18 * times))


def hat(seed: int = 3) -> npt.NDArray[np.float64]:
    times = seconds(0.08)
    hiss = np.diff(np.random.default_rng(seed).standard_normal(len(times) + 1))
    return np.asarray(0.3 * hiss * np.exp(-40 * times))


def drums(bpm: float, beats: int, *, before_s: float = 0.0, after_s: float = 0.0) -> Samples:
    """Return kick on 1 and 3, snare on 2 and 4, hats on eighths, with silence at either end if asked for."""
    length_s = beats * 60 / bpm
    out = np.zeros(round((length_s + 1) * RATE_HZ))
    for eighth in range(2 * beats):
        at_s = eighth * 30 / bpm
        place(out, hat(eighth), at_s)
        if eighth % 2 == 0:
            place(out, kick() if eighth % 4 == 0 else snare(eighth), at_s)
    body = out[: round(length_s * RATE_HZ)]
    quiet = (np.zeros(round(before_s * RATE_HZ)), np.zeros(round(after_s * RATE_HZ)))
    return column(0.4 * np.concatenate([quiet[0], body, quiet[1]]))


def place(out: npt.NDArray[np.float64], sound: npt.NDArray[np.float64], at_s: float) -> None:
    first = round(at_s * RATE_HZ)
    out[first : first + len(sound)] += sound[: len(out) - first]


def write(path: Path, samples: npt.NDArray[Any], rate_hz: int = RATE_HZ, **options: Any) -> Path:
    soundfile.write(path, samples, rate_hz, **options)
    return path
