"""Make sounds without a beat: noise, weather, speech, irregular clicks, sweeps, drones and atmospheres."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from io import BytesIO

import numpy as np
import soundfile
import soxr
from scipy import signal

from training import soundfont_synth
from training.installed_sounds import RATE, SOUNDFONTS, load_named_samples

Maker = Callable[[float, np.random.Generator], np.ndarray]

PAD_PROGRAMS = (48, 49, 50, 51, 52, 53, 88, 89, 90, 91, 92, 93, 94, 95, 97, 99, 101, 102, 16, 19, 21, 42)
NOISE_PROGRAMS = (119, 122, 123, 125, 126, 127)
SONIC_PI_TEXTURES = (
    "ambi_choir", "ambi_dark_woosh", "ambi_drone", "ambi_glass_hum", "ambi_glass_rub", "ambi_haunted_hum",
    "ambi_lunar_land", "ambi_sauna", "ambi_swoosh", "vinyl_hiss", "mehackit_robot1", "mehackit_robot4",
)  # fmt: skip
VOICES = ("en-gb", "en-us", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "tr", "ru")
SYLLABLES = (
    "ka",
    "lo",
    "men",
    "ti",
    "ra",
    "su",
    "vel",
    "no",
    "shi",
    "per",
    "dan",
    "ul",
    "fo",
    "gre",
    "e",
    "mi",
)


def _coloured_noise(size: int, slope: float, rng: np.random.Generator) -> np.ndarray:
    """Return noise whose level falls by `slope` times 6 dB an octave."""
    spectrum = np.fft.rfft(rng.standard_normal(size))
    hz = np.maximum(np.arange(spectrum.size), 1 + size * 20 / RATE)
    y = np.fft.irfft(spectrum * (hz / hz[0]) ** -slope, size)
    return y / (np.abs(y).max() + 1e-9)


def _slow_curve(size: int, per_s: float, rng: np.random.Generator) -> np.ndarray:
    """Return a smooth random course from 0 to 1 with about `per_s` turns a second."""
    points = max(int(size / RATE * per_s) + 4, 4)
    course = np.interp(np.linspace(0, points - 1, size), np.arange(points), rng.random(points))
    width = max(int(RATE / per_s / 3), 1)
    return signal.fftconvolve(
        np.pad(course, width, mode="edge"), np.hanning(width) / np.hanning(width).sum(), "same"
    )[width : width + size]


def _band(y: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return the sound between two frequencies in Hz."""
    sos = signal.butter(2, [max(low, 25), min(high, 10_900)], "band", fs=RATE, output="sos")
    return np.asarray(signal.sosfilt(sos, y))


def _scattered(
    size: int, per_s: float, make: Callable[[], np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """Return grains at random times, as a Poisson process with a random level for each."""
    y = np.zeros(size)
    for at in rng.integers(0, size, max(rng.poisson(per_s * size / RATE), 2)):
        grain = make() * rng.lognormal(0, 0.8)
        part = grain[: size - at]
        y[at : at + part.size] += part
    return y


def noise(seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return steady noise of any colour, sometimes band-limited, as hiss and noise beds are."""
    y = _coloured_noise(int(seconds * RATE), rng.uniform(-0.6, 1.2), rng)
    if rng.random() < 0.4:
        low = rng.uniform(60, 4000)
        y = _band(y, low, low * rng.uniform(1.5, 12))
    return y


def crackle(seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return the clicks and the noise of a worn record."""
    size = int(seconds * RATE)

    def click() -> np.ndarray:
        """Return one click."""
        n = int(rng.uniform(8, 120))
        return rng.standard_normal(n) * np.exp(-np.arange(n) / rng.uniform(2, n / 3 + 2))

    y = _scattered(size, float(np.exp(rng.uniform(np.log(3), np.log(120)))), click, rng)
    return y + rng.uniform(0, 0.1) * _coloured_noise(size, rng.uniform(0, 1), rng)


def room(seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return room tone: low noise with mains hum and its harmonics."""
    size = int(seconds * RATE)
    t, mains = np.arange(size) / RATE, float(rng.choice([50, 60]))
    hum = sum(
        rng.uniform(0, 1) / k * np.sin(2 * np.pi * mains * k * t + rng.uniform(0, 6)) for k in range(1, 9)
    )
    return _coloured_noise(size, rng.uniform(0.7, 1.4), rng) + rng.uniform(0, 0.6) * np.asarray(hum) / 3


def wind(seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return noise in bands that wander and swell, as wind and surf do."""
    size = int(seconds * RATE)
    y = np.zeros(size)
    for _ in range(int(rng.integers(1, 4))):
        low = rng.uniform(80, 1500)
        gust = _slow_curve(size, rng.uniform(0.2, 1.5), rng) ** rng.uniform(1, 3)
        y += _band(rng.standard_normal(size), low, low * rng.uniform(1.3, 4)) * gust
    return y + 0.05 * _coloured_noise(size, 1, rng)


def rain(seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return drops on something hard or wet, over a bed of many that are too far to be told apart."""
    size = int(seconds * RATE)

    def drop() -> np.ndarray:
        """Return one drop: a short noise, or a bubble that rises."""
        n = int(rng.uniform(60, 900))
        t = np.arange(n) / RATE
        if rng.random() < 0.5:
            return rng.standard_normal(n) * np.exp(-t * rng.uniform(200, 1500))
        hz = rng.uniform(600, 4000) * (1 + rng.uniform(0, 6) * t)
        return np.sin(2 * np.pi * np.cumsum(hz) / RATE) * np.exp(-t * rng.uniform(60, 400))

    y = _scattered(size, float(np.exp(rng.uniform(np.log(8), np.log(200)))), drop, rng)
    return y / (np.abs(y).max() + 1e-9) + rng.uniform(0, 0.3) * _coloured_noise(
        size, rng.uniform(0, 0.6), rng
    )


def clicks(seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return footsteps, keys and knocks at irregular times: foley."""
    size, gap, uneven = int(seconds * RATE), rng.uniform(0.12, 0.9), rng.uniform(0.12, 0.9)
    y, at = np.zeros(size), rng.uniform(0, 0.3)
    body_hz, decay = rng.uniform(80, 3500), rng.uniform(20, 300)
    heel_to_toe_s = rng.uniform(0.03, 0.14) if rng.random() < 0.3 else 0.0
    while at < seconds - 0.05:
        for start in {int(at * RATE), min(int((at + heel_to_toe_s) * RATE), size)}:
            n = min(int(0.25 * RATE), size - start)
            t = np.arange(n) / RATE
            tone = np.sin(2 * np.pi * body_hz * rng.uniform(0.8, 1.25) * t) * rng.uniform(0, 1)
            y[start : start + n] += (tone + rng.standard_normal(n)) * np.exp(-t * decay) * rng.uniform(0.3, 1)
        at += gap * rng.lognormal(0, uneven)
    return y + rng.uniform(0, 0.02) * _coloured_noise(size, 0.7, rng)


def sweep(seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return a riser or a faller: noise or a tone whose level, filter or pitch moves one way."""
    size = int(seconds * RATE)
    x = np.linspace(0, 1, size)
    if rng.random() < 0.55:
        y = _coloured_noise(size, rng.uniform(-0.3, 0.8), rng)
        if rng.random() < 0.6:
            blocks, low = np.array_split(y, 64), rng.uniform(100, 600)
            y = np.concatenate([_band(b, low, low * (2 + 20 * i / 64)) for i, b in enumerate(blocks)])
    else:
        hz = rng.uniform(60, 500) * 2 ** (x ** rng.uniform(0.7, 2) * rng.uniform(0.5, 4))
        voices = [np.cumsum(hz * d) / RATE for d in (1, *rng.uniform(0.99, 1.01, 2))]
        y = (
            sum(signal.sawtooth(2 * np.pi * v) for v in voices) / 3
            if rng.random() < 0.6
            else np.sin(2 * np.pi * voices[0])
        )
    y = y * (x ** rng.uniform(0, 3) if rng.random() < 0.85 else np.sin(np.pi * x))
    y = y[::-1] if rng.random() < 0.35 else y
    return y * np.minimum(1, np.minimum(np.arange(size), np.arange(size)[::-1]) / 200)


def roll(seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return a roll of hits that gets faster or slower all the way, as risers and falling objects do."""
    size = int(seconds * RATE)
    y, at = np.zeros(size), 0.0
    first, last = rng.permutation([rng.uniform(0.25, 0.9), rng.uniform(0.03, 0.12)])
    body_hz, decay, noisy = rng.uniform(80, 2500), rng.uniform(15, 120), rng.uniform(0, 1)
    while at < seconds - 0.03:
        x = at / seconds
        n = min(int(0.2 * RATE), size - int(at * RATE))
        t = np.arange(n) / RATE
        hit = np.sin(2 * np.pi * body_hz * (1 + x) * t) + noisy * rng.standard_normal(n)
        y[int(at * RATE) : int(at * RATE) + n] += hit * np.exp(-t * decay) * (0.3 + 0.7 * x)
        at += first * (last / first) ** x
    return y + rng.uniform(0, 0.4) * sweep(seconds, rng)[:size]


def drone(seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return a held tone or chord: beating partials, or pads of a soundfont."""
    if rng.random() < 0.5:
        return _held_pads(seconds, rng)
    size = int(seconds * RATE)
    t, y = np.arange(size) / RATE, np.zeros(size)
    for pitch in 24 + rng.integers(0, 36) + np.array([0, 7, 12, 15, 19])[: rng.integers(1, 6)]:
        hz = 440 * 2 ** ((pitch - 69) / 12)
        for partial in range(1, int(rng.integers(3, 14))):
            drift = 1 + 0.002 * rng.standard_normal()
            level = rng.uniform(0.2, 1) / partial * (0.3 + _slow_curve(size, rng.uniform(0.1, 1.2), rng))
            y += level * np.sin(2 * np.pi * hz * partial * drift * t + rng.uniform(0, 6))
    return y


def _held_pads(seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return one to four notes of a pad program, held to the end and cut there or released before."""
    program = int(rng.choice(NOISE_PROGRAMS if rng.random() < 0.2 else PAD_PROGRAMS))
    root, hold_s = int(rng.integers(36, 66)), seconds * rng.uniform(0.75, 1.1)
    events: list[soundfont_synth.Event] = [(0.0, 0, "program", program, 0)]
    for interval in (0, 7, 12, 16)[: int(rng.integers(1, 5))]:
        start = float(rng.uniform(0, 0.15 * seconds)) if rng.random() < 0.3 else 0.0
        events += [(start, 0, "on", root + interval, 90), (hold_s, 0, "off", root + interval, 0)]
    return soundfont_synth.render_events(events, str(rng.choice(sorted(SOUNDFONTS))), seconds)


def speech(seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return invented words read by espeak-ng, now and then several voices at once."""
    y = np.zeros(int(seconds * RATE))
    for _ in range(1 if rng.random() < 0.75 else int(rng.integers(2, 5))):
        spoken = _read_aloud(int(seconds * 3) + 2, rng)
        part = (
            np.resize(spoken, y.size)
            if rng.random() < 0.5
            else np.pad(spoken, (0, max(y.size - spoken.size, 0)))
        )
        y += part[: y.size] * rng.uniform(0.4, 1)
    return y


def _read_aloud(words: int, rng: np.random.Generator) -> np.ndarray:
    """Return sentences of invented words, in a random voice, speed and pitch."""
    made = ["".join(rng.choice(SYLLABLES, int(rng.integers(1, 5)))) for _ in range(words)]
    text = " ".join(w + rng.choice([",", ".", "", "", "", "", "?"]) for w in made)
    voice = f"{rng.choice(VOICES)}+{rng.choice(['m1', 'm3', 'm5', 'm7', 'f1', 'f2', 'f4'])}"
    pace, pitch = str(int(rng.integers(110, 230))), str(int(rng.integers(10, 90)))
    command = ["espeak-ng", "-v", voice, "-s", pace, "-p", pitch, "--stdout", text]
    wav = subprocess.run(command, capture_output=True, check=True).stdout
    heard, rate = soundfile.read(BytesIO(wav[:40] + b"\xff\xff\xff\x7f" + wav[44:]), dtype="float32")
    return np.asarray(soxr.resample(heard, rate, RATE))


def cloud(seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return grains of a recorded tone at random times and pitches, overlapping: an atmosphere."""
    sources = load_named_samples(SONIC_PI_TEXTURES)
    source = sources[rng.integers(len(sources))]
    length = int(rng.uniform(0.05, 0.8) * RATE)

    def grain() -> np.ndarray:
        """Return one grain with soft edges."""
        at = int(rng.integers(0, max(source.size - length, 1)))
        part = source[at : at + length]
        step = 2 ** (rng.choice([-12, -5, 0, 0, 7, 12]) / 12)
        moved = np.interp(np.arange(0, part.size - 1, step), np.arange(part.size), part)
        return moved * np.hanning(moved.size)

    return _scattered(int(seconds * RATE), rng.uniform(2, 25), grain, rng)


def recorded(seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return a piece of one of sonic-pi's recorded textures, slowed down where it is too short."""
    sources = load_named_samples(SONIC_PI_TEXTURES)
    source = sources[rng.integers(len(sources))]
    slowest = max(min(1.0, source.size / (seconds * RATE)), 0.35)
    y = np.interp(np.arange(0, source.size - 1, rng.uniform(slowest, 1)), np.arange(source.size), source)
    return y[: int(seconds * RATE)]


MAKERS: dict[str, Maker] = {
    "noise": noise, "crackle": crackle, "room": room, "wind": wind, "rain": rain, "clicks": clicks,
    "sweep": sweep, "roll": roll, "drone": drone, "speech": speech, "cloud": cloud, "recorded": recorded,
}  # fmt: skip
