"""Make single parts of productions as sample packs sell them, from drums and tops to chords."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from training import augment, drum_patterns
from training.corpus import Clip
from training.harmony import functional_harmony, table_harmony
from training.production import cut_loop, load_kits, render_production

STEMS = (
    "drums",
    "tops",
    "tops",
    "bass",
    "bass",
    "808",
    "melody",
    "melody",
    "chords",
    "chords",
    "full",
    "drums+808",
)
# The class of a loop with these parts. A loop of chords and melody has no one class.
SOUND_OF_PARTS = {
    "drums": "drums",
    "tops": "percussion",
    "bass": "bass",
    "808": "bass",
    "melody": "melody",
    "chords": "chords",
    "full": "full mix",
    "drums+bass": "full mix",
    "drums+808": "full mix",
    "chords+drums": "full mix",
    "drums+bass+chords": "full mix",
}


def loop_sound(content: str, style: str = "") -> str | None:
    """Return the class of a loop with these parts, None where it has no one class."""
    return "percussion" if style == "perconly" and content == "drums" else SOUND_OF_PARTS.get(content)


def stems(scale: float) -> Iterator[Clip]:
    """Yield single parts in every style; their sources are the styles, as in the family of productions."""
    rng, kits = np.random.default_rng(26), load_kits()
    for _ in range(int(36 * scale)):
        for style, ((slow, fast), _, _) in drum_patterns.STYLES.items():
            content, bpm = str(rng.choice(STEMS)), float(rng.uniform(slow, fast))
            bpm = float(round(bpm)) if rng.random() < 0.75 else round(bpm, 2)
            tonic, minor = int(rng.integers(12)), bool(rng.random() < 0.6)
            bars = int(rng.choice([1, 2, 4, 4, 8] if bpm > 100 else [1, 2, 2, 4]))
            changes = partial(table_harmony if rng.random() < 0.5 else functional_harmony, rng, tonic, minor)
            y, decided = render_production(rng, style, content, bars, kits, bpm, changes)
            if np.abs(y[: y.size // 2]).max() < 0.01:
                continue
            y, how = cut_loop(augment.normalise(y), rng, bpm, 0.75)
            y = augment.random_effects(y, bpm, rng)
            drums = content in ("drums", "tops")
            yield Clip(
                "stem", f"style-{style}", "loop", y, bpm, None if drums else tonic + 12 * minor,
                content="drums" if drums else content, sound=loop_sound(content, style), cut=how,
                decided=decided and not drums,
            )  # fmt: skip
