"""Moods by rules: where a sound lies on the plane of valence and arousal, and how sure a mood can be.

Arousal follows loudness, density of events, brightness and tempo; valence follows mode, and a little tempo
and brightness (Gabrielsson and Lindström's review of expression in music, 2010; Eerola, Friberg and Bresin,
2013). Bright and noisy timbres read as tense and harsh (McAdams and others, 2017).
"""

from __future__ import annotations

import math

from app.audio.result import Analysis
from app.music.sound_classes import ONE_SHOT
from app.vibe.feature_text import is_silent, onsets_per_s
from app.vibe.vocabulary import MOODS

NOISY = 55.0  # noisiness from which a sound loses valence
# A sound this far from the middle of the plane is as clear a case as there is.
CLEAR_DISTANCE = 8.0
# Fixed on half of the sources of the corpus by `benchmarks.moods`: the lowest step of 0.05 at which no mood
# describes more than half of what is allowed, which is 15 % of loops.
MIN_MOOD_CONFIDENCE = 0.65
MAX_RULE_MOODS = 2
# A describer's mood that lies further than this from the sound is wrong and no matter of taste.
MAX_MOOD_DISTANCE = 8.0


def sure_moods(measured: Analysis) -> list[str]:
    """Return the moods nearest to a sound, nearest first; none where the measurement is not sure of one."""
    return nearest_moods(measured) if may_have_mood(measured) else []


def nearest_moods(measured: Analysis) -> list[str]:
    """Return the moods nearest to a sound on the plane, nearest first, however sure the measurement is."""
    place = valence_arousal(measured, energy_level(measured))
    return sorted(MOODS, key=lambda mood: math.dist(MOODS[mood], place))[:MAX_RULE_MOODS]


def may_have_mood(measured: Analysis) -> bool:
    """Return whether a mood may be named: the measurement is sure enough, and the sound no one-shot."""
    return measured.kind != ONE_SHOT and mood_confidence(measured) >= MIN_MOOD_CONFIDENCE


def mood_confidence(measured: Analysis) -> float:
    """Return from 0 to 1 how sure a mood can be.

    Notes
    -----
    The distance from the middle of the plane, as a share of `CLEAR_DISTANCE`, times the kind's confidence.
    Valence counts as far as the key is sure, and not at all without a key, because brightness and tempo alone
    do not tell a pleasant sound from an unpleasant one.
    """
    if is_silent(measured):
        return 0.0
    valence, arousal = valence_arousal(measured, energy_level(measured))
    known_valence = valence * measured.key_confidence if measured.key else 0.0
    distance = math.hypot(known_valence, arousal)
    return min(distance / CLEAR_DISTANCE, 1.0) * min(max(measured.kind_confidence, 0.0), 1.0)


def is_far_mood(mood: str, measured: Analysis) -> bool:
    """Return whether a mood lies too far from the sound on the plane to describe it."""
    place = valence_arousal(measured, energy_level(measured))
    return math.dist(MOODS[mood], place) > MAX_MOOD_DISTANCE


def energy_level(measured: Analysis) -> int:
    """Return loudness, onsets a second and brightness as one figure from 0 to 100; 0 for silence."""
    if is_silent(measured):
        return 0
    loud = _scaled_share(_known_or(measured.loudness_db, -30.0), -36.0, -6.0)
    dense = _scaled_share(onsets_per_s(measured), 0.0, 8.0)
    bright = _scaled_share(_known_or(measured.brightness, 40.0), 0.0, 100.0)
    return round(100 * (0.45 * loud + 0.35 * dense + 0.2 * bright))


def valence_arousal(measured: Analysis, energy: int) -> tuple[float, float]:
    """Return where the sound lies on the plane of moods: valence and arousal, each -10 to 10."""
    bright = _known_or(measured.brightness, 45.0)
    mode = {"major": 5.0, "minor": -5.0}.get((measured.key or "").rpartition(" ")[2], 0.0)
    pace = 2 * _scaled_share(measured.bpm, 60.0, 170.0) - 1 if measured.bpm else 0.0
    noisy = _scaled_share(_known_or(measured.noisiness, 40.0), NOISY, 100.0)
    valence = mode + 1.5 * pace + 3 * (bright - 50) / 50 - 4 * noisy
    arousal = (energy - 50) / 50 * 8 + 3 * pace
    return max(min(valence, 10.0), -10.0), max(min(arousal, 10.0), -10.0)


def _known_or(value: float | None, default: float) -> float:
    return default if value is None else value


def _scaled_share(value: float, low: float, high: float) -> float:
    """Return where a value lies between two bounds, from 0 to 1."""
    return min(max((value - low) / (high - low), 0.0), 1.0)
