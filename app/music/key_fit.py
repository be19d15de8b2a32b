"""Say how well two keys go together, and by how many semitones one has to move to fit."""

from __future__ import annotations

from functools import cache

from app.music.musical_keys import ALL_KEYS, camelot_code
from app.music.pitch_names import PITCH_NAMES

MIXES = 0.8
"""Keys from here on mix: the same, the relative, and a fifth up or down."""
NEUTRAL = 0.5
"""Of a sound whose key is not known."""
MAX_SHIFT = 2
_SAME, _RELATIVE, _FIFTH, _MOST_SHARED = 1.0, 0.9, 0.8, 0.6
_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}


@cache
def key_fit(one: str | None, other: str | None) -> float:
    """Return how well two keys go together, 0 to 1.

    Parameters
    ----------
    one, other : str or None
        Of `ALL_KEYS`; None, for sounds without a sure key, is neutral with every key.

    Notes
    -----
    The Camelot wheel: the same key 1, the relative 0.9, a neighbour of the same mode, which is a fifth away,
    0.8. Any other pair gets at most 0.6, by how many of the seven notes of their scales are the same.
    """
    if one is None or other is None:
        return NEUTRAL
    number, letter = _place(one)
    other_number, other_letter = _place(other)
    apart = min((number - other_number) % 12, (other_number - number) % 12)
    if apart == 0:
        return _SAME if letter == other_letter else _RELATIVE
    if apart == 1 and letter == other_letter:
        return _FIFTH
    shared = len(_notes(one) & _notes(other))
    return _MOST_SHARED * max(shared - 2, 0) / 5


@cache
def best_shift(key: str | None, wanted: str | None) -> int:
    """Return by how many semitones to move a key so that it mixes with another, -2 to 2; 0 if nothing does.

    Parameters
    ----------
    key, wanted : str or None
        Of `ALL_KEYS`, or None for none, which is not moved.
    """
    if key is None or wanted is None or key_fit(key, wanted) >= MIXES:
        return 0
    shifts = sorted((step for step in range(-MAX_SHIFT, MAX_SHIFT + 1) if step), key=lambda s: (abs(s), s))
    found = [step for step in shifts if key_fit(moved_key(key, step), wanted) >= MIXES]
    return min(found, key=lambda step: (abs(step), -key_fit(moved_key(key, step), wanted)), default=0)


def moved_key(key: str, semitones: int) -> str:
    """Return the key of a sound that is moved by some semitones.

    Parameters
    ----------
    key : str
        One of `ALL_KEYS`.
    semitones : int
    """
    pitch, mode = key.split(" ")
    return f"{PITCH_NAMES[(PITCH_NAMES.index(pitch) + semitones) % 12]} {mode}"


def common_key(keys: list[tuple[str, float]]) -> str | None:
    """Return the key that goes best with several, None for none.

    Parameters
    ----------
    keys : list of tuple of str and float
        Keys of `ALL_KEYS`, with what each counts.
    """
    if not keys:
        return None
    present = [key for key in ALL_KEYS if any(key == each for each, _ in keys)]
    return max(present, key=lambda key: sum(key_fit(key, each) * weight for each, weight in keys))


def _place(key: str) -> tuple[int, str]:
    code = camelot_code(key)
    return int(code[:-1]), code[-1]


def _notes(key: str) -> frozenset[int]:
    pitch, mode = key.split(" ")
    return frozenset((PITCH_NAMES.index(pitch) + step) % 12 for step in _SCALES[mode])
