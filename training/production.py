"""Play and mix one production: drums, bass, chords and melody of a style; and cut it in several ways."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np

from training import augment, compose, drum_patterns, soundfont_synth, synth_voices
from training.harmony import Harmony, decides_key
from training.installed_sounds import RATE, DrumHit, drum_kit_hits, sequencer_lane

Kits = dict[str, dict[str, list[DrumHit]]]
GM_LANES = {
    "kick": (35, 36),
    "snare": (38, 40),
    "clap": (39,),
    "hat": (42, 44),
    "ohat": (46,),
    "tom": (45, 47, 50),
    "cymbal": (49, 51),
    "perc": (56, 63, 64, 69, 70, 75, 54, 37),
}
PART_PROGRAMS = {
    "bass": compose.BASS_PROGRAMS,
    "chords": compose.CHORD_PROGRAMS,
    "melody": compose.LEAD_PROGRAMS,
}
GM_KITS = (0, 0, 8, 16, 24, 25, 26, 32, 40)


def load_kits() -> Kits:
    """Return the drum hits by kit and sequencer lane."""
    found: Kits = defaultdict(lambda: defaultdict(list))
    for shot in drum_kit_hits():
        found[shot.group][sequencer_lane(shot)].append(shot)
    return found


def mix_drums(
    hits: drum_patterns.Lanes, bpm: float, duration_s: float, kits: Kits, rng: np.random.Generator
) -> np.ndarray:
    """Play the lanes with hits from one or several kits, or with synthesised ones."""
    out = np.zeros(int(duration_s * RATE) + 1, dtype=np.float32)
    kit = str(rng.choice(sorted(kits)))
    for lane, row in hits.items():
        y = _pick_hit(lane, kit, kits, rng)
        gain = {"kick": 1.0, "snare": 0.9, "clap": 0.7, "perc": 0.5, "tom": 0.7}.get(
            lane, 0.35
        ) * rng.uniform(0.6, 1.3)
        for beat, loud in row:
            at = int(beat * 60 / bpm * RATE)
            stop = min(at + y.size, out.size)
            if stop > at:
                out[at:stop] += gain * loud * y[: stop - at]
    return out[: int(duration_s * RATE)]


def _pick_hit(lane: str, kit: str, kits: Kits, rng: np.random.Generator) -> np.ndarray:
    """Return a hit for a lane: synthesised, from the kit, or now and then from another kit, and repitched."""
    if rng.random() < 0.3:
        return synth_voices.drum_hit({"ohat": "hat", "perc": "any"}.get(lane, lane), rng)
    if rng.random() < 0.15 or lane not in kits[kit]:
        kit = str(rng.choice([k for k in sorted(kits) if lane in kits[k]]))
    shot = kits[kit][lane][rng.integers(len(kits[kit][lane]))]
    y = augment.normalise(shot.y, 1.0)
    speed = 2 ** (rng.uniform(-4, 4) / 12) if rng.random() < 0.5 else 1.0
    return np.interp(np.arange(0, y.size - 1, speed), np.arange(y.size), y).astype(np.float32)


def _gm_drum_events(
    hits: drum_patterns.Lanes, bpm: float, rng: np.random.Generator
) -> list[soundfont_synth.Event]:
    """Return the lanes as MIDI events for a random GM drum kit."""
    out: list[soundfont_synth.Event] = [(0.0, 9, "program", int(rng.choice(GM_KITS)), 0)]
    for lane, row in hits.items():
        note = int(rng.choice(GM_LANES[lane]))
        out += [(b * 60 / bpm, 9, "on", note, int(np.clip(30 + 95 * g, 1, 127))) for b, g in row]
    return out


def _parts_in(content: str) -> set[str]:
    """Return the parts that a content string such as `chords+bass` names."""
    parts = {"drums", "bass", "chords", "melody"} if content == "full" else set(content.split("+"))
    return parts | {"bass"} if "808" in parts else parts


def render_production(
    rng: np.random.Generator,
    style: str,
    content: str,
    bars: int,
    kits: Kits,
    bpm: float,
    changes: Callable[[int], Harmony],
    tune: list[compose.Note] | None = None,
) -> tuple[np.ndarray, bool]:
    """Return one loop of a style in whole bars, mono, and whether the notes it plays decide its key.

    `content` names the parts: `full`, or some of drums, tops (no kick, snare or clap), bass, 808, chords
    and melody.

    `changes` returns the harmony for a number of beats in a bar. `tune` is the melody where one is given.
    """
    meter = 3 if style == "waltz" else 4
    beats, lanes = bars * meter, _parts_in(content)
    duration_s = beats * 60 / bpm
    hits, swing = drum_patterns.drum_hits(rng, style, bars, meter)
    h = changes(meter)
    lines = _write_parts(rng, h, beats, hits.get("kick", []), content, tune)
    sounding = {name: [n[2] for n in notes] for name, notes in lines.items() if name in lanes and notes}
    y = np.zeros(int(duration_s * RATE), dtype=np.float32)
    soundfont = str(rng.choice(["fluid", "fluid", "tim", "opl"]))
    for channel, (name, notes) in enumerate(lines.items()):
        if name not in sounding:
            continue
        gain = rng.uniform(0.3, 0.8)
        if name == "bass" and "808" in lanes:
            z = synth_voices.play_808(notes, bpm, duration_s, rng)
        elif rng.random() < 0.35:
            z = synth_voices.play_notes(notes, bpm, duration_s, rng)
        else:
            events = compose.note_events(notes, bpm, channel, int(rng.choice(PART_PROGRAMS[name])), swing)
            z = soundfont_synth.render_events(events, soundfont, duration_s)
        y += _set_level(z, y.size, gain)
    if "tops" in lanes:
        hits = {lane: row for lane, row in hits.items() if lane not in ("kick", "snare", "clap")}
    if lanes & {"drums", "tops"}:
        gm = rng.random() < 0.35
        z = (
            soundfont_synth.render_events(_gm_drum_events(hits, bpm, rng), soundfont, duration_s)
            if gm
            else mix_drums(hits, bpm, duration_s, kits, rng)
        )
        y += _set_level(z, y.size, rng.uniform(0.35, 0.9))
    return augment.normalise(y), decides_key(h, beats, sounding)


def _write_parts(
    rng: np.random.Generator,
    h: Harmony,
    beats: int,
    kicks: list[tuple[float, float]],
    content: str,
    tune: list[compose.Note] | None,
) -> dict[str, list[compose.Note]]:
    """Return the notes of every part, silent ones too: random draws must not depend on the content."""
    bass, chords = compose.bass_line(rng, h, beats, kicks), compose.chord_part(rng, h, beats)
    made = compose.melody_line(rng, h, beats) if content != "full" or rng.random() < 0.6 else []
    return {"bass": bass, "chords": chords, "melody": made if tune is None else tune}


def _set_level(z: np.ndarray, length: int, gain: float) -> np.ndarray:
    """Cut to a length and scale to a peak; silence stays silent."""
    return augment.normalise(z[:length], gain) if np.abs(z).max() > 0 else z[:length]


def cut_loop(
    y: np.ndarray, rng: np.random.Generator, bpm: float, exact: float = 0.6
) -> tuple[np.ndarray, str]:
    """Return the loop and how it was cut: exact, with a tail, with a lead, or a piece from anywhere."""
    way = rng.random()
    if way < exact:
        return y, "exact"
    if way < exact + 0.12:
        tail = np.zeros(int(rng.uniform(0.05, 1.5) * RATE), dtype=np.float32)
        ring = y[: tail.size] * np.exp(-np.arange(min(y.size, tail.size)) / RATE / 0.08)
        tail[: ring.size] = 0.6 * ring
        return np.concatenate([y, tail if rng.random() < 0.6 else tail * 0]), "tail"
    if way < exact + 0.18:
        return np.concatenate([np.zeros(int(rng.uniform(0.02, 0.6) * RATE), dtype=np.float32), y]), "lead"
    loops = np.concatenate([y, y, y])
    length = int(np.clip(rng.uniform(0.5, 1.6) * y.size, 1.5 * RATE, 15 * RATE))
    start = int(rng.uniform(0, y.size))
    piece = loops[start : start + length].copy()
    fade = min(200, piece.size // 4)
    piece[-fade:] *= np.linspace(1, 0, fade)
    return piece, "anywhere"
