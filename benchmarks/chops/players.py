"""Play rhythms with drum kits of Debian packages, and tell when each stroke can first be heard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr

from benchmarks.alike.kits import KIT_ROOT, kit_hits
from benchmarks.chops.rhythms import Rhythm, Stroke
from benchmarks.unseen.signals import seeded
from training.installed_sounds import DRUM_KITS
from training.soundfont_synth import SYNTH_RATE as RATE_HZ
from training.soundfont_synth import Event, render_stereo

PACKAGES = (
    "hydrogen-drumkits hydrogen-data fluid-soundfont-gm timgm6mb-soundfont fluidsynth "
    "musescore-general-soundfont-small"
)
# Where a stroke begins: where it first comes within so much of the peak of its first half second, when it
# sounds alone, or where its note is written.
ATTACK, FIRST_SOUND, WRITTEN = "10 % of its peak", "1 % of its peak", "as written"
BEGINNINGS = {ATTACK: 0.1, FIRST_SOUND: 0.01, WRITTEN: None}
_PEAK_S = 0.5
# fluidsynth begins notes at multiples of so many frames.
BLOCK = 64
_LEVELS = {
    "kick": 1.0, "snare": 0.9, "clap": 0.7, "rim": 0.5, "hat": 0.4, "open hat": 0.4, "tom": 0.8, "ride": 0.4,
    "hand drum": 0.6,
}  # fmt: skip
# How loud a stroke is by its force: 0.2 is a ghost note, 21 dB below an accent.
_FORCE_POWER = 1.5
_GM_NOTES = {
    "kick": 36, "snare": 38, "clap": 39, "rim": 37, "hat": 42, "open hat": 46, "tom": 45, "ride": 51,
    "hand drum": 63,
}  # fmt: skip
_KIT_CLASSES = {"rim": "stick"}
_INSTEAD = {
    "clap": "snare",
    "rim": "snare",
    "hand drum": "tom",
    "open hat": "hat",
    "ride": "hat",
    "tom": "snare",
}
_BASS_PROGRAM, _PAD_PROGRAM = 33, 89
_BASS_LEVEL, _PAD_LEVEL, _PEAK = 0.5, 0.25, 0.7
_CHOKE_S = 0.02
TUNED_ON_FONTS, KEPT_BACK_FONTS = ("fluid", "tim"), ("musescore",)

Times = dict[str, float]
"""Where a stroke begins in seconds, by each of `BEGINNINGS`."""

Player = Callable[[Rhythm], tuple[np.ndarray, list[Times]]]
"""Return samples, shape (frames, 2) at `RATE_HZ`, and where each stroke begins."""


def players(is_kept_back: bool) -> dict[str, Player]:
    """Return the kits of one half: kits and soundfonts that models are fitted on, or the others."""
    kits = sorted(p.name for p in KIT_ROOT.iterdir() if (p.name in DRUM_KITS) != is_kept_back)
    able = [name for name in kits if {"kick", "snare", "hat"} <= _kit_files(name).keys()]
    fonts = KEPT_BACK_FONTS if is_kept_back else TUNED_ON_FONTS
    made: dict[str, Player] = {name: _kit_player(name, fonts[0]) for name in able}
    return made | {name: _font_player(name) for name in fonts}


def _kit_player(kit: str, font: str) -> Player:
    return lambda rhythm: _play_kit(kit, font, rhythm)


def _font_player(font: str) -> Player:
    return lambda rhythm: _play_font(font, rhythm)


@cache
def _kit_files(kit: str) -> dict[str, list[Path]]:
    """Return the hits of a kit by class."""
    found: dict[str, list[Path]] = defaultdict(list)
    for hit in kit_hits():
        if hit.kit == kit:
            found[hit.label].append(hit.path)
    return dict(found)


@cache
def _hit(path: Path) -> np.ndarray:
    """Return a hit in two channels with its peak at 1, shape (frames, 2)."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    samples = np.repeat(samples, 2, axis=1)[:, :2] if samples.shape[1] == 1 else samples[:, :2]
    samples = soxr.resample(samples, rate, RATE_HZ) if rate != RATE_HZ else samples
    return samples / max(float(np.abs(samples).max()), 1e-6)


def times_of(at_s: float, alone: np.ndarray) -> Times:
    """Return where a stroke begins that is written at a time and sounds like this alone."""
    level = np.abs(alone).max(axis=1)
    peak = level[: round(_PEAK_S * RATE_HZ)].max()
    return {
        name: at_s + (int(np.argmax(level >= share * peak)) / RATE_HZ if share else 0.0)
        for name, share in BEGINNINGS.items()
    }


def _play_kit(kit: str, font: str, rhythm: Rhythm) -> tuple[np.ndarray, list[Times]]:
    """Play the hits of a kit; one file for each drum, an open hat until the next hat."""
    files, rng = _kit_files(kit), seeded(kit, rhythm.name)
    chosen: dict[str, np.ndarray] = {}
    made = np.zeros((round(rhythm.duration_s * RATE_HZ), 2), dtype=np.float32)
    heard: list[Times] = []
    for stroke in rhythm.strokes:
        drum = stroke.drum
        if drum not in chosen:
            have = _files_for(files, drum)
            chosen[drum] = _hit(have[int(rng.integers(len(have)))])
        at = max(round(stroke.time_s * RATE_HZ), 0)
        hit = chosen[drum] * np.float32(_LEVELS[drum] * stroke.force**_FORCE_POWER)
        hit = hit[: len(made) - at]
        if drum == "open hat":
            hit = _choked(hit, stroke, rhythm.strokes)
        made[at : at + len(hit)] += hit
        heard.append(times_of(at / RATE_HZ, chosen[drum]))
    beside, more = _play_beside(font, rhythm)
    return _levelled(made, beside), heard + more


def _files_for(files: dict[str, list[Path]], drum: str) -> list[Path]:
    """Return the files of a drum, or of the one that plays in its place."""
    while (name := _KIT_CLASSES.get(drum, drum)) not in files:
        drum = _INSTEAD[drum]
    return files[name]


def _choked(hit: np.ndarray, stroke: Stroke, strokes: Sequence[Stroke]) -> np.ndarray:
    """Return an open hat that ends where the next hat is played."""
    after = [s.time_s for s in strokes if s.drum in ("hat", "open hat") and s.time_s > stroke.time_s + 0.01]
    frames = round((min(after, default=1e9) - stroke.time_s) * RATE_HZ)
    fade = round(_CHOKE_S * RATE_HZ)
    if frames + fade >= len(hit):
        return hit
    ended = hit[: frames + fade].copy()
    ended[frames:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    return ended


def _play_font(font: str, rhythm: Rhythm) -> tuple[np.ndarray, list[Times]]:
    """Play the drums of a soundfont."""
    events: list[Event] = [(0.0, 9, "program", 0, 0)]
    heard: list[Times] = []
    for stroke in rhythm.strokes:
        at, velocity = _on_block(stroke.time_s), max(round(stroke.force * 120), 1)
        events.append((at, 9, "on", _GM_NOTES[stroke.drum], velocity))
        heard.append(times_of(at, _note_alone(font, 9, 0, _GM_NOTES[stroke.drum], velocity)))
    made = _rendered(events, font, rhythm.duration_s)
    beside, more = _play_beside(font, rhythm)
    return _levelled(made / max(float(np.abs(made).max()), 1e-6), beside), heard + more


def _on_block(time_s: float) -> float:
    return (max(round(time_s * RATE_HZ / BLOCK), 0) * BLOCK + 0.5) / RATE_HZ


def _rendered(events: list[Event], font: str, duration_s: float) -> np.ndarray:
    render_stereo([], font, 6.0)  # what still rings from before
    return render_stereo(events, font, duration_s, reverb=False)


@cache
def _note_alone(font: str, channel: int, program: int, pitch: int, velocity: int) -> np.ndarray:
    events: list[Event] = [(0.0, channel, "program", program, 0), (0.0, channel, "on", pitch, velocity)]
    return _rendered(events, font, 1.0)


def _play_beside(font: str, rhythm: Rhythm) -> tuple[np.ndarray, list[Times]]:
    """Play bass and chords. Notes of the bass count as strokes; chords swell and have no clear start."""
    made = np.zeros((round(rhythm.duration_s * RATE_HZ), 2), dtype=np.float32)
    heard: list[Times] = []
    parts = ((rhythm.bass, _BASS_PROGRAM, _BASS_LEVEL), (rhythm.chords, _PAD_PROGRAM, _PAD_LEVEL))
    for notes, program, level in parts:
        if not notes:
            continue
        events: list[Event] = [(0.0, 0, "program", program, 0)]
        for beat, length, pitch, velocity in notes:
            at = _on_block(beat * 60 / rhythm.bpm)
            events += [(at, 0, "on", pitch, velocity), (at + length * 60 / rhythm.bpm, 0, "off", pitch, 0)]
            if program == _BASS_PROGRAM:
                heard.append(times_of(at, _note_alone(font, 0, program, pitch, velocity)))
        played = _rendered(events, font, rhythm.duration_s)[: len(made)]
        made[: len(played)] += level * played / max(float(np.abs(played).max()), 1e-6)
    return made, heard


def _levelled(drums: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """Return the mix with its peak at -3 dB."""
    frames = min(len(drums), len(beside))
    mixed = drums[:frames] / max(float(np.abs(drums).max()), 1e-6) + beside[:frames]
    return np.asarray(_PEAK * mixed / max(float(np.abs(mixed).max()), 1e-6), dtype=np.float32)
