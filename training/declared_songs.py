"""Make clips from songs that declare tempo or key: OpenTTD's MIDI, Bach chorales and Essen folk songs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import mido
import numpy as np

from training import augment, compose, soundfont_synth
from training.corpus import Clip
from training.installed_sounds import OPENTTD

# Tunes in compound time or written in triplets: the declared tempo is not the beat that people tap.
_UNCLEAR_TUNES = ("boogi_marabi_redfarn", "the_hobo_redfarn", "busy_schedule")


def openttd_songs(scale: float) -> Iterator[Clip]:
    """Yield each OpenTTD tune as a track and cut into phrases, leaving out tunes whose tempo changes."""
    rng = np.random.default_rng(31)
    for path in sorted(OPENTTD.glob("*.mid")):
        tempi = {round(mido.tempo2bpm(m.tempo), 1) for m in mido.MidiFile(path) if m.type == "set_tempo"}
        if len(tempi) != 1 or path.stem in _UNCLEAR_TUNES:
            continue
        for soundfont in ("fluid", "tim", "opl"):
            speed = float(rng.uniform(0.9, 1.1)) if soundfont != "fluid" else 1.0
            bpm, shift = tempi.copy().pop() * speed, int(rng.integers(-5, 6))
            bpm = bpm / 2 if bpm > 185 else bpm
            events = soundfont_synth.midi_events(path, speed, shift)
            total = max(e[0] for e in events)
            start = float(rng.uniform(0, 8))
            y = soundfont_synth.render_events(
                soundfont_synth.events_between(events, start, start + 60), soundfont, min(60.0, total - start)
            )
            yield Clip(
                "openttd",
                f"ottd-{path.stem}",
                "track",
                augment.random_effects(y, bpm, rng),
                bpm,
                content="full",
                cut="anywhere",
            )
            yield from _cut_pieces(path.stem, events, total, bpm, soundfont, rng, int(3 * scale))


def _cut_pieces(
    name: str,
    events: list[soundfont_synth.Event],
    total: float,
    bpm: float,
    soundfont: str,
    rng: np.random.Generator,
    count: int,
) -> Iterator[Clip]:
    """Yield loops of whole bars and pieces cut anywhere, with drums, melody or everything."""
    melodic = {e[1] for e in events if e[1] != 9}
    for _ in range(count):
        beats = int(rng.choice([8, 16, 16, 32]))
        bar = 240 / bpm
        start = bar * int(rng.uniform(2, max(3, (total - beats * 60 / bpm) / bar)))
        content, channels = [("full", melodic | {9}), ("drums", {9}), ("melody", melodic)][
            int(rng.choice([0, 0, 1, 2]))
        ]
        y = soundfont_synth.render_events(
            soundfont_synth.events_on(
                soundfont_synth.events_between(events, start, start + beats * 60 / bpm), channels
            ),
            soundfont,
            beats * 60 / bpm,
        )
        if np.abs(y[: y.size // 2]).max() < 0.01 or np.abs(y[y.size // 2 :]).max() < 0.01:
            continue
        z, how = augment.normalise(y), "exact"
        if rng.random() < 0.35:
            z, how = z[int(rng.uniform(0, 0.2) * z.size) : -int(rng.uniform(0.01, 0.2) * z.size)], "anywhere"
        yield Clip(
            "openttd",
            f"ottd-{name}",
            "loop",
            augment.random_effects(z, bpm, rng),
            bpm,
            content=content,
            cut=how,
        )


def _score_events(
    score: object, bpm: float, shift: int, program: int
) -> tuple[list[soundfont_synth.Event], float]:
    """Return the MIDI events of a score and its length in beats."""
    notes = []
    for element in score.flatten().notes:
        for pitch in element.pitches:
            notes.append((float(element.offset), float(element.quarterLength), pitch.midi + shift, 85))
    return compose.note_events(notes, bpm, 0, program), max((n[0] + n[1] for n in notes), default=0.0)


def bach_chorales(scale: float) -> Iterator[Clip]:
    """Yield chorales whose last bass note is the declared tonic."""
    from music21 import corpus

    rng = np.random.default_rng(33)
    paths = rng.permutation([str(p) for p in corpus.getComposer("bach") if "bwv" in str(p)])
    done = 0
    for path in paths:
        if done >= 110 * scale:
            return
        score = corpus.parse(path)
        keys = list(score.recurse().getElementsByClass("Key"))
        finals = [p.flatten().notes for p in score.parts]
        if (
            not keys
            or not finals
            or not len(finals[-1])
            or finals[-1][-1].pitches[0].pitchClass != keys[0].tonic.pitchClass
        ):
            continue
        done += 1
        yield from _score_clips(
            "bach",
            f"bach-{done % 20}",
            score,
            keys[0],
            rng,
            int(rng.choice([0, 4, 16, 19, 48, 52, 73, 88, 61])),
        )


def essen_songs(scale: float) -> Iterator[Clip]:
    """Yield Essen folk songs, as melodies, with the key that their editors declared."""
    from music21 import converter, corpus

    rng = np.random.default_rng(34)
    for path in sorted(str(p) for p in corpus.getComposer("essenFolksong")):
        songs = [s for s in re.split(r"\n(?=X:)", Path(path).read_text(errors="replace")) if "K:" in s]
        for song in rng.permutation(songs)[: max(1, int(6 * scale))]:
            try:
                score = converter.parse(str(song), format="abc")
            except Exception:
                continue
            keys = [k for k in score.recurse().getElementsByClass("Key") if k.mode in ("major", "minor")]
            if keys:
                yield from _score_clips(
                    "essen",
                    f"essen-{Path(path).stem}",
                    score,
                    keys[0],
                    rng,
                    int(rng.choice(compose.LEAD_PROGRAMS)),
                )


def _score_clips(
    family: str, group: str, score: object, key: object, rng: np.random.Generator, program: int
) -> Iterator[Clip]:
    """Yield a score as one clip, at a random tempo and transposition."""
    bpm, shift = float(rng.uniform(76, 126)), int(rng.integers(-6, 6))
    events, beats = _score_events(score, bpm, shift, program)
    tonic = (key.tonic.pitchClass + shift) % 12
    if beats < 8:
        return
    seconds = min(beats * 60 / bpm + 0.5, 40.0)
    y = soundfont_synth.render_events(events, str(rng.choice(["fluid", "tim", "opl"])), seconds)
    if np.abs(y).max() > 1e-3:
        y = augment.random_effects(y, None, rng)
        yield Clip(
            family,
            group,
            "track",
            y,
            None,
            tonic + 12 * (key.mode == "minor"),
            content="melody" if family == "essen" else "chords",
            decided=score.flatten().notes[-1].pitches[0].pitchClass == key.tonic.pitchClass,
        )
