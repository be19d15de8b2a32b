"""Make clips from MMA grooves, played at a chosen tempo over drawn progressions."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from training import augment, soundfont_synth
from training.corpus import Clip
from training.harmony import Harmony, chord_at, decides_key, table_harmony
from training.stems import loop_sound

MMA_LIB = Path("/usr/share/mma/lib")
NOTE_NAMES = ["C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"]
# Styles written at twice the perceived tempo, or in compound time: the declared tempo is not the beat.
_UNCLEAR_STYLES = re.compile(
    r"68|128|march|polka|dixie|charleston|broadway|quickstep|fastswing|ska|samba|merengue|54|metronome|none|"
    r"ragtime|count|intro|ending|fastwaltz|viene|descending|twi\b",
    re.I,
)
_STYLE_TEMPI = (
    (r"slow|ballad|lullaby|nite|mellow|hymn|spiritual|ambient|bald", (60, 88)), (r"dnb", (160, 178)),
    (r"house|techno|dance|trance", (118, 140)), (r"hiphop|trip|rnb|rb|soul|reggae", (76, 104)),
    (r"punk|mtl|thr|fast|bebop|jive|twist", (140, 185)), (r"swing|jazz|rock", (96, 168)),
)  # fmt: skip


def _find_grooves() -> list[tuple[str, Path, list[str]]]:
    """Return library folder, file and groove names of every MMA file with a clear tempo."""
    out = []
    for folder in ("stdlib", "kara", "zoom"):
        for path in sorted((MMA_LIB / folder).glob("*.mma")):
            grooves = re.findall(r"^\s*DefGroove\s+(\S+)", path.read_text(errors="replace"), re.M | re.I)
            grooves = [g for g in grooves if not re.search(r"intro|end|fill|sus$", g, re.I)]
            if grooves and not _UNCLEAR_STYLES.search(path.stem):
                out.append((folder, path, grooves))
    return out


def _render_groove(
    folder: str,
    path: Path,
    groove: str,
    bpm: int,
    h: Harmony,
    bars: int,
    rng: np.random.Generator,
) -> list[soundfont_synth.Event]:
    """Return the MIDI events that MMA makes of a groove over a harmony, one chord a bar."""
    names = [NOTE_NAMES[(h.tonic + r) % 12] + {"": "", "m": "m", "d": "dim"}[q] for r, q in h.chords]
    lines = [f"{i + 1} {names[i % len(names)]}" for i in range(bars)]
    head = [f"RndSeed {int(rng.integers(9999))}", f"Tempo {bpm}", f"Groove {folder}/{path.stem}:{groove}"]
    with tempfile.TemporaryDirectory() as tmp:
        source, target = Path(tmp) / "a.mma", Path(tmp) / "a.mid"
        source.write_text("\n".join(head + lines) + "\n")
        subprocess.run(["mma", "-f", str(target), str(source)], check=True, capture_output=True, timeout=60)
        return soundfont_synth.midi_events(target)


def mma_grooves(scale: float) -> Iterator[Clip]:
    """Yield MMA grooves over drawn progressions: tracks, loops, drums only, band only."""
    rng = np.random.default_rng(32)
    for folder, path, grooves in _find_grooves():
        for groove in rng.permutation(grooves)[: max(1, int(2 * scale))]:
            low, high = next(
                (span for pattern, span in _STYLE_TEMPI if re.search(pattern, path.stem, re.I)), (84, 150)
            )
            bpm, tonic, minor = int(rng.integers(low, high)), int(rng.integers(12)), bool(rng.random() < 0.5)
            h = table_harmony(rng, tonic, minor, 3 if re.search(r"waltz|34", path.stem, re.I) else 4)
            try:
                events = _render_groove(folder, path, str(groove), bpm, h, 28, rng)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                continue
            yield from _mma_clips(
                f"mma-{folder}-{path.stem}",
                events,
                bpm,
                h,
                3 if re.search(r"waltz|34", path.stem) else 4,
                rng,
            )


def _mma_clips(
    group: str,
    events: list[soundfont_synth.Event],
    bpm: int,
    h: Harmony,
    meter: int,
    rng: np.random.Generator,
) -> Iterator[Clip]:
    """Yield one track and several loops of a rendered groove."""
    bar, melodic = meter * 60 / bpm, {e[1] for e in events if e[1] != 9 and e[2] == "on"}
    whole, heard = ("full", h.key) if melodic else ("drums", None)  # the zoom grooves have drums only
    soundfont = str(rng.choice(["fluid", "tim", "opl"]))
    y = soundfont_synth.render_events(
        soundfont_synth.events_between(events, 0, 50), soundfont, min(50.0, 28 * bar)
    )
    y = augment.random_effects(y, bpm, rng)
    yield Clip(
        "mma", group, "track", y, bpm, heard, content=whole, cut="anywhere", decided=_chords_decide(h, 0, 28)
    )
    for content, channels in (
        (whole, melodic | {9}),
        (whole, melodic | {9}),
        ("drums", {9}),
        ("chords+bass", melodic),
    ):
        bars, start = int(rng.choice([2, 4, 4, 8])), int(rng.choice([0, 4, 8]))
        soundfont = str(rng.choice(["fluid", "tim", "opl"]))
        part = soundfont_synth.events_on(
            soundfont_synth.events_between(events, start * bar, (start + bars) * bar), channels
        )
        z = soundfont_synth.render_events(part, soundfont, bars * bar)
        if np.abs(z[z.size // 2 :]).max() < 0.005:
            continue
        z, how = augment.normalise(z), "exact"
        if rng.random() < 0.3:
            z, how = z[int(rng.uniform(0, 0.2) * z.size) : -int(rng.uniform(0.01, 0.2) * z.size)], "anywhere"
        yield Clip(
            "mma",
            group,
            "loop",
            augment.random_effects(z, bpm, rng),
            bpm,
            None if content == "drums" else h.key,
            content=content,
            sound=loop_sound(content),
            cut=how,
            decided=_chords_decide(h, start, bars),
        )


def _chords_decide(h: Harmony, bar: int, bars: int) -> bool:
    """Return whether the chords of some bars, one a bar, decide the key."""
    roots = h.chords[bar % len(h.chords) :] + h.chords[: bar % len(h.chords)]
    heard = replace(h, chords=roots, beats_per_chord=1.0)
    pitches = [chord_at(heard, b)[0] + t for b in range(bars) for t in chord_at(heard, b)[1]]
    return decides_key(heard, bars, {"chords": pitches})
