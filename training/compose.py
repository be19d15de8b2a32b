"""Compose bass, chords and melody that follow a harmony, by rule."""

from __future__ import annotations

import numpy as np

from training.harmony import Harmony, chord_at
from training.soundfont_synth import Event

Note = tuple[float, float, int, int]  # beat, length in beats, MIDI pitch, velocity
SCALES = {False: (0, 2, 4, 5, 7, 9, 11), True: (0, 2, 3, 5, 7, 8, 10)}
PENTATONIC = {False: (0, 2, 4, 7, 9), True: (0, 3, 5, 7, 10)}
BASS_PROGRAMS = [32, 33, 34, 35, 36, 38, 39, 38, 39, 87]
CHORD_PROGRAMS = [
    0,
    1,
    2,
    4,
    5,
    7,
    11,
    16,
    17,
    18,
    24,
    25,
    26,
    27,
    28,
    48,
    50,
    51,
    52,
    61,
    62,
    63,
    81,
    88,
    89,
    90,
    91,
    94,
    95,
    4,
    89,
]
LEAD_PROGRAMS = [
    0,
    4,
    11,
    12,
    24,
    27,
    40,
    53,
    56,
    65,
    73,
    75,
    79,
    80,
    81,
    82,
    84,
    85,
    87,
    98,
    108,
    10,
    80,
    81,
]


def bass_line(
    rng: np.random.Generator, h: Harmony, beats: int, kick: list[tuple[float, float]]
) -> list[Note]:
    """Return a bass line: roots held, pulsed, with the kick, off the beat, in octaves or walking."""
    way, low = rng.integers(7), 24 + 12 * int(rng.random() < 0.45)

    def base(beat: float, extra: int = 0) -> int:
        """Return the root that sounds at a beat, in the register of the bass."""
        return low + (chord_at(h, beat)[0] % 12) + extra

    if way == 0:
        return [
            (b, min(h.beats_per_chord, beats - b) * 0.95, base(b), 105)
            for b in np.arange(0, beats, h.beats_per_chord)
        ]
    if way == 1:
        return [(b, 0.45, base(b), 100) for b in np.arange(0, beats, 0.5)]
    if way == 2 and kick:
        return [(b, 0.4, base(b), 105) for b, _ in kick]
    if way == 3:
        return [(b + 0.5, 0.4, base(b), 105) for b in np.arange(0, beats, 1.0)]
    if way == 4:
        return [(b, 0.4, base(b, 12 * int(i % 2)), 100) for i, b in enumerate(np.arange(0, beats, 0.5))]
    if way == 5:
        return [
            (b, 0.9, base(b, int(rng.choice([0, *chord_at(h, b)[1][1:3], 12]))), 95)
            for b in np.arange(0, beats, 1.0)
        ]
    riff = [
        (i / 4, int(rng.choice([0, 0, 0, 7, 12, 10, 3 if h.minor else 4])))
        for i in range(16)
        if rng.random() < 0.45
    ]
    riff = riff or [(0.0, 0)]
    return [
        (bar + at, 0.22, base(bar, up), 100)
        for bar in np.arange(0, beats, 4.0)
        for at, up in riff
        if bar + at < beats
    ]


def chord_part(rng: np.random.Generator, h: Harmony, beats: int) -> list[Note]:
    """Return chords: held, stabs, off the beat, arpeggios or a comped rhythm, voiced around one register."""
    way, register = rng.integers(6), int(rng.integers(52, 66))
    power = rng.random() < 0.1

    def voiced(b: float) -> list[int]:
        """Return the chord at a beat, moved into the register."""
        return [register + (p - register) % 12 for p in _chord_pitches(h, b, power)]

    out: list[Note] = []
    if way in (0, 1):
        for b in np.arange(0, beats, h.beats_per_chord):
            out += [(b, min(h.beats_per_chord, beats - b) * 0.97, p, 80) for p in voiced(b)]
    elif way == 2:
        steps = [s / 4 for s in range(16) if rng.random() < 0.3] or [0.0, 1.5]
        out = [
            (bar + s, 0.3, p, 85)
            for bar in np.arange(0, beats, 4.0)
            for s in steps
            if bar + s < beats
            for p in voiced(bar + s)
        ]
    elif way == 3:
        out = [(b + 0.5, 0.3, p, 85) for b in np.arange(0, beats, 1.0) for p in voiced(b)]
    elif way == 4:
        step, order = float(rng.choice([0.25, 0.5])), rng.permutation(8)
        for i, b in enumerate(np.arange(0, beats, step)):
            notes = sorted(voiced(b))
            out.append((b, step * 1.2, notes[order[i % 8] % len(notes)] + 12 * int(rng.random() < 0.2), 80))
    else:
        for b in np.arange(0, beats, 2.0):
            out += [(b, 1.4, p, 85) for p in voiced(b)] + [(b + 1.5, 0.4, p, 75) for p in voiced(b)]
    return out


def _chord_pitches(h: Harmony, beat: float, power: bool) -> list[int]:
    """Return the pitches of the chord at a beat; a power chord has root and fifth only."""
    root, tones = chord_at(h, beat)
    return [root + t for t in ((0, 7) if power else tones)]


def melody_line(rng: np.random.Generator, h: Harmony, beats: int) -> list[Note]:
    """Return a melody: a repeated phrase of one or two bars that walks on the scale to chord tones.

    Half of the melodies end on the tonic.
    """
    scale = (PENTATONIC if rng.random() < 0.5 else SCALES)[h.minor]
    ladder = [h.tonic % 12 + 12 * o + s for o in range(5, 8) for s in scale]
    span = min(beats, int(rng.choice([4, 8])))
    place, at, phrase = int(rng.integers(2, len(scale) + 3)), 0.0, []
    density = rng.choice([0.25, 0.5, 0.5, 1.0])
    while at < span:
        length = float(density * rng.choice([1, 1, 2, 3]))
        pitch = ladder[place]
        if at % 2 == 0 and rng.random() < 0.6:
            root, tones = chord_at(h, at)
            pitch = min(
                (p for p in ladder),
                key=lambda p: (min((p - root - t) % 12 for t in tones) != 0, abs(p - pitch)),
            )
        if rng.random() > 0.15:
            phrase.append((at, length * 0.9, pitch, int(rng.integers(75, 110))))
        place = int(np.clip(place + rng.choice([-2, -1, -1, 1, 1, 2]), 0, len(ladder) - 1))
        at += length
    out: list[Note] = [
        (b + s, d, p, v) for b in np.arange(0, beats, span) for s, d, p, v in phrase if b + s < beats
    ]
    if out and rng.random() < 0.5:
        home = min((p for p in ladder if (p - h.tonic) % 12 == 0), key=lambda p: abs(p - out[-1][2]))
        out[-1] = (*out[-1][:2], home, out[-1][3])
    return out


def note_events(notes: list[Note], bpm: float, channel: int, program: int, swing: float = 0.0) -> list[Event]:
    """Convert notes in beats to MIDI events in seconds on one channel."""
    out: list[Event] = [(0.0, channel, "program", program, 0)]
    for beat, length, pitch, velocity in notes:
        step = round(beat * 4)
        late = swing * (1 / 6 * 0.5) if step % 2 and abs(beat * 4 - step) < 1e-6 else 0.0
        start = (beat + late) * 60 / bpm
        out.append((start, channel, "on", int(np.clip(pitch, 0, 127)), velocity))
        out.append((start + max(length, 0.05) * 60 / bpm, channel, "off", int(np.clip(pitch, 0, 127)), 0))
    return out
