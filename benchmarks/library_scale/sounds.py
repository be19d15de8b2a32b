"""Analyses and descriptions as the engine and the rules write them, of which libraries are made.

A dozen generated sounds are measured by the engine. Then their figures are varied, so that a million samples
have as much JSON as real ones without a day of measuring.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np

from app.audio.analyzer import analyze_sound
from app.audio.file_facts import FileFacts
from app.audio.result import Analysis
from app.music.musical_keys import ALL_KEYS
from app.music.sound_classes import LOOP, LOOP_SOUNDS, ONE_SHOT, ONE_SHOT_SOUNDS, TEXTURE
from app.vibe.sound_description import describe_by_rules

Waveform = np.ndarray[Any, np.dtype[np.float32]]
RATE = 44_100
VARIATIONS = 3_000
# The place of the length in the JSON of a measurement, which each sample fills in with its own.
LENGTH_PLACE = '"the length"'
KINDS = {ONE_SHOT: 0.52, LOOP: 0.42, TEXTURE: 0.06}
LENGTHS_S = {ONE_SHOT: (0.08, 2.5), LOOP: (1.5, 16.0), TEXTURE: (4.0, 60.0)}
TONAL = frozenset({"bass", "keys", "lead", "pad", "melody", "chords", "full mix"})
BARS_PEAKS = ("bars", "peaks")


@dataclass(frozen=True, slots=True)
class Sound:
    """What one measurement and its description put into the columns of a sample."""

    kind: str
    sound: str | None
    bpm: float | None
    key: str | None
    brightness: float
    character: tuple[str, ...]
    words: tuple[str, ...]  # the searchable words of the description
    analysis: Analysis
    measured_json: str
    described_json: str


def make_sounds(rng: Random, count: int = VARIATIONS) -> list[Sound]:
    """Return that many different measurements, the same ones for the same seed."""
    measured = _measure_generated()
    return [_vary(rng, measured) for _ in range(count)]


def _measure_generated() -> dict[str, list[Analysis]]:
    """Measure the generated sounds with the engine; return the analyses by kind."""
    sounds = {
        ONE_SHOT: [_tone([hz], length, decay) for hz, length, decay in [(52, 0.3, 12), (220, 1.2, 3)]]
        + [_noise(0.2, 30), _noise(0.9, 5)],
        LOOP: [_drum_loop(bpm) for bpm in (87, 93, 120, 174)] + [_tone([131, 156, 196], 6.0, 0.2)],
        TEXTURE: [_noise(8.0, 0.0), _tone([65, 98, 147], 12.0, 0.0)],
    }
    return {
        kind: [analyze_sound(each, RATE, FileFacts(format="WAV")) for each in some]
        for kind, some in sounds.items()
    }


def _vary(rng: Random, measured: dict[str, list[Analysis]]) -> Sound:
    """Return a measurement like one of those, with figures of its own."""
    (kind,) = rng.choices([*KINDS], [*KINDS.values()])
    sound = {ONE_SHOT: ONE_SHOT_SOUNDS, LOOP: LOOP_SOUNDS}.get(kind)
    named = rng.choice(sound) if sound else None
    bpm = float(rng.choice((rng.randint(70, 180), 90, 120, 140, 174))) if kind == LOOP else None
    key = rng.choice(ALL_KEYS) if named in TONAL and rng.random() < 0.9 else None
    brightness = round(rng.uniform(2, 98), 6)
    analysis = replace(
        rng.choice(measured[kind]), kind=kind, sound=named, key=key, bpm=bpm, brightness=brightness,
        kind_confidence=rng.uniform(0.6, 1), sound_confidence=rng.uniform(0.4, 1), sound_candidates=(),
        bpm_source="audio" if bpm else None, bpm_confidence=rng.uniform(0.5, 1) if bpm else 0.0,
        key_source="audio" if key else None, key_confidence=rng.uniform(0.5, 1) if key else 0.0,
        noisiness=rng.uniform(2, 98), loudness_db=rng.uniform(-35, -6), crest_db=rng.uniform(3, 25),
        attack_ms=rng.uniform(0, 120), duration_s=rng.uniform(*LENGTHS_S[kind]),
    )  # fmt: skip
    return _as_columns(analysis)


def _as_columns(analysis: Analysis) -> Sound:
    plain = {name: value for name, value in analysis.to_dict().items() if name not in BARS_PEAKS}
    described = describe_by_rules(analysis).to_dict()
    words = [*described["moods"], *described["character"], described["texture"], described["use"]]
    return Sound(
        analysis.kind, analysis.sound, analysis.bpm, analysis.key, analysis.brightness or 0.0,
        tuple(described["character"]), (*words, *described["tags"]), analysis,
        json.dumps(plain | {"duration_s": "the length"}), json.dumps(described),
    )  # fmt: skip


def _drum_loop(bpm: float, beats: int = 8) -> Waveform:
    """Return a kick on each beat and noise on each eighth."""
    eighth = round(30 / bpm * RATE)
    loop = np.zeros((2 * beats * eighth, 1), np.float32)
    for number in range(2 * beats):
        hit = 0.2 * _noise(0.05, 60) if number % 2 else 0.8 * _tone([55], 0.2, 14)
        part = loop[number * eighth : number * eighth + len(hit)]
        part += hit[: len(part)]
    return loop


def _tone(frequencies_hz: Sequence[float], length_s: float, decay: float) -> Waveform:
    """Return sines that decay by a factor of e^decay a second."""
    times = np.arange(round(length_s * RATE)) / RATE
    waves = np.mean([np.sin(2 * np.pi * hz * times) for hz in frequencies_hz], axis=0)
    return np.asarray(0.8 * waves * np.exp(-decay * times), np.float32)[:, None]


def _noise(length_s: float, decay: float) -> Waveform:
    count = round(length_s * RATE)
    fall = np.exp(-decay * np.arange(count) / RATE)
    return np.asarray(np.random.default_rng(7).uniform(-0.8, 0.8, count) * fall, np.float32)[:, None]
