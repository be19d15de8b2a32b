"""Key and note: harmonic pitch classes at the tuning of the sound, scored by fitted profiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.audio import pitch
from app.audio.ear import Ear
from app.audio.trees import forest, logistic, softmax, weights

NAMES = pitch.NAMES
CANDIDATES_MAX = 5
TONAL_MIN = 0.6
NOTE_SHARE_MIN = 0.7

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Key:
    """`name` such as "A minor" or None; `candidates` are (name, confidence), best first.

    `tuning_cents` is the deviation from A = 440 Hz, -50 to 50; `note` such as "A2" is the pitch of a sound
    with one pitch, `note_cents` its distance from that note; `tonalness` the chance from 0 to 1 that the
    sound has pitch at all.
    """

    name: str | None
    confidence: float
    candidates: tuple[tuple[str, float], ...]
    tuning_cents: float
    note: str | None
    tonalness: float
    note_cents: float | None = None


NO_KEY = Key(None, 0.0, (), 0.0, None, 0.0)


def estimate(ear: Ear, one_shot: bool = False) -> Key:
    """Estimate the key of a tonal sound, or the note of a one-shot with one pitch.

    Notes
    -----
    Twelve pitch-class profiles (`chroma.profiles`), each scaled to unit length after a square root, are
    turned to all twelve tonics and scored by one weight vector for major and one for minor, fitted as a
    multinomial logit with an L2 penalty on the development corpus. Drums and noise answer None by the trees
    `tonal`.
    """
    if ear.silent:
        return NO_KEY
    tonal = float(forest("tonal").probabilities(ear.shape[None])[0, 0])
    single = pitch.note(ear.heard) if one_shot else None
    cents = round(ear.tuning_cents, 1)
    if tonal < TONAL_MIN and single is None:
        return Key(None, 0.0, (), 0.0, None, tonal)
    if single is not None:
        named = single.name if tonal >= TONAL_MIN / 2 else None
        return Key(None, 0.0, (), cents, named, tonal, round(single.cents, 1) if named else None)
    chances = probabilities(ear.profiles)
    order = np.argsort(-chances)
    sure = calibrated(chances)
    spread = chances[order[1:CANDIDATES_MAX]] / max(1 - chances[order[0]], 1e-9) * (1 - sure)
    listed = [(name_of(int(order[0])), round(sure, 3))]
    listed += [
        (name_of(int(k)), round(float(c), 3)) for k, c in zip(order[1:CANDIDATES_MAX], spread, strict=True)
    ]
    return Key(listed[0][0], listed[0][1], tuple(listed), cents, None, tonal)


def name_of(key: int) -> str:
    """Name of a key 0–11 major, 12–23 minor, from C."""
    return f"{NAMES[key % 12]} {'minor' if key >= 12 else 'major'}"


def parse(text: str) -> tuple[int, bool] | None:
    """Return (tonic 0..11 from C, is minor) of a name such as "A minor", None when it is none."""
    tonic, _, mode = text.partition(" ")
    if tonic not in NAMES or mode not in ("major", "minor"):
        return None
    return NAMES.index(tonic), mode == "minor"


def rotated(profiles: Array) -> Array:
    """Profiles as seen from each tonic, shape (12 tonics, profiles * 12)."""
    root = np.sqrt(profiles)
    unit = root / (np.linalg.norm(root, axis=1, keepdims=True) + 1e-9)
    return np.stack([np.roll(unit, -tonic, axis=1).ravel() for tonic in range(12)])


def probabilities(profiles: Array) -> Array:
    """Chance of each key before calibration, shape (24,), major first."""
    stored = weights("key")
    scores = rotated(profiles) @ stored["profiles"].astype(np.float64).T + stored["bias"]
    return softmax(scores.T.ravel())


def calibrated(chances: Array) -> float:
    """Chance that the first is right, from its share and the runner-up's."""
    return logistic(weights("key_scale")["coefficients"], confidence_features(chances))


def confidence_features(chances: Array) -> Array:
    """Log odds of the best key and its lead over the second."""
    second, best = (float(c) for c in np.clip(np.sort(chances)[-2:], 1e-4, 0.9999))
    return np.array([np.log(best / (1 - best)), np.log(best / second)])
