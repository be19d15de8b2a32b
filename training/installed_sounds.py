"""Read labelled sounds that anyone can install: Debian's drum kits, samples and soundfonts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr

RATE = 22050
DRUM_KITS = ("BJA_Pacific", "GMRockKit", "HardElectro1", "Millo-Drums_v.1", "TR808EmulationKit")
KIT_ROOT = Path("/usr/share/hydrogen/data/drumkits")
SONIC_PI = Path("/usr/share/sonic-pi/samples")
OPENTTD = Path("/usr/share/games/openttd/baseset/openmsx")
SOUNDFONTS = {
    "fluid": Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),
    "tim": Path("/usr/share/sounds/sf2/TimGM6mb.sf2"),
    "opl": Path("/usr/share/sounds/sf2/OPL-3_FM_128M.sf2"),
    "csound": Path("/usr/share/sounds/sf2/sf_GMbank.sf2"),
}
# Never fitted on: the benchmarks score on it.
HELD_OUT_SOUNDFONTS = {"musescore": Path("/usr/share/sounds/sf3/MuseScore_General_Lite.sf3")}

# The bars of the sonic-pi loops are known. The numbers are beats, which divide each file exactly.
SONIC_PI_LOOPS = {
    "loop_amen": 4, "loop_amen_full": 16, "loop_breakbeat": 4, "loop_compus": 16, "loop_electric": 4,
    "loop_garzul": 16, "loop_industrial": 2, "loop_mehackit1": 4, "loop_mehackit2": 4, "loop_mika": 16,
    "loop_safari": 16, "loop_tabla": 16, "loop_weirdo": 8, "loop_perc1": 4, "loop_perc2": 4,
    "loop_3d_printer": 16,
}  # fmt: skip
# The class of those that hold drums or percussion alone.
SONIC_PI_SOUNDS = {
    **dict.fromkeys(
        ("loop_amen", "loop_amen_full", "loop_breakbeat", "loop_electric", "loop_industrial"), "drums"
    ),
    **dict.fromkeys(("loop_mehackit1", "loop_mehackit2"), "drums"),
    **dict.fromkeys(("loop_tabla", "loop_safari", "loop_perc1", "loop_perc2"), "percussion"),
}
_LABEL_PATTERNS = (
    ("clap", r"clap"),
    ("open hat", r"open|ohh|^hh[23]"),
    ("closed hat", r"^hh|hat|chh|_hh|cymbal_(closed|pedal)|hi_hat"),
    ("cymbal", r"cymbal|crash|ride|splash|china|^cb|^rd|^cra"),
    ("kick", r"^bd|kick|hse_k|_bd|bass_?drum|drum_bass"),
    ("tom", r"tom|^tm"),
    ("shaker", r"shaker|maraca|cabasa"),
    ("rim", r"rim|stick"),
    ("percussion", r"bell|clave|conga|cowbell|tabla|^bl|perc_snap|wood|tri|bongo|perc_"),
    ("snare", r"^sn|snare|powr_sn"),
)
# General MIDI percussion, notes 35 to 81, in order.
GM_DRUM_CLASSES = (
    "kick", "kick", "rim", "snare", "clap", "snare", "tom", "closed hat", "tom", "closed hat", "tom",
    "open hat", "tom", "tom", "cymbal", "tom", "cymbal", "cymbal", "percussion", "percussion", "cymbal",
    "percussion", "cymbal", "percussion", "cymbal", *["percussion"] * 9, "shaker", "shaker",
    *["percussion"] * 11,
)  # fmt: skip


@dataclass(frozen=True)
class DrumHit:
    """A single labelled hit: its source, its class and its sound at `RATE`."""

    group: str
    name: str
    label: str
    y: np.ndarray


def load_mono(path: Path) -> np.ndarray:
    """Read a file as mono float32 at `RATE`."""
    y, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(y.mean(axis=1), rate, RATE).astype(np.float32)


def drum_label(name: str) -> str | None:
    """Return the drum class that a file's name tells, or None."""
    low = name.lower()
    for label, pattern in _LABEL_PATTERNS:
        if re.search(pattern, low):
            return label
    return None


def _audio_files(folder: Path) -> list[Path]:
    """Return the audio files of a folder, sorted by name."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in {".wav", ".flac", ".aiff", ".aif"})


def drum_kit_hits() -> Iterator[DrumHit]:
    """Yield the hits of the five hydrogen kits and of sonic-pi, labelled by file name."""
    folders = [(kit, KIT_ROOT / kit) for kit in DRUM_KITS] + [("sonicpi", SONIC_PI)]
    for group, folder in folders:
        for path in _audio_files(folder):
            wanted = group != "sonicpi" or re.match(r"(bd|drum|sn|tabla|perc|elec|hat)_", path.name)
            label = drum_label(path.stem) if wanted else None
            if path.stem == "drum_roll" or label is None:
                continue
            y = load_mono(path)
            if y.size > RATE // 50 and np.abs(y).max() > 1e-3:
                yield DrumHit(group, path.stem, label, y)


def sonic_pi_tones() -> Iterator[tuple[str, np.ndarray]]:
    """Yield sonic-pi's one-shots that are not drums: ambience, bass, guitar, glitch and the like."""
    for path in _audio_files(SONIC_PI):
        if re.match(r"(ambi|bass|guit|glitch|mehackit|misc|vinyl)_", path.name):
            yield path.stem, load_mono(path)


@cache
def load_named_samples(names: tuple[str, ...]) -> list[np.ndarray]:
    """Return the sonic-pi samples of these names."""
    return [load_mono(SONIC_PI / f"{name}.flac") for name in names]


def sequencer_lane(shot: DrumHit) -> str:
    """Return the sequencer lane that a hit can play."""
    if shot.label in ("closed hat", "open hat"):
        return "ohat" if re.search(r"open|ohh|hh2", shot.name.lower()) else "hat"
    return {"percussion": "perc", "rim": "perc", "shaker": "perc"}.get(shot.label, shot.label)
