"""Ways to change the length of a sound: ours, and programs and libraries that people use."""

from __future__ import annotations

import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from app.audio.analyzer import analyze_sound
from app.audio.render.slice_stretch import move_slices
from app.audio.render.whole_stretch import stretch_whole
from benchmarks.stretch.signals import RATE_HZ

Stretch = Callable[[np.ndarray, int], np.ndarray]
"""Given samples, shape (frames, 2), and a length in frames, return the stretched samples."""

SLICES, WHOLE, VOCODER = "ours: slices moved", "ours: as a whole", "librosa phase vocoder"


def by_slices(sound: np.ndarray, frames: int) -> np.ndarray:
    """Move the slices at the onsets that the ear finds."""
    onsets = [round(t * RATE_HZ) for t, _ in analyze_sound(sound, RATE_HZ).onsets]
    return move_slices(sound, onsets, frames, RATE_HZ)


def by_librosa(sound: np.ndarray, frames: int) -> np.ndarray:
    """Stretch by librosa's phase vocoder, with its defaults."""
    import librosa

    made = librosa.effects.time_stretch(sound.T, rate=len(sound) / frames)
    return librosa.util.fix_length(made, size=frames).T


def by_program(*command: str) -> Stretch:
    """Return the way of a program; {ratio}, {tempo}, {percent}, {in} and {out} are filled in."""

    def run(sound: np.ndarray, frames: int) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "in.wav", Path(folder) / "out.wav"
            soundfile.write(source, sound, RATE_HZ, subtype="FLOAT")
            ratio = frames / len(sound)
            words = {
                "ratio": f"{ratio:.9f}",
                "tempo": f"{1 / ratio:.9f}",
                "percent": f"{100 / ratio - 100:.9f}",
                "in": str(source),
                "out": str(target),
            }
            subprocess.run([part.format(**words) for part in command], check=True, capture_output=True)
            return soundfile.read(target, dtype="float32", always_2d=True)[0]

    return run


PROGRAMS: dict[str, tuple[str, ...]] = {
    "Rubber Band R3": ("rubberband", "-3", "-t", "{ratio}", "{in}", "{out}"),
    "Rubber Band R2, crispness 6": ("rubberband", "-2", "-c", "6", "-t", "{ratio}", "{in}", "{out}"),
    "SoundTouch": ("soundstretch", "{in}", "{out}", "-tempo={percent}"),
    "SoX tempo 30 7 5": ("sox", "{in}", "{out}", "tempo", "{tempo}", "30", "7", "5"),
}


def all_ways() -> dict[str, Stretch]:
    """Return every way there is on this machine, ours first."""
    ways: dict[str, Stretch] = {
        SLICES: by_slices,
        WHOLE: lambda sound, frames: stretch_whole(sound, frames, RATE_HZ),
        VOCODER: by_librosa,
    }
    programs = {name: by_program(*command) for name, command in PROGRAMS.items() if shutil.which(command[0])}
    return ways | programs


def processor_s(stretch: Stretch, sound: np.ndarray, frames: int, rounds: int = 3) -> float:
    """Return the least processor time of some rounds, that of child processes included."""
    times = []
    for _ in range(rounds):
        before = _used_s()
        stretch(sound, frames)
        times.append(_used_s() - before)
    return min(times)


def _used_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
