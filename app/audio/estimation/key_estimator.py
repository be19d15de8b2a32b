"""Key and note: pitch classes at the tuning of the sound, read by a small fitted network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.audio.estimation import key_network, note_estimator
from app.audio.estimation.boosted_trees import load_forest, load_weights, logistic_probability
from app.audio.listening import chroma
from app.audio.listening.front_end_features import FrontEndFeatures
from app.music.musical_keys import ALL_KEYS

MAX_CANDIDATES = 5
MIN_TONAL = 0.6
# A drum may be tuned: so much of its energy lies on the harmonics of one note, then.
MIN_TUNED_SHARE = 0.75
# A note whose harmonics hold less of the energy than this is the root of a chord, where a key is sure enough.
MIN_NOTE_SHARE, MIN_CHORD_CONFIDENCE = 0.76, 0.95

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class KeyEstimate:
    """`name` such as "A minor" or None; `candidates` are (name, confidence), best first.

    `tuning_cents` is the deviation from A = 440 Hz, -50 to 50; `note` such as "A2" is the pitch of a sound
    with one pitch, `note_cents` its distance from that note (a one-shot has a note or a key, a loop that
    stays on one note has both); `tonalness` the chance from 0 to 1 that the
    sound has pitch at all.
    """

    name: str | None
    confidence: float
    candidates: tuple[tuple[str, float], ...]
    tuning_cents: float
    note: str | None
    tonalness: float
    note_cents: float | None = None


NO_KEY = KeyEstimate(None, 0.0, (), 0.0, None, 0.0)


def estimate_key(ear: FrontEndFeatures, one_shot: bool = False) -> KeyEstimate:
    """Estimate the key of a tonal sound, or the note of a one-shot with one pitch.

    Notes
    -----
    Twelve pitch-class profiles of the whole (`chroma.profiles`) and the course of the pitch classes in six
    registers (`chroma.spans`) are read by a small network (`keynet`) fitted on the development corpus; its
    chances are calibrated by a logistic model. Drums and noise answer None by the trees `tonal`.
    """
    if ear.silent:
        return NO_KEY
    tonal = float(load_forest("tonal").probabilities(ear.shape[None])[0, 0])
    single = _estimate_single_note(ear, tonal, one_shot)
    cents = round(ear.tuning_cents, 1)
    if tonal < MIN_TONAL and single is None:
        return KeyEstimate(None, 0.0, (), 0.0, None, tonal)
    chances = key_probabilities(ear)
    sure = calibrated_confidence(chances)
    named = (single.name, round(single.cents, 1)) if single else (None, None)
    unclear = tonal < MIN_TONAL or sure < MIN_CHORD_CONFIDENCE
    if one_shot and single is not None and (unclear or single.share >= MIN_NOTE_SHARE):
        return KeyEstimate(None, 0.0, (), cents, named[0], tonal, named[1])
    note, note_cents = (None, None) if one_shot else named
    listed = _rank_keys(chances, sure)
    return KeyEstimate(listed[0][0], listed[0][1], listed, cents, note, tonal, note_cents)


def _estimate_single_note(ear: FrontEndFeatures, tonal: float, one_shot: bool) -> note_estimator.Note | None:
    """The pitch of a one-shot, tuned drums too, and of a loop that stays on one note."""
    if not one_shot:
        return note_estimator.estimate_held_note(ear.heard) if tonal >= MIN_TONAL else None
    found = note_estimator.estimate_note(ear.heard)
    sure = found is not None and (tonal >= MIN_TONAL or found.share >= MIN_TUNED_SHARE)
    return found if sure else None


def _rank_keys(chances: Array, sure: float) -> tuple[tuple[str, float], ...]:
    """The likeliest keys with their confidences; the runners-up share what the first leaves."""
    order = np.argsort(-chances)[:MAX_CANDIDATES]
    spread = chances[order] / max(1 - chances[order[0]], 1e-9) * (1 - sure)
    spread[0] = sure
    return tuple((ALL_KEYS[int(k)], round(float(c), 3)) for k, c in zip(order, spread, strict=True))


def unit_profiles(profiles: dict[str, Array]) -> Array:
    """Profiles in the order of `chroma.PROFILES`, of unit length after a square root, shape (12, 12)."""
    root = np.sqrt(np.stack([profiles[name] for name in chroma.PROFILE_NAMES]))
    return np.asarray(root / (np.linalg.norm(root, axis=1, keepdims=True) + 1e-9))


def key_probabilities(ear: FrontEndFeatures) -> Array:
    """Chance of each key before calibration, shape (24,), major first."""
    course, whole = chroma.chroma_spans(ear.pitch_classes), unit_profiles(ear.profiles)
    return key_network.probabilities(course, whole, load_weights("key"))


def calibrated_confidence(chances: Array) -> float:
    """Chance that the first is right, from its share and the runner-up's."""
    return logistic_probability(load_weights("key_scale")["coefficients"], confidence_features(chances))


def confidence_features(chances: Array) -> Array:
    """Log odds of the best key and its lead over the second."""
    second, best = (float(c) for c in np.clip(np.sort(chances)[-2:], 1e-4, 0.9999))
    return np.array([np.log(best / (1 - best)), np.log(best / second)])
