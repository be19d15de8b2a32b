# Patterns are easiest to read with one lane on each line, however long it gets.
# ruff: noqa: E501 - for that reason
"""Make loops that are easily misheard: half bars, slow triplets, footwork, brushes, shakers and dub."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import signal

from app.audio.listening import periodicity
from training import augment, drum_patterns, synth_voices, texture_sounds
from training.corpus import Clip
from training.installed_sounds import RATE
from training.production import Kits, cut_loop, load_kits, mix_drums

Pattern = tuple[tuple[float, float], int, dict[str, list[str]]]

# Tempo span, steps in a beat, and for each lane its patterns of one bar or more: digits are loudness.
GROOVES: dict[str, Pattern] = {
    "slow-triplets": ((42, 66), 3, {
        "kick": ["9.......9...", "9..9........", "9.....9..9..", "9.......9.99"],
        "snare": ["...9.....9..", "......9.....", "...9.....9.3"],
        "hat": ["777777777777", "7.77.77.77.7", "755755755755"], "ohat": ["............", "...........6"]}),
    "shuffle": ((66, 100), 3, {
        "kick": ["9.....9.....", "9.9...9.....", "9.....9.9..."], "snare": ["...9.....9..", "...9..3..9.3"],
        "hat": ["7.57.57.57.5", "777777777777"], "perc": ["............", "..4..4..4..4"]}),
    "footwork": ((150, 168), 3, {
        "kick": ["9.9.9.9.9.9.", "9.9.9.......", "9..9.9.9..9.", "9.9..9.9..9."],
        "clap": ["............", "......9.....", "...9.....9.."], "hat": ["..7..7..7..7", "7.7.7.7.7.7.", "............"],
        "tom": ["............", "7.7...7.7...", "....7.7.7..."]}),
    "brushes": ((62, 150), 4, {
        "swish": ["7...7...7...7...", "7..57..57..57..5", "4...8...4...8..."], "kick": ["................", "3.......3......."],
        "hat": ["................", "....3.......3...", "....3..2....3..2"]}),
    "shaker": ((78, 132), 4, {
        "shaker": ["7575757575757575", "7.757.757.757.75", "5557555755575557", "7.7.7.7.7.7.7.7."], "perc": ["................", "...4..4....4...."]}),
    "dub": ((62, 84), 4, {
        "rim": ["........9.......", "....9...........", "............7...", "......9........."], "kick": ["................", "........9......."],
        "hat": ["................", "..3...3...3...3."]}),
    "noise-kit": ((76, 150), 4, {
        "burst": ["9...5...9...5...", "9..5..5.9..5..5.", "9.5.7.5.9.5.7.55"], "click": ["7.7.7.7.7.7.7.7.", "..7...7...7...7.", "................"]}),
}  # fmt: skip
OWN_LANES = ("swish", "shaker", "rim", "burst", "click")


def _own_sound(lane: str, rng: np.random.Generator) -> np.ndarray:
    """Return a swish of brushes, a shaker, a rim, a burst of noise or a click."""
    if lane in ("shaker", "rim"):
        return synth_voices.drum_hit(lane, rng)
    t = np.arange(int(RATE * 0.6)) / RATE
    noise = rng.standard_normal(t.size)
    if lane == "click":
        return noise * np.exp(-t / rng.uniform(0.001, 0.006))
    low = rng.uniform(300, 3000)
    sos = signal.butter(2, [low, min(low * rng.uniform(2, 6), 10_900)], "band", fs=RATE, output="sos")
    shaped = signal.sosfilt(sos, noise)
    if lane == "burst":
        return np.asarray(shaped * np.exp(-t / rng.uniform(0.02, 0.12)))
    rise = rng.uniform(0.02, 0.12)
    return np.asarray(
        shaped * np.minimum(t / rise, 1) * np.exp(-np.maximum(t - rise, 0) / rng.uniform(0.05, 0.2))
    )


def _draw_lanes(
    lanes: dict[str, list[str]], per_beat: int, beats: int, rng: np.random.Generator
) -> drum_patterns.Lanes:
    """Return the hits of one pattern a lane, in beats, a little loose and with varied levels."""
    loose, hits = float(rng.choice([0.0, 0.004, 0.012])), {}
    for lane, options in lanes.items():
        pattern = str(rng.choice(options))
        steps = [(s, pattern[s % len(pattern)]) for s in range(beats * per_beat)]
        hits[lane] = [
            (max(s / per_beat + loose * rng.standard_normal(), 0.0), int(mark) / 9 * rng.uniform(0.75, 1))
            for s, mark in steps
            if mark != "." and rng.random() > 0.03
        ]
    return hits


def _play(
    hits: drum_patterns.Lanes, bpm: float, beats: int, kits: Kits, rng: np.random.Generator
) -> np.ndarray:
    """Return the lanes played with drums and with the sounds of this module; what rings on starts the loop."""
    size = round(beats * 60 / bpm * RATE)
    y = mix_drums({k: v for k, v in hits.items() if k not in OWN_LANES}, bpm, size / RATE + 1e-6, kits, rng)
    y = np.pad(y, (0, max(size - y.size, 0)))[:size].astype(np.float64)
    for lane in set(hits) & set(OWN_LANES):
        sound = augment.normalise(_own_sound(lane, rng), float(rng.uniform(0.3, 1)))
        for beat, loud in hits[lane]:
            at = round(beat * 60 / bpm * RATE) + np.arange(sound.size)
            np.add.at(y, at % size, loud * sound)
    return y


def _echo(y: np.ndarray, bpm: float, rng: np.random.Generator) -> np.ndarray:
    """Add the repeats of a tape echo around the loop, as dub does."""
    delay = round(float(rng.choice([0.75, 0.5, 1.0, 1.5])) * 60 / bpm * RATE)
    feedback = rng.uniform(0.35, 0.75)
    return np.asarray(sum(feedback**k * np.roll(y, k * delay) for k in range(7)))


def rare_grooves(scale: float) -> Iterator[Clip]:
    """Yield loops of the grooves above; quiet beds under some of them, as records and rooms leave."""
    rng, kits = np.random.default_rng(24), load_kits()
    for _ in range(int(45 * scale)):
        for name, ((slow, fast), per_beat, lanes) in GROOVES.items():
            bpm, beats = float(rng.uniform(slow, fast)), 4 * int(rng.choice([1, 2, 2, 4]))
            bpm = float(round(bpm)) if rng.random() < 0.7 else round(bpm, 2)
            hits = _draw_lanes(lanes, per_beat, beats, rng)
            if not any(hits.values()):
                continue
            y = _play(hits, bpm, beats, kits, rng)
            y = _echo(y, bpm, rng) if name == "dub" else y
            y = augment.normalise(y.astype(np.float32))
            if rng.random() < 0.3:
                y = y + rng.uniform(0.003, 0.06) * rng.standard_normal(y.size).astype(np.float32)
            y, how = cut_loop(y, rng, bpm, 0.7)
            sound = "percussion" if name in ("shaker", "brushes", "noise-kit") else "drums"
            y = augment.random_effects(y, bpm, rng)
            tapped = 2 * bpm if bpm < periodicity.MIN_BPM else bpm
            yield Clip("rare", f"groove-{name}", "loop", y, tapped, content="drums", cut=how, sound=sound)


def half_bars(scale: float) -> Iterator[Clip]:
    """Yield drum breaks of two beats with six or more hits, and as many quick bars, which are as long."""
    rng, kits = np.random.default_rng(25), load_kits()
    for _ in range(int(16 * scale)):
        for style, ((slow, fast), _, _) in drum_patterns.STYLES.items():
            span = (62, 100) if rng.random() < 0.5 else (max(slow, 70), max(fast, 90))
            for beats, (low, high) in ((2, span), (4, (max(slow, 124), fast))):
                bpm = round(float(rng.uniform(low, max(low, high))), 1)
                hits, _ = drum_patterns.drum_hits(rng, style, 1, 4)
                cut = {lane: [hit for hit in row if hit[0] < beats] for lane, row in hits.items()}
                if sum(map(len, cut.values())) < 6 or (beats == 4 and fast < 130):
                    continue
                y = augment.normalise(_play(cut, bpm, beats, kits, rng).astype(np.float32))
                y = augment.random_effects(y, bpm, rng)
                yield Clip("rare", f"style-{style}", "loop", y, bpm, content="drums", sound="drums")


def pumping_pads(scale: float) -> Iterator[Clip]:
    """Yield held pads that duck at every beat or half beat, as under a kick that is not there."""
    rng = np.random.default_rng(28)
    for _ in range(int(70 * scale)):
        bpm, beats = float(round(rng.uniform(80, 140))), 4 * int(rng.choice([1, 2, 2, 4]))
        size = round(beats * 60 / bpm * RATE)
        y = np.resize(texture_sounds.drone(size / RATE, rng), size)
        places = np.arange(size) / RATE * bpm / 60 * float(rng.choice([1, 1, 1, 2])) % 1
        y = y * (1 - rng.uniform(0.5, 1) * np.exp(-places / rng.uniform(0.1, 0.5)))
        y, how = cut_loop(augment.normalise(y.astype(np.float32)), rng, bpm, 0.75)
        y = augment.random_effects(y, bpm, rng)
        yield Clip("rare", "groove-pump", "loop", y, bpm, content="pad", cut=how, sound="chords")
