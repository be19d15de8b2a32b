"""A sound that may go on a pad of a bank, and how well it suits the tempo and the key of the bank."""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import blake2b

from app.audio.goes_with import tempo_fit
from app.music.key_fit import NEUTRAL, best_shift, key_fit
from app.music.sound_classes import DRUMS, HI_HAT, LOOP

MIN_VECTOR_DISTANCE = 0.3
"""Sounds whose similarity vectors are nearer than this count as the same recording.

Of copies of 20 hits, 95 % of those in MP3, Ogg Vorbis, mono, 32 kHz or with another gain lie below 0.25; of
6,512 pairs of one class and different instruments 0.1 % lie below 0.18, and 1 % below 0.59.
"""
_MOVED = 0.6  # less than any key that mixes as it is
_HASH_BYTES = 6
_HASHES = float(1 << 8 * _HASH_BYTES)
_PITCHLESS = (*DRUMS, HI_HAT, "drums", "percussion")


@dataclass(frozen=True, slots=True)
class PadCandidate:
    """A sound that may go on a pad. Confidences and `words` are 0 to 1; None is for what is not known.

    Attributes
    ----------
    words : float
        The share of the words of a sentence that suit it.
    vector : tuple of float
        Its similarity vector; empty where it has none.
    group_id : str or None
        Its group of duplicates.
    """

    sample_id: str
    kind: str
    sound: str = ""
    confidence: float = 1.0
    bpm: float | None = None
    bpm_confidence: float = 0.0
    key: str | None = None
    brightness: float | None = None
    words: float = 0.0
    liked: bool = False
    vector: tuple[float, ...] = ()
    group_id: str | None = None


@dataclass(frozen=True, slots=True)
class Aim:
    """What a bank should fit: its tempo in BPM, its key, and a seed; 0 is the best choice without chance."""

    bpm: float | None = None
    key: str | None = None
    seed: int = 0


def are_near_duplicates(one: PadCandidate, other: PadCandidate) -> bool:
    """Return whether two sounds count as the same recording.

    Parameters
    ----------
    one, other : PadCandidate
    """
    if one.sample_id == other.sample_id or (one.group_id is not None and one.group_id == other.group_id):
        return True
    return bool(one.vector and other.vector) and math.dist(one.vector, other.vector) < MIN_VECTOR_DISTANCE


def fit_to_aim(each: PadCandidate, aim: Aim) -> float:
    """Return how well the tempo and the key of a sound suit a bank, 0 to 1; drums have no key to fit.

    Parameters
    ----------
    each : PadCandidate
    aim : Aim
    """
    fits = [tempo_fit(each.bpm, aim.bpm)] if each.kind == LOOP and aim.bpm else []
    fits += [_moved_fit(each.key, aim.key)] if aim.key and each.sound not in _PITCHLESS else []
    return math.prod(fits) if fits else NEUTRAL


def chance_of(sample_id: str, seed: int) -> float:
    """Return a number from 0 to 1 that a seed gives a sample, always the same one; 0 for seed 0.

    Parameters
    ----------
    sample_id : str
    seed : int
    """
    if not seed:
        return 0.0
    # A checksum would not do: those of two seeds differ by the same bits for every sample.
    digest = blake2b(f"{seed}:{sample_id}".encode(), digest_size=_HASH_BYTES).digest()
    return int.from_bytes(digest, "big") / _HASHES


def _moved_fit(key: str | None, wanted: str | None) -> float:
    """Return how well a key fits, after the move that it may need."""
    if key is None or wanted is None:
        return NEUTRAL
    return _MOVED if best_shift(key, wanted) else key_fit(key, wanted)
