"""Loops of sources that no model is fitted on: their parts, their versions, and treated copies.

An arrangement is a groove of MMA's reserved libraries over four chords, played with MuseScore's soundfont.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import signal

from benchmarks.unseen.grooves import draw_groove, groove_files
from benchmarks.unseen.signals import Rng, seeded
from training import augment, soundfont_synth
from training.installed_sounds import HELD_OUT_SOUNDFONTS, RATE
from training.mma_grooves import NOTE_NAMES

TREATMENTS = ("re-tempoed", "transposed", "filtered", "re-encoded", "all four")
LAYERS = ("drums", "bass", "chords")
FIRST, SECOND = "full, bars 1–4", "full, bars 5–8"

_BARS, _LEAD_BARS = 4, 4  # grooves often begin thinly
_DRUM_CHANNEL = 9
_BASS_PROGRAMS = range(32, 40)
_PROGRESSIONS = ((0, 5, 3, 4), (0, 3, 4, 0), (5, 3, 0, 4), (0, 5, 1, 4), (3, 0, 4, 5))
_MAJOR_DEGREES = ((0, ""), (2, "m"), (4, "m"), (5, ""), (7, ""), (9, "m"))
(_SOUNDFONT,) = HELD_OUT_SOUNDFONTS

Sound = np.ndarray
Event = soundfont_synth.Event


@dataclass(frozen=True)
class Arrangement:
    """The items of an arrangement by name: its `LAYERS` as far as it has them, `FIRST` and `SECOND`."""

    name: str
    items: dict[str, Sound]


def arrangements(count: int) -> Iterator[Arrangement]:
    """Yield about so many arrangements, each of a groove of its own, with a key and a tempo of its own."""
    for path in groove_files(count):
        rng = seeded("arrangement", path.stem)
        if (drawn := draw_groove(rng, path)) is None:
            continue
        groove, bpm = drawn
        events = _groove_events(groove, bpm, _draw_chords(rng), int(rng.integers(9999)))
        items = _play_items(events, bpm) if events else {}
        if FIRST in items and SECOND in items:
            yield Arrangement(groove, items)


def treated(y: Sound, rng: Rng) -> Iterator[tuple[str, Sound]]:
    """Yield a loop at another tempo, at another pitch, filtered, as MP3, and all of these at once."""
    ratio = float(2 ** (rng.choice([-1, 1]) * rng.uniform(0.06, 0.2)))
    tempo = ["tempo", f"{ratio:.5f}"]
    pitch = ["pitch", str(100 * int(rng.choice([-3, -2, -1, 1, 2, 3])))]
    low = rng.random() < 0.5
    hz = rng.uniform(1500, 5000) if low else rng.uniform(120, 350)
    sos = signal.butter(2, hz, "low" if low else "high", fs=RATE, output="sos")
    for name, parts in zip(TREATMENTS, ((tempo,), (pitch,), (), (), (tempo, pitch)), strict=True):
        z = augment.normalise(y, 0.7)
        for effect in parts:
            z = _run_sox(z, effect)
        if name in ("filtered", "all four"):
            z = augment.normalise(signal.sosfilt(sos, z).astype(np.float32), 0.7)
        if name in ("re-encoded", "all four"):
            z = augment.mp3_round_trip(z, 128)
        yield name, z


def _run_sox(y: Sound, effect: list[str]) -> Sound:
    raw = ["-t", "raw", "-r", str(RATE), "-e", "signed", "-b", "16", "-c", "1"]
    pcm = (np.clip(y, -1, 1) * 32767).astype("<i2").tobytes()
    done = subprocess.run(
        ["sox", "-V1", *raw, "-", *raw, "-", *effect], input=pcm, capture_output=True, check=True
    )
    return (np.frombuffer(done.stdout, "<i2") / 32768).astype(np.float32)


def _draw_chords(rng: Rng) -> list[str]:
    """Return four chords of a random major key, as MMA writes them."""
    tonic = int(rng.integers(12))
    degrees = _PROGRESSIONS[int(rng.integers(len(_PROGRESSIONS)))]
    return [NOTE_NAMES[(tonic + _MAJOR_DEGREES[d][0]) % 12] + _MAJOR_DEGREES[d][1] for d in degrees]


def _groove_events(groove: str, bpm: int, chords: list[str], seed: int) -> list[Event]:
    """Return the MIDI events of a groove, a chord in each bar; none when MMA refuses it."""
    lines = [f"RndSeed {seed}", f"Tempo {bpm}", f"Groove {groove}"]
    lines += [f"{i + 1} {chords[i % len(chords)]}" for i in range(_LEAD_BARS + 2 * _BARS + 1)]
    with tempfile.TemporaryDirectory() as folder:
        source, midi = Path(folder) / "a.mma", Path(folder) / "a.mid"
        source.write_text("\n".join(lines) + "\n")
        try:
            subprocess.run(
                ["mma", "-f", str(midi), str(source)], check=True, capture_output=True, timeout=300
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return []
        return soundfont_synth.midi_events(midi)


def _play_items(events: list[Event], bpm: int) -> dict[str, Sound]:
    """Return the items that sound."""
    programs = {e[1]: e[3] for e in events if e[2] == "program"}
    channels = {e[1] for e in events if e[2] == "on"}
    bass = {c for c in channels - {_DRUM_CHANNEL} if programs.get(c) in _BASS_PROGRAMS}
    parts = {
        "drums": channels & {_DRUM_CHANNEL},
        "bass": bass,
        "chords": channels - bass - {_DRUM_CHANNEL},
    }
    bar_s = 240 / bpm
    spans = {FIRST: (_LEAD_BARS, channels), SECOND: (_LEAD_BARS + _BARS, channels)}
    spans |= {name: (_LEAD_BARS, chosen) for name, chosen in parts.items()}
    items = {}
    for name, (first, chosen) in spans.items():
        on = soundfont_synth.events_on(events, chosen)
        span = soundfont_synth.events_between(on, first * bar_s, (first + _BARS) * bar_s)
        y = soundfont_synth.render_events(span, _SOUNDFONT, _BARS * bar_s)
        if np.abs(y).max() > 0.003:
            items[name] = augment.normalise(y, 0.7)
    return items
