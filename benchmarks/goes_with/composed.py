"""Layers of one arrangement, written by the composer of the training corpus and played each by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.unseen.signals import Rng, seeded
from training import augment, compose, drum_patterns, harmony, soundfont_synth
from training.installed_sounds import HELD_OUT_SOUNDFONTS
from training.production import GM_LANES, PART_PROGRAMS

LAYERS = ("drums", "bass", "chords", "melody")
PLAIN, TRANSPOSED, RETIMED = "as it is", "transposed", "at another tempo"
VERSIONS = (PLAIN, TRANSPOSED, RETIMED)
MAX_TRANSPOSE, LEAST_RATIO, MOST_RATIO = 2, 0.04, 0.14  # of the tempo, as log2
_BARS, _BEATS = 4, 16
_SILENCE = 0.003
_DRUM_CHANNEL = 9
(_SOUNDFONT,) = HELD_OUT_SOUNDFONTS

Sound = np.ndarray


@dataclass(frozen=True)
class Score:
    """What is played: the notes of each layer in beats, and the hits of the drums."""

    bpm: float
    swing: float
    drums: drum_patterns.Lanes
    notes: dict[str, list[compose.Note]]
    programs: dict[str, int]


@dataclass(frozen=True)
class Layer:
    """A layer of an arrangement in one version."""

    arrangement: int
    name: str
    version: str
    score: Score

    def play(self) -> Sound | None:
        """Return its sound, mono at `RATE`; None where it has no notes."""
        sound = _play_layer(self.score, self.name)
        return augment.normalise(sound, 0.7) if np.abs(sound).max() > _SILENCE else None


def composed_layers(count: int) -> Iterator[Layer]:
    """Yield every layer of so many arrangements in each of `VERSIONS`; drums are not transposed."""
    for number in range(count):
        rng = seeded("goes with", number)
        score = _write_score(rng)
        steps = int(rng.choice([-1, 1])) * int(rng.integers(1, MAX_TRANSPOSE + 1))
        ratio = 2 ** (float(rng.choice([-1, 1])) * rng.uniform(LEAST_RATIO, MOST_RATIO))
        versions = {
            PLAIN: score,
            TRANSPOSED: replace(score, notes=_transposed(score.notes, steps)),
            RETIMED: replace(score, bpm=round(score.bpm * ratio, 2)),
        }
        for version, played in versions.items():
            for name in LAYERS:
                if not (name == "drums" and version == TRANSPOSED):
                    yield Layer(number, name, version, played)


def _write_score(rng: Rng) -> Score:
    styles = drum_patterns.STYLES
    style = str(rng.choice(sorted(name for name in styles if name != "waltz")))
    (slow, fast), _, _ = styles[style]
    bpm = float(round(rng.uniform(slow, fast)))
    hits, swing = drum_patterns.drum_hits(rng, style, _BARS, 4)
    h = harmony.functional_harmony(rng, int(rng.integers(12)), bool(rng.random() < 0.6), 4)
    notes = {
        "bass": compose.bass_line(rng, h, _BEATS, hits.get("kick", [])),
        "chords": compose.chord_part(rng, h, _BEATS),
        "melody": compose.melody_line(rng, h, _BEATS),
    }
    programs = {name: int(rng.choice(PART_PROGRAMS[name])) for name in notes}
    return Score(bpm, swing, hits, notes, programs)


def _transposed(notes: dict[str, list[compose.Note]], steps: int) -> dict[str, list[compose.Note]]:
    return {name: [(b, d, p + steps, v) for b, d, p, v in line] for name, line in notes.items()}


def _play_layer(score: Score, name: str) -> Sound:
    if name == "drums":
        events = [
            (
                beat * 60 / score.bpm,
                _DRUM_CHANNEL,
                "on",
                GM_LANES[lane][0],
                int(np.clip(30 + 95 * gain, 1, 127)),
            )
            for lane, row in score.drums.items()
            for beat, gain in row
        ]
    else:
        line = score.notes[name]
        events = compose.note_events(line, score.bpm, 0, score.programs[name], score.swing)
    return soundfont_synth.render_events(
        sorted(events, key=lambda e: e[0]), _SOUNDFONT, _BEATS * 60 / score.bpm
    )
