"""List the families of the corpus, each a generator of clips with its own seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from training import augment, declared_songs, drum_patterns, mma_grooves, named_hits, one_shots, rare_grooves
from training.corpus import Clip
from training.folk_tunes import cut_excerpt, harmonise, read_tunes
from training.further_patterns import FURTHER_STYLES
from training.harmony import Harmony, functional_harmony, table_harmony
from training.installed_sounds import RATE, SONIC_PI, SONIC_PI_LOOPS, SONIC_PI_SOUNDS, load_mono
from training.production import cut_loop, load_kits, render_production
from training.stems import loop_sound, stems
from training.textures import textures

LOOP_CONTENTS = (
    "full",
    "full",
    "full",
    "full",
    "full",
    "drums",
    "drums",
    "drums+bass",
    "bass",
    "chords",
    "melody",
    "chords+bass",
    "chords+melody",
    "chords+drums",
)
TUNE_CONTENTS = (
    "full",
    "full",
    "full",
    "chords+melody",
    "chords+drums",
    "drums+bass+chords",
    "melody",
    "chords",
)


def composed_loops(scale: float) -> Iterator[Clip]:
    """Yield loops composed by rule in every style, over progressions from the tables."""
    yield from _composed_loops("production", np.random.default_rng(11), int(62 * scale), table_harmony)


def functional_loops(scale: float) -> Iterator[Clip]:
    """Yield loops over progressions drawn by function; they are used for their key only."""
    for clip in _composed_loops("changes", np.random.default_rng(14), int(70 * scale), functional_harmony):
        if clip.key is not None and clip.decided:
            yield replace(clip, bpm=None, kind="keyed")


def further_loops(scale: float) -> Iterator[Clip]:
    """Yield loops in the further styles."""
    yield from _composed_loops(
        "further", np.random.default_rng(27), int(30 * scale), table_harmony, FURTHER_STYLES
    )


def _composed_loops(
    family: str,
    rng: np.random.Generator,
    rounds: int,
    drawn: Callable[..., Harmony],
    styles: dict[str, drum_patterns.Style] = drum_patterns.STYLES,
) -> Iterator[Clip]:
    """Yield loops in every style, so many rounds of them; `drawn` draws the harmony of each."""
    hits = load_kits()
    for _ in range(rounds):
        for style, ((slow, fast), _, _) in styles.items():
            content = str(rng.choice(LOOP_CONTENTS))
            bpm = float(rng.uniform(slow, fast))
            bpm = round(bpm) if rng.random() < 0.75 else round(bpm, 2)
            tonic, minor = int(rng.integers(12)), bool(rng.random() < 0.6)
            bars = int(rng.choice([1, 2, 4, 4, 8] if bpm > 100 else [1, 2, 2, 4]))
            changes = partial(drawn, rng, tonic, minor)
            y, decided = render_production(rng, style, content, bars, hits, bpm, changes)
            y, how = cut_loop(y, rng, bpm)
            key = None if content == "drums" else tonic + 12 * minor
            y = augment.random_effects(y, bpm, rng)
            group = f"style-{style}"
            sound = loop_sound(content, style)
            yield Clip(
                family, group, "loop", y, bpm, key, content=content, sound=sound, cut=how, decided=decided
            )


def arranged_tunes(scale: float) -> Iterator[Clip]:
    """Yield folk tunes over the most likely chords, arranged in every style; only their key is used."""
    rng, hits = np.random.default_rng(15), load_kits()
    for tune in read_tunes(rng, max(1, int(5 * scale))):
        waltz = tune.beats_per_bar == 3
        style = "waltz" if waltz else str(rng.choice([s for s in drum_patterns.STYLES if s != "waltz"]))
        h = harmonise(tune, tune.beats_per_bar / (1 if waltz else int(rng.choice([1, 1, 2]))), rng)
        (slow, fast), _, _ = drum_patterns.STYLES[style]
        bpm, bars = round(float(rng.uniform(slow, fast))), int(rng.choice([4, 4, 8, 8, 16]))
        start = 0 if rng.random() < 0.7 else 4 * int(rng.integers(0, 3))
        content = str(rng.choice(TUNE_CONTENTS))
        notes, part = cut_excerpt(tune, h, start, bars)
        if len(notes) < 6 or not part.chords:
            continue
        changes = partial(_transpose, part, shift := int(rng.integers(-6, 6)))
        notes = [(b, d, p + shift, v) for b, d, p, v in notes]
        y, decided = render_production(rng, style, content, bars, hits, bpm, changes, notes)
        if decided:
            y, how = cut_loop(y, rng, bpm, 0.7)
            y, key = augment.random_effects(y, bpm, rng), (tune.tonic + shift) % 12 + 12 * tune.minor
            yield Clip("tuned", tune.source, "keyed", y, None, key, content=content, cut=how)


def _transpose(h: Harmony, semitones: int, _beats_per_bar: int) -> Harmony:
    """Return a harmony transposed by semitones."""
    return replace(h, tonic=(h.tonic + semitones) % 12)


def arranged_tracks(scale: float) -> Iterator[Clip]:
    """Yield tracks of about a minute: sections of one production with fewer or more parts."""
    rng, hits = np.random.default_rng(12), load_kits()
    for _ in range(max(1, int(5 * scale))):
        for style, ((slow, fast), _, _) in drum_patterns.STYLES.items():
            bpm, tonic, minor = (
                round(float(rng.uniform(slow, fast)), 1),
                int(rng.integers(12)),
                bool(rng.random() < 0.55),
            )
            seed = int(rng.integers(1 << 30))
            parts, decided = [], False
            for content in rng.permutation(["full", "full", "chords+melody", "drums+bass", "full"]):
                again = np.random.default_rng(seed + len(content) % 2)
                changes = partial(table_harmony, again, tonic, minor)
                y, clear = render_production(again, style, str(content), 4, hits, bpm, changes)
                decided |= clear
                parts += [y] * int(rng.integers(1, 3))
            y = np.concatenate(parts)[: 60 * RATE]
            lead = np.zeros(int(rng.uniform(0, 1.5) * RATE), dtype=np.float32)
            y = augment.random_effects(np.concatenate([lead, y[int(rng.uniform(0, 1.5) * RATE) :]]), bpm, rng)
            yield Clip(
                "arranged",
                f"style-{style}",
                "track",
                y,
                bpm,
                tonic + 12 * minor,
                content="full",
                cut="anywhere",
                decided=decided,
            )


def sonic_pi_loops(scale: float) -> Iterator[Clip]:
    """Yield the sonic-pi loops as they are, and stretched, resampled and with effects."""
    rng = np.random.default_rng(13)
    for name, beats in SONIC_PI_LOOPS.items():
        y = augment.normalise(load_mono(SONIC_PI / f"{name}.flac"))
        bpm = 60 * beats / (y.size / RATE)
        yield Clip("sonicpi", name, "loop", y, bpm, content="drums", sound=SONIC_PI_SOUNDS.get(name))
        for _ in range(int(12 * scale)):
            ratio = float(np.clip(2 ** rng.uniform(-0.35, 0.35), 66 / bpm, 182 / bpm))
            z = augment.change_speed(y, ratio, rng.random() < 0.5)
            if rng.random() < 0.4 and z.size < 5 * RATE:
                z = np.concatenate([z, z])
            z, how = cut_loop(z, rng, bpm * ratio, 0.65)
            yield Clip(
                "sonicpi",
                name,
                "loop",
                augment.random_effects(z, bpm * ratio, rng),
                bpm * ratio,
                content="drums",
                sound=SONIC_PI_SOUNDS.get(name),
                cut=how,
            )


FAMILIES: dict[str, Callable[[float], Iterator[Clip]]] = {
    "sonicpi": sonic_pi_loops,
    "drumshots": one_shots.drum_shots,
    "toneshots": one_shots.tone_shots,
    "productions": composed_loops,
    "changes": functional_loops,
    "tuned": arranged_tunes,
    "arranged": arranged_tracks,
    "openttd": declared_songs.openttd_songs,
    "mma": mma_grooves.mma_grooves,
    "bach": declared_songs.bach_chorales,
    "essen": declared_songs.essen_songs,
    "farnotes": one_shots.far_notes,
    "namedhits": named_hits.named_hits,
    "textures": textures,
    "rare": rare_grooves.rare_grooves,
    "halfbars": rare_grooves.half_bars,
    "pumps": rare_grooves.pumping_pads,
    "stems": stems,
    "further": further_loops,
}
