"""Loop or one-shot, and what kind of sound a one-shot is: small fitted trees on the shape of the sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.audio.estimation.boosted_trees import load_forest, load_weights, softmax
from app.audio.listening import onset_detection
from app.audio.listening.front_end import RATE_HZ
from app.audio.listening.front_end_features import FrontEndFeatures
from app.music.sound_classes import DRUMS, LOOP, ONE_SHOT, SOUNDS

# A hit taken for a tone loses its class; a tone taken for a hit keeps its note: the former costs more.
MIN_DRUM_PROBABILITY = 0.35
# Below this a name would be wrong more often than right.
MIN_SOUND_PROBABILITY = 0.35
MIN_LOOP_EVENTS = 2
MAX_ONE_EVENT_PROBABILITY = 0.25
# A cut at the end of a held sound is no event.
END_CUT_S = 0.1

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SoundClass:
    """`kind` is "loop" or "one-shot"; `sound` one of `SOUNDS` or None; confidences from 0 to 1.

    A track counts as a loop here: both have a tempo.
    """

    kind: str
    kind_confidence: float
    sound: str | None
    sound_confidence: float


def classify_sound(ear: FrontEndFeatures) -> SoundClass:
    """Tell loop from one-shot and name the sound of a one-shot.

    Notes
    -----
    Where only one thing starts, as in a held chord that ends with a cut, nothing is repeated that could be
    a loop, whatever the trees make of its length.
    """
    if ear.silent:
        return SoundClass(ONE_SHOT, 0.0, None, 0.0)
    loop = float(load_forest("kind").probabilities(ear.shape[None])[0, 0])
    if _count_events(ear) < MIN_LOOP_EVENTS:
        loop = min(loop, MAX_ONE_EVENT_PROBABILITY)
    if loop >= 0.5:
        return SoundClass(LOOP, round(loop, 3), None, 0.0)
    chances = sound_probabilities(ear.shape)
    drums, size = float(chances[: len(DRUMS)].sum()), len(DRUMS)
    if chances.max() < MIN_SOUND_PROBABILITY:
        return SoundClass(ONE_SHOT, round(1 - loop, 3), None, 0.0)
    best = int(np.argmax(chances[:size] if drums >= MIN_DRUM_PROBABILITY else chances[size:])) + size * (
        drums < MIN_DRUM_PROBABILITY
    )
    return SoundClass(ONE_SHOT, round(1 - loop, 3), SOUNDS[best], round(float(chances[best]), 3))


def _count_events(ear: FrontEndFeatures) -> int:
    return int(
        np.count_nonzero(onset_detection.detect_onsets(ear).times_s < ear.heard.duration_s - END_CUT_S)
    )


def sound_probabilities(shape: Array) -> Array:
    """Chance of each of `SOUNDS`, shape (13,): drum or tone first, then which."""
    drum = float(load_forest("drumlike").probabilities(shape[None])[0, 0])
    return np.concatenate(
        [drum * class_probabilities("drum", shape), (1 - drum) * class_probabilities("tone", shape)]
    )


def class_probabilities(name: str, shape: Array) -> Array:
    """Mean of the trees and the linear model of a group of classes, shape (classes,)."""
    trees = load_forest(name).probabilities(shape[None])[0]
    stored = load_weights(f"{name}_linear")
    filled = np.where(np.isnan(shape), stored["median"], shape)
    scaled = np.clip((filled - stored["mean"]) / stored["spread"], -4, 4)
    linear = softmax(scaled @ stored["weight"].astype(np.float64).T + stored["bias"])
    return np.asarray((trees + linear) / 2)


def attack_ms(ear: FrontEndFeatures) -> float:
    """Time in ms from a tenth to nine tenths of the largest 2 ms level."""
    step = RATE_HZ // 500
    padded = np.pad(ear.heard.y, (0, -ear.heard.y.size % step)).reshape(-1, step)
    level = np.sqrt(np.mean(padded**2, axis=1))
    top = int(np.argmax(level))
    if level[top] <= 0:
        return 0.0
    high = int(np.argmax(level[: top + 1] >= 0.9 * level[top]))
    below = np.flatnonzero(level[: high + 1] < 0.1 * level[top])
    return (high - int(below[-1]) - 1 if below.size else high) * step / RATE_HZ * 1000
