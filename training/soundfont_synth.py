"""Render note events with a General MIDI soundfont, many of them in one process."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import fluidsynth
import mido
import numpy as np
import soxr

from training.installed_sounds import HELD_OUT_SOUNDFONTS, RATE, SOUNDFONTS

SYNTH_RATE = 44100
Event = tuple[float, int, str, int, int]  # seconds, channel, kind, two data bytes


@cache
def _loaded_synth(soundfont: str) -> tuple[fluidsynth.Synth, int]:
    """Return a synthesiser with a soundfont and the soundfont's id, loaded once."""
    synth = fluidsynth.Synth(gain=0.5, samplerate=float(SYNTH_RATE))
    return synth, synth.sfload(str((SOUNDFONTS | HELD_OUT_SOUNDFONTS)[soundfont]))


def render_events(
    events: Sequence[Event], soundfont: str, duration_s: float, reverb: bool = True
) -> np.ndarray:
    """Return mono float32 at `RATE`, exactly `duration_s` long; notes that ring longer are cut."""
    stereo = render_stereo(events, soundfont, duration_s, reverb)
    if not len(stereo):
        return np.zeros(1, dtype=np.float32)
    return soxr.resample(stereo.mean(axis=1), SYNTH_RATE, RATE).astype(np.float32)


def render_stereo(
    events: Sequence[Event], soundfont: str, duration_s: float, reverb: bool = True
) -> np.ndarray:
    """Return float32 at `SYNTH_RATE`, shape (frames, 2), exactly `duration_s` long."""
    synth, sfid = _loaded_synth(soundfont)
    synth.system_reset()
    synth.set_reverb(0.4 if reverb else 0.0, 0.3, 0.5, 0.5 if reverb else 0.0)
    if soundfont in SOUNDFONTS | HELD_OUT_SOUNDFONTS:
        synth.program_select(9, sfid, 128, 0)
    parts, now = [], 0
    for time_s, channel, kind, a, b in sorted(events, key=lambda e: (e[0], e[2] != "program", e[2] != "off")):
        at = min(max(int(time_s * SYNTH_RATE), now), int(duration_s * SYNTH_RATE))
        if at > now:
            parts.append(synth.get_samples(at - now))
            now = at
        _send_event(synth, sfid, channel, kind, a, b)
    if (rest := int(duration_s * SYNTH_RATE) - now) > 0:
        parts.append(synth.get_samples(rest))
    if not parts:
        return np.zeros((0, 2), dtype=np.float32)
    return np.concatenate(parts).reshape(-1, 2).astype(np.float32) / 32768


def _send_event(synth: fluidsynth.Synth, sfid: int, channel: int, kind: str, a: int, b: int) -> None:
    """Send one event to the synthesiser."""
    if kind == "on":
        synth.noteon(channel, a, b)
    elif kind == "off":
        synth.noteoff(channel, a)
    elif kind == "program":
        synth.program_select(channel, sfid, 128 if channel == 9 else 0, a)
    elif kind == "control":
        synth.cc(channel, a, b)
    elif kind == "bend":
        synth.pitch_bend(channel, a)


def has_drum_kit(soundfont: str, program: int) -> bool:
    """Return whether a soundfont has a drum kit under a program number."""
    synth, sfid = _loaded_synth(soundfont)
    return synth.sfpreset_name(sfid, 128, program) is not None


def midi_events(path: Path, speed: float = 1.0, shift: int = 0) -> list[Event]:
    """Return the events of a MIDI file in seconds, `speed` times as fast and `shift` semitones higher."""
    events: list[Event] = []
    now = 0.0
    for message in mido.MidiFile(path):
        now += message.time / speed
        move = shift if not message.is_meta and getattr(message, "channel", 9) != 9 else 0
        if message.type == "note_on" and message.velocity > 0:
            events.append(
                (now, message.channel, "on", min(max(message.note + move, 0), 127), message.velocity)
            )
        elif message.type in ("note_off", "note_on"):
            events.append((now, message.channel, "off", min(max(message.note + move, 0), 127), 0))
        elif message.type == "program_change":
            events.append((now, message.channel, "program", message.program, 0))
        elif message.type == "control_change":
            events.append((now, message.channel, "control", message.control, message.value))
        elif message.type == "pitchwheel":
            events.append((now, message.channel, "bend", message.pitch, 0))
    return events


def events_between(events: Sequence[Event], start_s: float, stop_s: float) -> list[Event]:
    """Return the events of a span, counted from its start.

    Programs and controls before it are kept, notes that begin before it are dropped.
    """
    setup = [(0.0, *e[1:]) for e in events if e[0] < start_s and e[2] in ("program", "control")]
    inside = [(e[0] - start_s, *e[1:]) for e in events if start_s - 1e-3 <= e[0] < stop_s - 1e-3]
    return [*setup, *inside]


def events_on(events: Sequence[Event], channels: set[int]) -> list[Event]:
    """Return the events of some channels."""
    return [e for e in events if e[1] in channels]
