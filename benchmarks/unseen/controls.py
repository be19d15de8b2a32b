"""Sounds with a beat that look like sounds without: they have to stay loops, with their tempo."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.unseen import beds, drones, voices
from benchmarks.unseen.hits import Grid, burst, hat, kick, rim, shake, snare, swish
from benchmarks.unseen.signals import Rng, Signal, filtered, frames, noise, place, reverb, scaled, times

Control = tuple[Signal, float]
SIXTEENTHS = np.arange(16) / 4


def quiet_brushes(rng: Rng) -> Control:
    """Return brushes: a stroke each beat, taps on two and four, over a little room."""
    grid = Grid(round(rng.uniform(58, 130)), 4 * int(rng.choice([1, 2, 4])))
    stroke, tap = swish(rng, 50 / grid.bpm), filtered(snare(rng), 600, 6_000)
    for beat in range(int(grid.beats)):
        grid.put(stroke, beat, 0.5 if beat % 2 else 0.35)
        grid.put(tap, beat, 0.7 if beat % 2 else 0.0)
        if beat % 4 == 3:
            grid.put(tap, beat + 2 / 3, 0.25)
    return grid.y + 0.01 * noise(rng, grid.duration_s, -3), grid.bpm


def rainlike_shaker(rng: Rng) -> Control:
    """Return sixteenths of a soft shaker under noise."""
    grid = Grid(round(rng.uniform(75, 135)), 4 * int(rng.choice([1, 2, 4])))
    for step in range(int(grid.beats * 4)):
        accent = (1.0, 0.35, 0.6, 0.4)[step % 4]
        grid.put(shake(rng), step / 4 + 0.01 * rng.standard_normal(), accent * rng.uniform(0.9, 1.1))
    bed = filtered(noise(rng, grid.duration_s), 1_000, 12_000)
    return scaled(grid.y) + rng.uniform(0.02, 0.08) * bed, grid.bpm


def sparse_dub(rng: Rng) -> Control:
    """Return one rim a bar with an echo of dotted eighths that takes the whole bar to fade."""
    grid = Grid(round(rng.uniform(66, 150)), 4 * int(rng.choice([2, 4])))
    hit, gap = rim(rng), float(rng.choice([0.75, 0.5]))
    for bar in range(int(grid.beats / 4)):
        for echo in range(8):
            grid.put(filtered(hit, None, 6_000 * 0.8**echo, 1), bar * 4 + 1 + echo * gap, 0.65**echo)
    return grid.y, grid.bpm


def half_time(rng: Rng) -> Control:
    """Return a kick on one and a snare on three in a long room."""
    grid = Grid(round(rng.uniform(120, 160)), 4 * int(rng.choice([2, 4])))
    low, high = kick(rng), snare(rng)
    for bar in range(int(grid.beats / 4)):
        grid.put(low, bar * 4)
        grid.put(high, bar * 4 + 2)
        if bar % 2:
            grid.put(low, bar * 4 + 1.5, 0.7)
    return reverb(rng, grid.y, rng.uniform(1.5, 4), 0.4, wrap=True), grid.bpm


def noise_percussion(rng: Rng) -> Control:
    """Return a bar of bursts of noise, repeated."""
    grid = Grid(round(rng.uniform(80, 150)), 4 * int(rng.choice([1, 2, 4])))
    sounds = [burst(rng) for _ in range(3)]
    places = np.concatenate([[0.0], rng.choice(SIXTEENTHS[1:], 6, replace=False)])
    which = rng.integers(0, 3, places.size)
    for bar in range(int(grid.beats / 4)):
        for at, index in zip(places, which, strict=True):
            grid.put(sounds[index], bar * 4 + at, 0.6 + 0.4 * (at % 1 == 0))
    return grid.y, grid.bpm


def hats_alone(rng: Rng) -> Control:
    """Return hi-hats in eighths or sixteenths with accents, an open one on an off-beat."""
    grid = Grid(round(rng.uniform(80, 150)), 4 * int(rng.choice([1, 2, 4])))
    closed, opened, steps = hat(rng), hat(rng, is_open=True), int(rng.choice([2, 4]))
    for step in range(int(grid.beats * steps)):
        grid.put(closed, step / steps, (1.0, 0.5, 0.7, 0.45)[step * 4 // steps % 4])
    for beat in range(int(grid.beats)):
        if beat % 4 == 3:
            grid.put(opened, beat + 0.5)
    return grid.y, grid.bpm


def pumping_pad(rng: Rng) -> Control:
    """Return a pad or noise ducked by a kick that is not heard, or cut into eighths."""
    bpm, bars = round(rng.uniform(90, 140)), int(rng.choice([1, 2, 4]))
    duration_s = bars * 240 / bpm
    source = drones.pad if rng.random() < 0.7 else beds.coloured_noise
    beat = (times(duration_s) * bpm / 60) % 1
    if rng.random() < 0.5:
        gate = np.minimum(1, beat / rng.uniform(0.3, 0.8)) ** 2
    else:
        gate = np.where((beat * 2) % 1 < 0.5, 1.0, 0.03) * np.where(beat < 0.5, 1, 0.7)
    return np.asarray(source(rng, duration_s)[: gate.size] * gate), bpm


def crackle_over_beat(rng: Rng) -> Control:
    """Return a soft beat under vinyl crackle."""
    y, bpm = _soft_beat(rng, (70, 105))
    crackle = scaled(beds.vinyl_crackle(rng, y.size / 44_100))[: y.size]
    return scaled(y) + rng.uniform(0.1, 0.4) * crackle, bpm


def speech_over_beat(rng: Rng) -> Control:
    """Return a beat under somebody who speaks."""
    y, bpm = _soft_beat(rng, (80, 130))
    voice = scaled(voices.speech(rng, y.size / 44_100))[: y.size]
    return scaled(y) + rng.uniform(0.2, 0.6) * voice, bpm


def ambient_techno(rng: Rng) -> Control:
    """Return a soft kick on each beat under noise and a drone."""
    grid = Grid(round(rng.uniform(112, 135)), 4 * int(rng.choice([2, 4])))
    low = kick(rng, soft=True)
    for beat in range(int(grid.beats)):
        grid.put(low, beat)
    bed = scaled(filtered(noise(rng, grid.duration_s, -3), 200, None)) + scaled(
        drones.drone(rng, grid.duration_s)
    )
    return scaled(grid.y) + rng.uniform(0.15, 0.4) * bed, grid.bpm


def two_events(rng: Rng) -> Control:
    """Return one or two bars with two hits in each."""
    grid = Grid(round(rng.uniform(70, 150)), 4 * int(rng.choice([1, 2])))
    pairs: list[tuple[Signal, Signal]] = [(kick(rng), snare(rng)), (rim(rng), hat(rng, is_open=True))]
    low, high = pairs[int(rng.integers(2))]
    for bar in range(int(grid.beats / 4)):
        grid.put(low, bar * 4)
        grid.put(high, bar * 4 + 2)
    return grid.y, grid.bpm


def gated_noise(rng: Rng) -> Control:
    """Return noise that a gate opens in a pattern of sixteenths, the same in each bar."""
    grid = Grid(round(rng.uniform(90, 145)), 4 * int(rng.choice([1, 2, 4])))
    pattern = np.concatenate([[1], rng.random(15) < 0.45])
    step_s = 15 / grid.bpm
    for step in range(int(grid.beats * 4)):
        if pattern[step % 16]:
            part = noise(rng, step_s * 0.7, -3)
            place(grid.y, part * np.minimum(1, np.arange(part.size)[::-1] / 300), step * step_s, 1.0)
    return grid.y, grid.bpm


def _soft_beat(rng: Rng, tempi: tuple[int, int]) -> Control:
    """Return two or four bars of kick, snare and hats."""
    grid = Grid(round(rng.uniform(*tempi)), 4 * int(rng.choice([2, 4])))
    low, high, top = kick(rng), snare(rng), hat(rng)
    for bar in range(int(grid.beats / 4)):
        for sound, at, level in ((low, 0, 1.0), (low, 2.5, 0.8), (high, 1, 0.8), (high, 3, 0.8)):
            grid.put(sound, bar * 4 + at, level)
        for eighth in range(8):
            grid.put(top, bar * 4 + eighth / 2, 0.5 if eighth % 2 else 0.8)
    return filtered(grid.y, None, rng.uniform(2_500, 12_000), 1)[: frames(grid.duration_s)], grid.bpm


MAKERS: dict[str, Callable[[Rng], Control]] = {
    "quiet brushes": quiet_brushes,
    "rain-like shaker": rainlike_shaker,
    "sparse dub": sparse_dub,
    "half-time in a room": half_time,
    "noise percussion": noise_percussion,
    "hats alone": hats_alone,
    "pumping pad": pumping_pad,
    "crackle over a beat": crackle_over_beat,
    "speech over a beat": speech_over_beat,
    "ambient techno": ambient_techno,
    "two events a bar": two_events,
    "gated noise": gated_noise,
}
