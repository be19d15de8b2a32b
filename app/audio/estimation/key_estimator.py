"""Estimate key and note: a small network reads the pitch classes at the tuning of the sound."""

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
# A tuned drum has a note: at least this share of its energy lies on the harmonics of one note.
MIN_TUNED_SHARE = 0.75
# With a smaller share a one-shot is a chord on that note rather than the note, if its key is this sure.
MIN_NOTE_SHARE, MIN_CHORD_CONFIDENCE = 0.76, 0.95

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class KeyEstimate:
    """The key or the note of a sound. A one-shot has one of the two, a loop that stays on one note has both.

    Attributes
    ----------
    name : the key, one of `ALL_KEYS`, or None.
    confidence : 0 to 1, calibrated.
    candidates : pairs of key and confidence, best first, the chosen key included.
    tuning_cents : deviation from A = 440 Hz, -50 to 50.
    note : such as "A2", the pitch of a sound with a single pitch, or None.
    note_cents : distance of that pitch from the note, -50 to 50.
    note_end : the note where a glide ends, or None; `note` is where it starts.
    """

    name: str | None
    confidence: float
    candidates: tuple[tuple[str, float], ...]
    tuning_cents: float
    note: str | None = None
    note_cents: float | None = None
    note_end: str | None = None


NO_KEY = KeyEstimate(None, 0.0, (), 0.0)


def estimate_key(features: FrontEndFeatures, one_shot: bool = False) -> KeyEstimate:
    """Estimate the key of a tonal sound, or the note of a one-shot with a single pitch.

    Parameters
    ----------
    features : FrontEndFeatures
    one_shot : bool
        Whether the sound is a one-shot, which has a note or a key but not both.

    Notes
    -----
    A small network (`key_network`) fitted on the development corpus reads twelve pitch-class profiles of the
    whole sound (`chroma.chroma_profiles`) and its pitch classes over time in six bands
    (`chroma.chroma_spans`). A logistic model calibrates its probabilities. The forest `tonal` recognises
    drums and noise, which get no key.
    """
    if features.is_silent:
        return NO_KEY
    tonal = float(load_forest("tonal").probabilities(features.descriptors[None])[0, 0])
    single = _estimate_single_note(features, tonal, one_shot)
    cents = round(features.tuning_cents, 1)
    if tonal < MIN_TONAL and single is None:
        return NO_KEY
    chances = key_probabilities(features)
    sure = calibrated_confidence(chances)
    named = (single.name, round(single.cents, 1)) if single else (None, None)
    unclear = tonal < MIN_TONAL or sure < MIN_CHORD_CONFIDENCE
    if one_shot and single is not None and (unclear or single.share >= MIN_NOTE_SHARE):
        return KeyEstimate(None, 0.0, (), cents, named[0], named[1], single.end)
    note, note_cents = (None, None) if one_shot else named
    listed = _rank_keys(chances, sure)
    return KeyEstimate(listed[0][0], listed[0][1], listed, cents, note, note_cents)


def _estimate_single_note(
    features: FrontEndFeatures, tonal: float, one_shot: bool
) -> note_estimator.Note | None:
    """Return the note of a one-shot, also of a tuned drum, or of a loop that stays on one note."""
    if not one_shot:
        return note_estimator.estimate_held_note(features.front_end) if tonal >= MIN_TONAL else None
    track = features.pitch_track
    if track and (tonal >= MIN_TONAL or track.is_steady):
        return note_estimator.note_of_track(track, features.front_end)
    found = note_estimator.estimate_note(features.front_end)
    sure = found is not None and (tonal >= MIN_TONAL or found.share >= MIN_TUNED_SHARE)
    return found if sure else None


def _rank_keys(chances: Array, sure: float) -> tuple[tuple[str, float], ...]:
    """Return the likeliest keys with their confidences. The others share what the first one leaves."""
    order = np.argsort(-chances)[:MAX_CANDIDATES]
    spread = chances[order] / max(1 - chances[order[0]], 1e-9) * (1 - sure)
    spread[0] = sure
    return tuple((ALL_KEYS[int(k)], round(float(c), 3)) for k, c in zip(order, spread, strict=True))


def unit_profiles(profiles: dict[str, Array]) -> Array:
    """Return square roots of pitch-class profiles, each scaled to unit length, shape (12, 12).

    Parameters
    ----------
    profiles : dict of str to ndarray, shape (12,)
        From `chroma.chroma_profiles`; the rows of the result are in the order of `chroma.PROFILE_NAMES`.
    """
    root = np.sqrt(np.stack([profiles[name] for name in chroma.PROFILE_NAMES]))
    return np.asarray(root / (np.linalg.norm(root, axis=1, keepdims=True) + 1e-9))


def key_probabilities(features: FrontEndFeatures) -> Array:
    """Return the probability of each key before calibration, shape (24,), in the order of `ALL_KEYS`.

    Parameters
    ----------
    features : FrontEndFeatures
    """
    course, whole = chroma.chroma_spans(features.pitch_classes), unit_profiles(features.profiles)
    return key_network.probabilities(course, whole, load_weights("key"))


def calibrated_confidence(chances: Array) -> float:
    """Return the probability that the likeliest key is right.

    Parameters
    ----------
    chances : ndarray, shape (24,)
        From `key_probabilities`.
    """
    return logistic_probability(load_weights("key_scale")["coefficients"], confidence_features(chances))


def confidence_features(chances: Array) -> Array:
    """Return what the calibration reads, shape (2,).

    These are the log odds of the likeliest key and its log ratio to the second.

    Parameters
    ----------
    chances : ndarray, shape (24,)
        From `key_probabilities`.
    """
    second, best = (float(c) for c in np.clip(np.sort(chances)[-2:], 1e-4, 0.9999))
    return np.array([np.log(best / (1 - best)), np.log(best / second)])
