"""Write a sound at any level, rate, bit depth and format, under a name that says nothing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from benchmarks.unseen.signals import RATE_HZ, Rng, Signal, seeded

# No word, note, number or class can be spelled with these letters; the file-name parser would read one.
_LETTERS = "qvwxz"
_NOT_INDEXED = ("y", "rate_hz", "is_control", "as_recorded")
_ENCODERS = {"mp3": ["-c:a", "libmp3lame", "-b:a", "192k"], "ogg": ["-c:a", "libvorbis", "-q:a", "5"]}


@dataclass(frozen=True)
class LabelledSound:
    """A sound and what is right for it.

    `kinds` are the right answers; `bpm` is None where any tempo is invented. `is_control` marks a sound with
    a beat. `as_recorded` keeps level and rate of a recording. `key` is 0 to 11 for major and 12 to 23 for
    minor, `sound` the class of a hit or a tone, `note` in MIDI.
    """

    sort: str
    y: Signal
    kinds: tuple[str, ...]
    bpm: float | None = None
    rate_hz: int = RATE_HZ
    origin: str = ""
    is_control: bool = False
    as_recorded: bool = False
    key: int | None = None
    sound: str | None = None
    note: float | None = None


def write_sounds(sounds: Iterable[LabelledSound], folder: Path, seed: int = 0) -> None:
    """Write sounds, and `index.json`, which says what is right for each.

    Files are numbered in a random order, so that the order of names says nothing either.
    """
    folder.mkdir(parents=True, exist_ok=True)
    numbers = seeded("names", seed).permutation(len(_LETTERS) ** 6)
    rows = []
    for number, sound in zip(numbers, sounds, strict=False):
        path = deliver(seeded("delivery", int(number), seed), sound, folder, int(number))
        facts = {name: value for name, value in vars(sound).items() if name not in _NOT_INDEXED}
        rows.append({"file": path.name, "control": sound.is_control, **facts})
    (folder / "index.json").write_text(json.dumps(rows, indent=0))


def neutral_name(number: int) -> str:
    """Return a name of six letters that tells neither tempo nor key nor kind."""
    digits = [(number // 5**place) % 5 for place in range(6)]
    return "".join(_LETTERS[d] for d in digits)


def draw_length(rng: Rng, shortest_s: float, longest_s: float) -> float:
    """Return a length in seconds: whole beats of a tempo, a round number, or anything."""
    which = rng.random()
    if which < 0.45:
        lengths = [n * 60 / bpm for bpm in range(60, 181) for n in (4, 8, 16, 32)]
        return float(rng.choice([s for s in lengths if shortest_s <= s <= longest_s]))
    if which < 0.8:
        round_s = [2, 2.5, 3, 4, 5, 6, 7, 7.5, 8, 10, 12, 15, 16, 20]
        return float(rng.choice([s for s in round_s if shortest_s <= s <= longest_s]))
    return float(rng.uniform(shortest_s, longest_s))


def seamless(y: Signal, cross: int) -> Signal:
    """Return a bed that loops without a seam: its last `cross` frames fade into its first."""
    head, tail = y[:cross], y[-cross:]
    fade = np.linspace(0, np.pi / 2, cross)
    return np.concatenate([head * np.sin(fade) + tail * np.cos(fade), y[cross:-cross]])


def faded(rng: Rng, y: Signal, rate_hz: int) -> Signal:
    """Return a sound with a fade at its start, its end, or both."""
    out = y.copy()
    length = min(len(y) // 3, round(rng.uniform(0.05, 3) * rate_hz))
    ramp = np.linspace(0, 1, length) if y.ndim == 1 else np.linspace(0, 1, length)[:, None]
    which = int(rng.integers(3))
    if which != 1:
        out[:length] *= ramp
    if which != 0:
        out[-length:] *= ramp[::-1]
    return out


def deliver(rng: Rng, sound: LabelledSound, folder: Path, number: int) -> Path:
    """Write a sound and return its path.

    Level, rate, channels, bits and format are drawn; a recording keeps its level and rate.
    """
    y, rate = sound.y, sound.rate_hz
    if not sound.as_recorded:
        peak_db = float(
            rng.choice([0, -1, -6, -12, -20, -30, -40, -50], p=[0.2, 0.2, 0.2, 0.15, 0.1, 0.05, 0.05, 0.05])
        )
        y = y / (np.abs(y).max() + 1e-12) * 10 ** (peak_db / 20)
        wanted = int(rng.choice([22_050, 44_100, 44_100, 48_000]))
        y, rate = soxr.resample(y, rate, wanted), wanted
        if y.ndim == 1 and rng.random() < 0.5:
            y = _widened(rng, y)
    y = np.clip(y, -1, 1)
    kind = str(rng.choice(["wav", "mp3", "ogg", "flac"], p=[0.76, 0.08, 0.08, 0.08]))
    bits = str(rng.choice(["PCM_16", "PCM_24"]))
    path = folder / f"{neutral_name(number)}.{kind}"
    if kind in ("wav", "flac"):
        soundfile.write(path, y, rate, subtype=bits)
        return path
    pcm = path.with_suffix(".pcm.wav")
    soundfile.write(pcm, y, rate, subtype="PCM_24")
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-i",
        str(pcm),
        "-fflags",
        "+bitexact",
        *_ENCODERS[kind],
        str(path),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    pcm.unlink()
    return path


def _widened(rng: Rng, y: Signal) -> Signal:
    """Return two channels: the same, panned, or one a few milliseconds later."""
    which = int(rng.integers(3))
    if which == 0:
        return np.stack([y, y], axis=1)
    if which == 1:
        return np.stack([y, rng.uniform(0.2, 0.9) * y], axis=1)
    return np.stack([y, np.roll(y, int(rng.integers(100, 900)))], axis=1)
