"""Loop or one-shot, and what kind of sound a one-shot is: small fitted trees on the shape of the sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.audio.estimation.trees import forest, softmax, weights
from app.audio.listening import onsets
from app.audio.listening.features import Ear
from app.audio.listening.front_end import RATE
from app.music.sounds import DRUMS, LOOP, ONE_SHOT, SOUNDS

# A hit taken for a tone loses its class; a tone taken for a hit keeps its note: the former costs more.
DRUM_MIN = 0.35
# Below this a name would be wrong more often than right.
NAMED_MIN = 0.35
LEAST_EVENTS = 2
ONE_EVENT_LOOP = 0.25
# A cut at the end of a held sound is no event.
EDGE_S = 0.1

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kind:
    """`kind` is "loop" or "one-shot"; `sound` one of `SOUNDS` or None; confidences from 0 to 1.

    A track counts as a loop here: both have a tempo.
    """

    kind: str
    kind_confidence: float
    sound: str | None
    sound_confidence: float


def classify(ear: Ear) -> Kind:
    """Tell loop from one-shot and name the sound of a one-shot.

    Notes
    -----
    Where only one thing starts, as in a held chord that ends with a cut, nothing is repeated that could be
    a loop, whatever the trees make of its length.
    """
    if ear.silent:
        return Kind(ONE_SHOT, 0.0, None, 0.0)
    loop = float(forest("kind").probabilities(ear.shape[None])[0, 0])
    if _events(ear) < LEAST_EVENTS:
        loop = min(loop, ONE_EVENT_LOOP)
    if loop >= 0.5:
        return Kind(LOOP, round(loop, 3), None, 0.0)
    chances = sound_chances(ear.shape)
    drums, size = float(chances[: len(DRUMS)].sum()), len(DRUMS)
    if chances.max() < NAMED_MIN:
        return Kind(ONE_SHOT, round(1 - loop, 3), None, 0.0)
    best = int(np.argmax(chances[:size] if drums >= DRUM_MIN else chances[size:])) + size * (drums < DRUM_MIN)
    return Kind(ONE_SHOT, round(1 - loop, 3), SOUNDS[best], round(float(chances[best]), 3))


def _events(ear: Ear) -> int:
    return int(np.count_nonzero(onsets.find(ear).times_s < ear.heard.duration_s - EDGE_S))


def sound_chances(shape: Array) -> Array:
    """Chance of each of `SOUNDS`, shape (13,): drum or tone first, then which."""
    drum = float(forest("drumlike").probabilities(shape[None])[0, 0])
    return np.concatenate([drum * class_chances("drum", shape), (1 - drum) * class_chances("tone", shape)])


def class_chances(name: str, shape: Array) -> Array:
    """Mean of the trees and the linear model of a group of classes, shape (classes,)."""
    trees = forest(name).probabilities(shape[None])[0]
    stored = weights(f"{name}_linear")
    filled = np.where(np.isnan(shape), stored["median"], shape)
    scaled = np.clip((filled - stored["mean"]) / stored["spread"], -4, 4)
    linear = softmax(scaled @ stored["weight"].astype(np.float64).T + stored["bias"])
    return np.asarray((trees + linear) / 2)


def attack_ms(ear: Ear) -> float:
    """Time in ms from a tenth to nine tenths of the largest 2 ms level."""
    step = RATE // 500
    padded = np.pad(ear.heard.y, (0, -ear.heard.y.size % step)).reshape(-1, step)
    level = np.sqrt(np.mean(padded**2, axis=1))
    top = int(np.argmax(level))
    if level[top] <= 0:
        return 0.0
    high = int(np.argmax(level[: top + 1] >= 0.9 * level[top]))
    below = np.flatnonzero(level[: high + 1] < 0.1 * level[top])
    return (high - int(below[-1]) - 1 if below.size else high) * step / RATE * 1000
