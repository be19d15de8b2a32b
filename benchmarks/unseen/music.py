"""Music, hits and notes of sources that no model is fitted on, with their keys, classes and pitches."""

from __future__ import annotations

import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import soundfile

from app.music.pitch_names import PITCH_NAMES
from benchmarks.unseen import grooves
from benchmarks.unseen.delivery import LabelledSound
from benchmarks.unseen.signals import Rng, Signal, frames, seeded
from training.harmony import Harmony, chord_at, decides_key, functional_harmony, table_harmony
from training.one_shots import TONE_PROGRAMS

GROOVE, TRACK, HIT, NOTE = "groove", "track", "hit", "note"
# Debian's avldrums soundfonts hold the same recordings of hats, claps, splashes and a tambourine.
_SHARED_KITS = ("The Black Pearl 1.0", "Gimme A Hand 1.0")
_EACH_CLASS = 5  # hits of one class and kit
_HITS = (
    ("clap", r"clap"),
    ("open hat", r"hi?hat-?open|hhat.*open|hhopen|^ho_|hat_op|hat \d op"),
    ("closed hat", r"hihat-?(closed|foot)|hhclosed|hhpedal|^hh_|hat_cl|hat \d (cl|pd)|hat-light"),
    ("cymbal", r"crash|^ride|china|splash|^cc_|^rc_"),
    ("rim", r"rimclick|^rim_|stick-rim"),
    ("snare", r"^snare-\d|snare-opaque.*normal|^sd_|jsnare|ee_snare|vp snare|bit-snare|snare-snappy"),
    ("kick", r"kick|^bd_|^bassdrum"),
    ("tom", r"(?<![a-z])tom|floortom|^ft_|^t\d_"),
    ("shaker", r"maraca"),
    ("percussion", r"agogo|bongo|clave|cowbell|tambourine|woodblock|conga|djembe|bell|mc_cb"),
)  # fmt: skip
_APART_S, _TICKS_PER_S = 6.0, 960
_UNPITCHED = (9, 13, 14, 29, 30, 112)
_RANGES = {"bass": (26, 50), "pad": (45, 76), "fx": (45, 76), "vocal-like": (48, 78)}


def labelled_music(count: int) -> Iterator[LabelledSound]:
    """Yield so many grooves, a fifth as many tracks, and every hit and note."""
    if missing := grooves.missing_sources():
        print(f"Without {', '.join(missing)}: apt install {grooves.PACKAGES}", file=sys.stderr)
        return
    yield from _grooves(GROOVE, count, (2, 4, 4, 8))
    yield from _grooves(TRACK, count // 5, (24,))
    yield from _kit_hits()
    yield from _notes()


def _grooves(sort: str, count: int, lengths: tuple[int, ...]) -> Iterator[LabelledSound]:
    """Yield grooves over progressions whose notes decide the key, one chord a bar."""
    for path in grooves.groove_files(count):
        rng = seeded(sort, path.stem)
        if (drawn := grooves.draw_groove(rng, path)) is None:
            continue
        groove, bpm = drawn
        bars, h = int(rng.choice(lengths)), _draw_harmony(rng)
        names = [PITCH_NAMES[(h.tonic + r) % 12] + {"": "", "m": "m", "d": "dim"}[q] for r, q in h.chords]
        y = grooves.play_groove(groove, bpm, names, bars, int(rng.integers(9999)))
        if y is not None:
            yield LabelledSound(
                sort, y, ("loop",), bpm, origin=groove, key=h.key if _decides(h, bars) else None
            )


def _draw_harmony(rng: Rng) -> Harmony:
    """Return four or fewer chords, so that each heard part begins with the first one."""
    while True:
        draw = table_harmony if rng.random() < 0.5 else functional_harmony
        h = draw(rng, int(rng.integers(12)), bool(rng.random() < 0.5), 4)
        if 4 % len(h.chords) == 0:
            return h


def _decides(h: Harmony, bars: int) -> bool:
    """Return whether the chords of the heard bars decide the key."""
    slow = replace(h, beats_per_chord=1.0)
    pitches = [chord_at(slow, b)[0] + t for b in range(bars) for t in chord_at(slow, b)[1]]
    return decides_key(slow, bars, {"chords": pitches})


def _kit_hits() -> Iterator[LabelledSound]:
    """Yield hits of the reserved kits whose names tell their class, a few of each class and kit."""
    for folder in grooves.reserved_kits():
        found: dict[str, list[Path]] = defaultdict(list)
        for path in sorted(folder.iterdir()) if folder.name not in _SHARED_KITS else ():
            named = next((name for name, pattern in _HITS if re.search(pattern, path.stem, re.I)), None)
            if path.suffix in (".wav", ".flac") and named is not None:
                found[named].append(path)
        for named, paths in found.items():
            for path in paths[:: -(-len(paths) // _EACH_CLASS)]:
                y, rate = soundfile.read(path, always_2d=True)
                origin = f"{folder.name}/{path.name}"
                yield LabelledSound(HIT, y, ("one-shot",), None, rate, origin, as_recorded=True, sound=named)


def _notes() -> Iterator[LabelledSound]:
    """Yield a note of each program of MuseScore's soundfont, with the class of the program."""
    rng, drawn = seeded(NOTE), []
    for tone, programs in TONE_PROGRAMS.items():
        for program in programs:
            note = int(rng.integers(*_RANGES.get(tone, (40, 86))))
            drawn.append((tone, program, note, float(rng.choice([0.3, 0.6, 1.2, 2.5]))))
    played = _play_apart([(program, note, length_s) for _, program, note, length_s in drawn])
    for (tone, program, note, _), y in zip(drawn, played, strict=True):
        is_pitched = tone != "fx" and program not in _UNPITCHED
        yield LabelledSound(
            NOTE, y, ("one-shot",), origin=f"{tone} {program}", sound=tone,
            note=float(note) if is_pitched else None,
        )  # fmt: skip


def _play_apart(notes: Sequence[tuple[int, int, float]]) -> list[Signal]:
    """Return each note (program, pitch, length in seconds) with its release, without silence at its end.

    All are played in one go, because loading the soundfont takes longer than a note.
    """
    track, ticks = mido.MidiTrack(), _TICKS_PER_S
    for program, note, length_s in notes:
        track += [
            mido.Message("program_change", program=program),
            mido.Message("note_on", note=note, velocity=95),
            mido.Message("note_off", note=note, time=round(length_s * ticks)),
            mido.Message("control_change", control=7, value=100, time=round((_APART_S - length_s) * ticks)),
        ]
    with tempfile.TemporaryDirectory() as folder:
        midi = Path(folder) / "a.mid"
        mido.MidiFile(tracks=[track], ticks_per_beat=_TICKS_PER_S // 2).save(midi)  # 120 beats a minute
        y = grooves.play_midi(midi)
    step = frames(_APART_S)
    return [_without_silence(y[i * step : (i + 1) * step]) for i in range(len(notes))]


def _without_silence(y: Signal) -> Signal:
    """Return a sound up to where it falls below -60 dB."""
    loud = np.flatnonzero(np.abs(y).max(axis=1) > 1e-3)
    return y[: loud[-1] + 1] if loud.size else y
