"""Make one-shots: drum hits by class, single notes and chords by instrument, and odd sounds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from app.music.sound_classes import DRUMS
from training import augment, soundfont_synth, synth_voices
from training.corpus import Clip
from training.installed_sounds import (
    GM_DRUM_CLASSES,
    RATE,
    SOUNDFONTS,
    drum_kit_hits,
    sonic_pi_tones,
)

TONE_PROGRAMS = {
    "bass": range(32, 40), "keys": [*range(15), 16, 17, 18, 19, 24, 25, 26, 27, 28, 46, 108],
    "lead": [56, 57, 61, 62, 63, 64, 65, 66, 68, 71, 73, 74, 75, 79, 80, 81, 84, 86, 87, 40, 41, 22, 29, 30],
    "pad": [48, 49, 50, 51, 88, 89, 90, 92, 93, 94, 95, 42], "vocal-like": [52, 53, 54, 85, 91],
    "fx": [96, 97, 99, 101, 102, 103, 119, 120, 121, 122, 123, 124, 125, 126, 127, 55],
}  # fmt: skip


def _repitch(y: np.ndarray, semitones: float) -> np.ndarray:
    """Resample to another pitch, which changes the length."""
    return np.interp(np.arange(0, y.size - 1, 2 ** (semitones / 12)), np.arange(y.size), y).astype(np.float32)


def _trim_tail(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cut where the sound has died, some time later, or early with a fade, as sample packs do."""
    loud = np.flatnonzero(np.abs(y) > np.abs(y).max() * 10 ** (-rng.uniform(35, 70) / 20))
    end = loud[-1] + 1 if loud.size else y.size
    if rng.random() < 0.2:
        end = int(end * rng.uniform(0.4, 0.9))
    z = y[: max(end, RATE // 40)].copy()
    fade = min(z.size // 4, RATE // 100)
    z[-fade:] *= np.linspace(1, 0, fade)
    pad = np.zeros(int(RATE * rng.uniform(0.05, 1.5)) if rng.random() < 0.25 else 0, dtype=np.float32)
    lead = np.zeros(int(RATE * rng.uniform(0.005, 0.2)) if rng.random() < 0.2 else 0, dtype=np.float32)
    return np.concatenate([lead, z, pad])


def _drum_clip(group: str, label: str, y: np.ndarray, rng: np.random.Generator, plain: bool) -> Clip:
    """Return a drum hit as a clip, with effects unless it is `plain`."""
    if not plain:
        y = augment.random_effects(_trim_tail(_repitch(y, rng.uniform(-3, 3)), rng), None, rng)
    return Clip(
        "drumshot",
        group,
        "oneshot",
        augment.normalise(y, float(rng.uniform(0.3, 1))),
        label=label,
        content="drum",
    )


def drum_shots(scale: float) -> Iterator[Clip]:
    """Yield hits of the kits and of every GM kit of every soundfont, and synthesised ones."""
    rng = np.random.default_rng(21)
    for shot in drum_kit_hits():
        for i in range(1 + int(2 * scale)):
            yield _drum_clip(f"kit-{shot.group}", shot.label, shot.y, rng, i == 0)
    for soundfont in SOUNDFONTS:
        for program in filter(
            lambda p: soundfont_synth.has_drum_kit(soundfont, p), (0, 8, 16, 24, 25, 26, 32, 40)
        ):
            for i, label in enumerate(GM_DRUM_CLASSES):
                if label == "percussion" and rng.random() < 0.6:
                    continue
                events = [(0.0, 9, "program", program, 0), (0.0, 9, "on", 35 + i, int(rng.integers(50, 127)))]
                y = soundfont_synth.render_events(events, soundfont, 3.0, reverb=bool(rng.random() < 0.3))
                if np.abs(y).max() > 1e-3:
                    yield _drum_clip(f"sf-{soundfont}", label, _trim_tail(y, rng), rng, rng.random() < 0.3)
    yield from _synthesised_hits(scale, rng)


def _synthesised_hits(scale: float, rng: np.random.Generator) -> Iterator[Clip]:
    """Yield hits as drum machines make them, and kicks that are a low sine only."""
    for label in DRUMS:
        for _ in range(int(70 * scale)):
            yield _drum_clip("synth", label, synth_voices.drum_hit(label, rng), rng, False)
    for _ in range(int(70 * scale)):
        yield _drum_clip("plain-kick", "kick", _plain_kick(rng), rng, rng.random() < 0.5)


def _plain_kick(rng: np.random.Generator) -> np.ndarray:
    """Return a decaying low sine without a click, with a short fall of its pitch or none."""
    t = np.arange(int(RATE * rng.uniform(0.2, 0.7))) / RATE
    fall = rng.uniform(0, 60) if rng.random() < 0.6 else 0.0
    hz = rng.uniform(40, 66) + fall * np.exp(-t / rng.uniform(0.01, 0.06))
    return (np.sin(2 * np.pi * np.cumsum(hz) / RATE) * np.exp(-t * rng.uniform(7, 28))).astype(np.float32)


def _render_tone(soundfont: str, program: int, note: int, rng: np.random.Generator) -> np.ndarray:
    """Return one note of a GM program, of random length."""
    length = float(rng.choice([0.25, 0.6, 1.2, 2.5]))
    events = [
        (0.0, 0, "program", program, 0),
        (0.0, 0, "on", note, int(rng.integers(60, 120))),
        (length, 0, "off", note, 0),
    ]
    return soundfont_synth.render_events(
        events, soundfont, length + float(rng.uniform(0.3, 1.5)), reverb=bool(rng.random() < 0.3)
    )


def _note_range(tone: str) -> tuple[int, int]:
    """Return the lowest and highest MIDI note for a tonal class."""
    return {"bass": (26, 50), "pad": (45, 76), "fx": (45, 76), "vocal-like": (48, 78)}.get(tone, (40, 86))


def tone_shots(scale: float) -> Iterator[Clip]:
    """Yield single notes by GM program, notes and chords of plain voices, and odd sounds of sonic-pi."""
    rng = np.random.default_rng(22)
    for soundfont in SOUNDFONTS:
        for tone, programs in TONE_PROGRAMS.items():
            for program in programs:
                for _ in range(max(1, int(3 * scale))):
                    note = int(rng.integers(*_note_range(tone)))
                    y = _render_tone(soundfont, program, note, rng)
                    if np.abs(y).max() < 1e-3:
                        continue
                    y = augment.random_effects(_trim_tail(y, rng), None, rng)
                    pitched = tone != "fx" and program not in (9, 13, 14, 29, 30, 112)
                    yield Clip(
                        "toneshot",
                        f"sf-{soundfont}",
                        "oneshot",
                        y,
                        tone=tone,
                        note=float(note) if pitched else None,
                        content="note" if pitched else "fx",
                    )
    for _ in range(int(260 * scale)):
        yield _voice_clip(rng)
    for name, y in sonic_pi_tones():
        tone = {"ambi": "pad", "bass": "bass", "guit": "keys"}.get(name.split("_")[0], "fx")
        yield Clip("toneshot", "sonicpi", "oneshot", augment.normalise(y), tone=tone, content="other")


def _voice_clip(rng: np.random.Generator) -> Clip:
    """Return a note or a chord of a plain synthesiser voice."""
    note = int(rng.integers(24, 80))
    size = int(rng.choice([1, 1, 1, 3]))
    pitches = [note, note + int(rng.choice([3, 4])), note + 7][:size]
    length = float(rng.choice([0.2, 0.5, 1.0, 2.0]))
    y = synth_voices.play_notes([(0.0, length, p, 100) for p in pitches], 60.0, length + 0.6, rng)
    cents = float(rng.uniform(-45, 45)) if rng.random() < 0.5 else 0.0
    y = augment.random_effects(_trim_tail(_repitch(y, cents / 100), rng), None, rng)
    tone = "bass" if note < 45 and size == 1 else ("pad" if size == 3 else "lead")
    return Clip(
        "toneshot",
        "voice",
        "oneshot",
        y,
        tone=tone,
        note=note + cents / 100 if size == 1 else None,
        content="note" if size == 1 else "chord",
    )


def far_notes(scale: float) -> Iterator[Clip]:
    """Yield plain notes over the whole range of hearing, more of them at its ends, and out of tune."""
    rng = np.random.default_rng(27)
    for _ in range(int(420 * scale)):
        low, high = [(15, 34), (34, 84), (84, 108)][rng.choice(3, p=[0.4, 0.2, 0.4])]
        pitch = float(rng.uniform(low, high))
        y = synth_voices.plain_note(pitch, float(rng.choice([0.15, 0.4, 0.8, 1.5, 2.5])), rng)
        y = augment.random_effects(y.astype(np.float32), None, rng)
        yield Clip("farnote", f"plain-{int(pitch) % 5}", "oneshot", y, note=pitch, content="note")
