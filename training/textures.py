"""Make clips of sounds without a beat, alone or several at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from training import augment
from training.corpus import Clip
from training.installed_sounds import RATE
from training.texture_sounds import MAKERS

# Whole beats of a round tempo are the lengths that used to be taken for a beat.
WHOLE_LENGTHS_S = (2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 15.0, 16.0)


def textures(scale: float) -> Iterator[Clip]:
    """Yield sounds without a beat of every sort, alone or two at once; their source is their sort."""
    rng = np.random.default_rng(23)
    for _ in range(int(90 * scale)):
        for name, make in MAKERS.items():
            whole = rng.random() < 0.6
            seconds = float(rng.choice(WHOLE_LENGTHS_S) if whole else rng.uniform(1.8, 18))
            y = augment.normalise(np.asarray(make(seconds, rng), dtype=np.float32))
            for _ in range(int(rng.choice([0, 0, 0, 1, 1, 2]))):
                other = str(rng.choice([n for n in MAKERS if n != name]))
                layer = augment.normalise(np.asarray(MAKERS[other](y.size / RATE, rng), dtype=np.float32))
                y = y + rng.uniform(0.1, 0.6) * np.pad(layer, (0, max(y.size - layer.size, 0)))[: y.size]
            if rng.random() < 0.3:
                edge = min(int(rng.uniform(0.05, 1.5) * RATE), y.size // 3)
                y[:edge] *= np.linspace(0, 1, edge)
                y[-edge:] *= np.linspace(1, 0, edge)
            y = augment.random_effects(y, None, rng)
            yield Clip("texture", f"texture-{name}", "texture", y, content=name)
