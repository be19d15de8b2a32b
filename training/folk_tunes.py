"""Read folk tunes whose key an editor declared, and harmonise them by rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.compose import Note
from training.harmony import NEXT_CHORDS, TRIADS, Chord, Harmony

COLLECTIONS = ("oneills1850", "ryansMammoth", "airdsAirs", "miscFolk", "essenFolksong")
MINOR_MODES = ("minor", "aeolian", "dorian", "phrygian")
_MINOR_KEY = re.compile(r"^K:\s*[A-G][b#]?\s*(m(?!aj|ix)|dor|aeo|phr)", re.I | re.M)
MAJOR_MODES = ("major", "ionian", "mixolydian", "lydian")


@dataclass(frozen=True)
class Tune:
    """A melody from its first full bar, in quarter notes, with the key declared for it."""

    source: str
    notes: tuple[Note, ...]
    beats_per_bar: int
    tonic: int
    minor: bool


def read_tunes(rng: np.random.Generator, per_file: int) -> Iterator[Tune]:
    """Yield tunes in even bars that end on the declared tonic, at most so many from each file."""
    from music21 import corpus

    for collection in COLLECTIONS:
        paths = sorted(str(p) for p in corpus.getComposer(collection) if str(p).endswith(".abc"))
        songs = [
            (f"{collection}-{Path(path).stem}", song)
            for path in paths
            for song in re.split(r"\n(?=X:)", Path(path).read_text(errors="replace"))
            if "K:" in song
        ]
        taken: dict[str, int] = {}
        for i in rng.permutation(len(songs)):
            source, song = songs[i]
            if collection == "ryansMammoth":  # this collection has one tune in each file
                source = f"ryan-{sum(map(ord, source)) % 30}"
            # There are few minor tunes, so twice as many of them may come from one file.
            name = f"{source} {'minor' if (minor := bool(_MINOR_KEY.search(song))) else 'major'}"
            if (
                taken.get(name, 0) < per_file * (1 + minor)
                and (tune := _parse_tune(source, song)) is not None
            ):
                taken[name] = taken.get(name, 0) + 1
                yield tune


def _parse_tune(source: str, song: str) -> Tune | None:
    """Return the tune, or None when it cannot be read or does not qualify."""
    from music21 import converter

    try:
        score = converter.parse(song, format="abc")
        key = next(iter(score.recurse().getElementsByClass("Key")))
        bars = float(
            next(iter(score.recurse().getElementsByClass("TimeSignature"))).barDuration.quarterLength
        )
        notes = [n for n in score.flatten().notes if n.isNote and n.quarterLength > 0]
        start = float(score.recurse().getElementsByClass("Measure")[1].offset)
    except Exception:  # the parser raises many types; a tune it cannot read is left out
        return None
    known = key.mode in MINOR_MODES or key.mode in MAJOR_MODES
    if bars not in (2.0, 3.0, 4.0) or len(notes) < 16 or not known:
        return None
    if notes[-1].pitch.pitchClass != key.tonic.pitchClass:
        return None
    start = start if start < bars else 0.0
    heard = tuple(
        (float(n.offset) - start, float(n.quarterLength) * 0.95, int(n.pitch.midi), 90)
        for n in notes
        if n.offset >= start
    )
    return Tune(
        source, heard, int(max(bars, 3)) if bars != 2 else 4, key.tonic.pitchClass, key.mode in MINOR_MODES
    )


def harmonise(tune: Tune, slot: float, rng: np.random.Generator) -> Harmony:
    """Return the most likely chords under a melody, found with the Viterbi algorithm.

    A chord scores by the tones it shares with the melody, and by how often it follows the chord before.
    """
    end = max(beat + length for beat, length, _, _ in tune.notes)
    slots = max(2, int(np.ceil(end / slot)))
    follows = NEXT_CHORDS[tune.minor]
    chords = list(follows)
    home = chords.index((0, "m" if tune.minor else ""))
    fit = np.stack([_shared_tones(tune, chord, slot, slots) for chord in chords], axis=1)
    fit += 0.35 * rng.standard_normal(fit.shape)
    fit[0, home] += 1.0
    fit[-1, home] += 2.0
    step = np.array([[_step_score(follows, a, b) for b in chords] for a in chords])
    best, back = fit[0], np.zeros((slots, len(chords)), dtype=int)
    for at in range(1, slots):
        total = best[:, None] + step
        back[at] = total.argmax(axis=0)
        best = total.max(axis=0) + fit[at]
    path = [int(best.argmax())]
    for at in range(slots - 1, 0, -1):
        path.append(int(back[at, path[-1]]))
    named = tuple(chords[i] for i in reversed(path))
    return Harmony(tune.tonic, tune.minor, named, slot, bool(rng.random() < 0.25))


def _shared_tones(tune: Tune, chord: Chord, slot: float, slots: int) -> np.ndarray:
    """Return, for each slot, how long the melody stays on tones of a chord, less the time beside them."""
    tones = {(tune.tonic + chord[0] + t) % 12 for t in TRIADS[chord[1]]}
    out = np.zeros(slots)
    for beat, length, pitch, _ in tune.notes:
        out[min(max(int(beat // slot), 0), slots - 1)] += (1.2 if pitch % 12 in tones else -0.8) * min(
            length, slot
        )
    return out


def _step_score(follows: dict[Chord, dict[Chord, float]], a: Chord, b: Chord) -> float:
    """Return the score of going from one chord to another."""
    if a == b:
        return -0.3
    share = follows[a].get(b, 0.0) / sum(follows[a].values())
    return float(np.log(share + 0.01)) * 0.5


def cut_excerpt(tune: Tune, h: Harmony, bar: int, bars: int) -> tuple[list[Note], Harmony]:
    """Return some bars of a tune with their chords; beats are counted from the first of these bars."""
    start, stop = bar * tune.beats_per_bar, (bar + bars) * tune.beats_per_bar
    notes = [(b - start, min(d, stop - b), p, v) for b, d, p, v in tune.notes if start <= b < stop]
    first = int(start // h.beats_per_chord)
    count = max(1, int(np.ceil((stop - start) / h.beats_per_chord)))
    return notes, Harmony(h.tonic, h.minor, h.chords[first : first + count], h.beats_per_chord, h.seventh)
