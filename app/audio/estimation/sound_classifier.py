"""Classify a sound as loop, one-shot or texture, and name its class, by models on its descriptors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.audio.estimation.boosted_trees import load_forest, load_weights, softmax
from app.audio.listening.event_times import event_times
from app.audio.listening.front_end import RATE_HZ
from app.audio.listening.front_end_features import FrontEndFeatures
from app.music.sound_classes import DRUMS, KINDS, LOOP, ONE_SHOT, TEXTURE, sounds_of_kind

# Below one half: a drum taken for a tone loses its class, while a tone taken for a drum keeps its note.
MIN_DRUM_PROBABILITY = 0.35
# Below this probability a class would be wrong more often than right.
MIN_SOUND_PROBABILITY = 0.35
MIN_LOOP_EVENTS = 2
# Least sum of the probability of a loop and the confidence of its tempo. Below it there is no beat to be sure
# of: on the corpus, 0.2 % of the loops lie there, and seven in eight of those have a wrong tempo.
MIN_BEAT_EVIDENCE = 1.1
MAX_DOUBTFUL_LOOP = 0.25
# The cut at the end of a held sound makes an onset that does not count.
END_CUT_S = 0.1
MAX_CANDIDATES = 3

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SoundClass:
    """The kind of a sound, and its class.

    Attributes
    ----------
    kind : "loop", "one-shot" or "texture". A whole track counts as a loop, since both have a tempo; a texture
        is longer than a hit and has no beat.
    sound : one of `LOOP_SOUNDS` or `ONE_SHOT_SOUNDS`, None for a texture and for what has no clear class.
    kind_confidence, sound_confidence : 0 to 1.
    sound_candidates : pairs of class and confidence, the chosen one first; best first where none is clear.
    """

    kind: str
    kind_confidence: float
    sound: str | None
    sound_confidence: float
    sound_candidates: tuple[tuple[str, float], ...] = ()


def classify_sound(features: FrontEndFeatures, tempo_confidence: float) -> SoundClass:
    """Classify a sound as loop, one-shot or texture, and name the class of a loop or a one-shot.

    Parameters
    ----------
    features : FrontEndFeatures
    tempo_confidence : float
        Of the tempo that the sound has if it is a loop, 0 to 1.

    Notes
    -----
    Gradient-boosted trees on the sound descriptors, fitted on the development corpus.
    """
    if features.is_silent:
        return SoundClass(ONE_SHOT, 0.0, None, 0.0)
    chances = _kind_probabilities(features, tempo_confidence)
    best = int(np.argmax(chances))
    kind, sure = KINDS[best], round(float(chances[best]), 3)
    if kind == TEXTURE:
        return SoundClass(kind, sure, None, 0.0)
    return SoundClass(kind, sure, *_name_sound(kind, features.descriptors))


def _kind_probabilities(features: FrontEndFeatures, tempo_confidence: float) -> Array:
    """Return the probability of each of `KINDS`.

    The trees may take a sound for a loop because of its length. It is none if it has a single onset, as a
    held chord that ends with a cut has, or if its tempo makes a doubtful beat no surer.
    """
    chances = load_forest("kind").probabilities(features.descriptors[None])[0]
    loop = KINDS.index(LOOP)
    is_doubtful = chances[loop] + tempo_confidence < MIN_BEAT_EVIDENCE
    if chances[loop] > MAX_DOUBTFUL_LOOP and (is_doubtful or _count_events(features) < MIN_LOOP_EVENTS):
        chances = chances * (1 - MAX_DOUBTFUL_LOOP) / (1 - chances[loop] + 1e-9)
        chances[loop] = MAX_DOUBTFUL_LOOP
    return np.asarray(chances)


def _name_sound(kind: str, descriptors: Array) -> tuple[str | None, float, tuple[tuple[str, float], ...]]:
    """Return the class and its probability, None and 0 where none is clear, and the likeliest classes."""
    chances = class_probabilities("loop", descriptors) if kind == LOOP else sound_probabilities(descriptors)
    best = int(np.argmax(chances)) if kind == LOOP else _best_class(chances)
    names = sounds_of_kind(kind)
    order = [int(i) for i in np.argsort(-chances)]
    if chances[best] < MIN_SOUND_PROBABILITY:
        return None, 0.0, _list_chances(names, chances, order)
    listed = _list_chances(names, chances, [best, *(i for i in order if i != best)])
    return names[best], listed[0][1], listed


def _list_chances(names: tuple[str, ...], chances: Array, order: list[int]) -> tuple[tuple[str, float], ...]:
    return tuple((names[i], round(float(chances[i]), 3)) for i in order[:MAX_CANDIDATES])


def _best_class(chances: Array) -> int:
    """Return the index of the likeliest class of the group, drums or tones, that the sound belongs to."""
    size = len(DRUMS)
    if float(chances[:size].sum()) >= MIN_DRUM_PROBABILITY:
        return int(np.argmax(chances[:size]))
    return size + int(np.argmax(chances[size:]))


def _count_events(features: FrontEndFeatures) -> int:
    """Return the number of events before the end of the sound."""
    return int(np.count_nonzero(event_times(features) < features.front_end.duration_s - END_CUT_S))


def sound_probabilities(descriptors: Array) -> Array:
    """Return the probability of each class of a one-shot in the order of `ONE_SHOT_SOUNDS`.

    One forest separates drums from tones; one for each group tells its classes apart.

    Parameters
    ----------
    descriptors : ndarray, shape (n,)
        Descriptors of the sound, see `sound_descriptors.compute_descriptors`.
    """
    drum = float(load_forest("drumlike").probabilities(descriptors[None])[0, 0])
    return np.concatenate(
        [
            drum * class_probabilities("drum", descriptors),
            (1 - drum) * class_probabilities("tone", descriptors),
        ]
    )


def class_probabilities(name: str, descriptors: Array) -> Array:
    """Return the probability of each class of a group, shape (classes,), as the mean of two models.

    The models are a forest and a linear model on scaled descriptors.

    Parameters
    ----------
    name : str
        The group: "drum", "tone" or "loop".
    descriptors : ndarray, shape (n,)
        Descriptors of the sound.
    """
    trees = load_forest(name).probabilities(descriptors[None])[0]
    stored = load_weights(f"{name}_linear")
    filled = np.where(np.isnan(descriptors), stored["median"], descriptors)
    scaled = np.clip((filled - stored["mean"]) / stored["spread"], -4, 4)
    linear = softmax(scaled @ stored["weight"].astype(np.float64).T + stored["bias"])
    return np.asarray((trees + linear) / 2)


def attack_ms(features: FrontEndFeatures) -> float:
    """Return the attack in ms: the time from a tenth to nine tenths of the largest level; 0 for silence.

    The level is the RMS of steps of 2 ms.

    Parameters
    ----------
    features : FrontEndFeatures
    """
    step = RATE_HZ // 500
    padded = np.pad(features.front_end.y, (0, -features.front_end.y.size % step)).reshape(-1, step)
    level = np.sqrt(np.mean(padded**2, axis=1))
    top = int(np.argmax(level))
    if level[top] <= 0:
        return 0.0
    high = int(np.argmax(level[: top + 1] >= 0.9 * level[top]))
    below = np.flatnonzero(level[: high + 1] < 0.1 * level[top])
    return (high - int(below[-1]) - 1 if below.size else high) * step / RATE_HZ * 1000
