"""Grooves from sources kept for scoring: MMA's other libraries, MuseScore's soundfont, other drum kits."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr

from benchmarks.unseen.hits import Grid
from benchmarks.unseen.signals import RATE_HZ, Rng, Signal, frames, seeded

MMA_LIBRARY = Path("/usr/share/mma/lib")
SOUNDFONT = Path("/usr/share/sounds/sf3/MuseScore_General_Lite.sf3")
KITS = Path("/usr/share/hydrogen/data/drumkits")
PACKAGES = "mma fluidsynth musescore-general-soundfont-small hydrogen-drumkits hydrogen-data"
# Compound time, marches and the like, whose declared tempo is not the beat.
_UNCLEAR = re.compile(
    r"68|march|polka|quickstep|foxtrot|twist|waltz|fast|bouncy|swing|basie|metal|trio", re.I
)
_TEMPI = {
    "ballad|slow|serenade|mellow|soul|oldie": (66, 96), "house|techno|trance|rave|dance": (118, 140),
    "hip|trip|r\\+b|modernrb": (78, 100),
}  # fmt: skip
_LIBRARIES = ("casio", "yamaha", "pflib", "alexis")
_PROGRESSIONS = (
    ["Am", "F", "C", "G"], ["C", "C", "F", "G"], ["Dm", "G", "C", "Am"], ["Em", "Em", "Am", "B"],
)  # fmt: skip
_LEAD_BARS = 4  # not heard: grooves often begin thinly
_FITTED_KITS = ("BJA_Pacific", "GMRockKit", "HardElectro1", "Millo-Drums_v.1", "TR808EmulationKit", "GMkit")
_NAMES = {
    "kick": re.compile(r"kick|bass.?drum|bass$|thump|^bd|_bd", re.I),
    "snare": re.compile(r"snare|^sn|_sn|clap|slap|rim", re.I),
    "hat": re.compile(r"hat|^hh|_hh|shak|maraca|tamb|click|finger|cl-?hh", re.I),
}
_PATTERNS = (
    ((0, 2), (1, 3), 2), ((0, 1.5, 2.5), (1, 3), 2), ((0, 1, 2, 3), (1, 3), 2), ((0, 2.5), (1, 3), 4),
    ((0, 1.75, 2), (1, 2.75, 3), 4), ((0, 1.5, 3), (2,), 2),
)  # fmt: skip


def mma_grooves(count: int) -> Iterator[tuple[str, Signal, float]]:
    """Yield name, sound and tempo of grooves of the reserved libraries, one, two, four or eight bars."""
    for path in groove_files(count):
        rng = seeded("mma", path.stem)
        if (drawn := draw_groove(rng, path)) is None:
            continue
        groove, bpm = drawn
        chords = rng.choice(_PROGRESSIONS)
        seed, bars = int(rng.integers(9999)), int(rng.choice([1, 2, 4, 8]))
        if (y := play_groove(groove, bpm, chords, bars, seed)) is not None:
            yield f"{path.parent.name}/{path.stem}", y, bpm


def groove_files(count: int) -> list[Path]:
    """Return so many files of the reserved libraries, from all of them."""
    libraries = (sorted((MMA_LIBRARY / name).glob("*.mma")) for name in _LIBRARIES)
    files = [p for found in libraries for p in found if not _UNCLEAR.search(p.stem)]
    return files[:: max(1, len(files) // count)][:count]


def draw_groove(rng: Rng, path: Path) -> tuple[str, int] | None:
    """Return a groove of a file, as MMA names it, and a tempo that suits its style; None if it has none."""
    names = re.findall(r"^\s*DefGroove\s+(\S+)", path.read_text(errors="replace"), re.M | re.I)
    names = [n for n in names if not re.search(r"intro|end|fill|sus$|sync", n, re.I)]
    span = next((s for pattern, s in _TEMPI.items() if re.search(pattern, path.stem, re.I)), (88, 132))
    bpm = round(rng.uniform(*span))
    return (f"{path.parent.name}/{path.stem}:{rng.choice(names)}", bpm) if names else None


def kit_grooves() -> Iterator[tuple[str, Signal, float]]:
    """Yield name, sound and tempo of three patterns played by each drum kit that was not fitted on."""
    for folder in reserved_kits():
        rng = seeded("kit", folder.name)
        for index in range(3):
            sounds = {lane: _kit_sound(rng, folder, pattern) for lane, pattern in _NAMES.items()}
            if sounds["kick"] is None or sounds["snare"] is None:
                break
            bpm = round(rng.uniform(76, 150))
            yield f"{folder.name}/{index}", _sequenced(rng, bpm, sounds), bpm


def reserved_kits() -> list[Path]:
    """Return the folders of the drum kits that no model is fitted on."""
    return sorted(p for p in KITS.iterdir() if p.is_dir() and p.name not in _FITTED_KITS)


def missing_sources() -> list[str]:
    """Return the paths of what the grooves are made of that do not exist."""
    return [str(p) for p in (MMA_LIBRARY / "casio", SOUNDFONT, KITS) if not p.exists()]


def play_groove(groove: str, bpm: int, chords: Sequence[str], bars: int, seed: int) -> Signal | None:
    """Return some bars of a groove, a chord in each, cut so that they loop; None when MMA refuses it."""
    lines = [f"RndSeed {seed}", f"Tempo {bpm}", f"Groove {groove}"]
    lines += [f"{i + 1} {chords[i % len(chords)]}" for i in range(_LEAD_BARS + bars + 1)]
    with tempfile.TemporaryDirectory() as folder:
        source, midi = Path(folder) / "a.mma", Path(folder) / "a.mid"
        source.write_text("\n".join(lines) + "\n")
        try:
            subprocess.run(
                ["mma", "-f", str(midi), str(source)], check=True, capture_output=True, timeout=300
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return None
        y = play_midi(midi)
    y = y[frames(_LEAD_BARS * 240 / bpm) : frames((_LEAD_BARS + bars) * 240 / bpm)]
    return y if len(y) and np.abs(y).max() > 0.01 else None


def play_midi(midi: Path) -> Signal:
    """Return what fluidsynth makes of a MIDI file with MuseScore's soundfont, in two channels."""
    wav = midi.with_suffix(".wav")
    shape = ["-g", "0.6", "-r", str(RATE_HZ), "-F", str(wav), "-T", "wav", "-O", "float"]
    quick = [
        "-o",
        "synth.dynamic-sample-loading=1",
    ]  # the soundfont is large, and few of its sounds are heard
    command = ["fluidsynth", "-ni", "-q", *quick, *shape, str(SOUNDFONT), str(midi)]
    subprocess.run(command, check=True, capture_output=True, timeout=900)
    y, _ = soundfile.read(wav)
    return np.asarray(y)


def _sequenced(rng: Rng, bpm: int, sounds: dict[str, Signal | None]) -> Signal:
    """Return one, two or four bars of a pattern, with hats where the kit has any."""
    low, high, steps = _PATTERNS[int(rng.integers(len(_PATTERNS)))]
    grid = Grid(bpm, 4 * int(rng.choice([1, 2, 4])))
    for bar in range(int(grid.beats / 4)):
        for lane, places in (("kick", low), ("snare", high), ("hat", [i / steps for i in range(4 * steps)])):
            sound = sounds[lane]
            for at in places if sound is not None else ():
                grid.put(
                    sound, bar * 4 + at, rng.uniform(0.35, 0.6) if lane == "hat" else rng.uniform(0.85, 1)
                )
    return grid.y


def _kit_sound(rng: Rng, folder: Path, pattern: re.Pattern[str]) -> Signal | None:
    """Return a random sound of a kit whose file name fits, at most a second long."""
    files = [
        p
        for p in sorted(folder.iterdir())
        if p.suffix.lower() in (".wav", ".flac") and pattern.search(p.stem)
    ]
    return _loaded(files[int(rng.integers(len(files)))]) if files else None


@cache
def _loaded(path: Path) -> Signal:
    """Return a hit as one channel with its peak at 1."""
    y, rate = soundfile.read(path, always_2d=True)
    y = soxr.resample(y.mean(axis=1), rate, RATE_HZ)[:RATE_HZ]
    return y / (np.abs(y).max() + 1e-12)
