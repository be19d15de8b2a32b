"""The character of a hit or a texture: words that follow from measured figures by fixed bounds.

A word applies when every one of its figures lies within its bounds. The bounds are ours; docs/vibe.md lists
them, and which drums and notes of the corpus each word describes.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.audio.result import Analysis
from app.music.sound_classes import ONE_SHOT, TEXTURE
from app.vibe.feature_text import (
    band_level_db,
    decay_s,
    has_pitch,
    is_silent,
    level_change_db,
    level_range_db,
    sounding_s,
)
from app.vibe.vocabulary import HIT_CHARACTERS, TEXTURE_CHARACTERS

Bounds = tuple[float | None, float | None]  # None for an open end

LOW_HZ, HIGH_HZ = (0.0, 150.0), (2500.0, 20000.0)

# For each word the figures it rests on, with the least and the largest value of each.
BOUNDS: dict[str, dict[str, Bounds]] = {
    "punchy": {
        "attack_ms": (None, 15.0),
        "crest_db": (7.0, None),
        "brightness": (None, 75.0),
        "low_db": (-6.0, None),
        "sounding_s": (None, 0.8),
    },
    "snappy": {"attack_ms": (None, 8.0), "brightness": (55.0, None), "sounding_s": (None, 0.3)},
    "swelling": {"attack_ms": (80.0, None)},
    "crisp": {"attack_ms": (None, 15.0), "brightness": (75.0, None), "noisiness": (15.0, None)},
    "bright": {"brightness": (60.0, None)},
    "dull": {"brightness": (None, 35.0), "high_db": (None, -40.0)},
    "boomy": {"low_db": (-1.0, None), "brightness": (None, 50.0), "sounding_s": (0.4, None)},
    "thin": {"low_db": (None, -30.0), "brightness": (55.0, None)},
    "gritty": {"noisiness": (20.0, None), "brightness": (None, 72.0)},
    "noisy": {"noisiness": (50.0, None)},
    "clean": {"noisiness": (None, 3.0)},
    "ringing": {"attack_ms": (None, 40.0), "noisiness": (None, 40.0), "decay_s": (0.7, None)},
    "short": {"sounding_s": (None, 0.25)},
    "long": {"sounding_s": (1.5, None)},
    "tuned": {"pitch": (1.0, None)},
    "steady": {"level_range_db": (None, 4.0)},
    "rising": {"level_change_db": (4.0, None)},
    "falling": {"level_change_db": (None, -4.0)},
    "moving": {"level_range_db": (8.0, None), "level_change_db": (-4.0, 4.0)},
}
# How far beyond its bound a figure may lie before a describer's word is wrong and no matter of taste.
TOLERANCES = {
    "attack_ms": 60.0, "brightness": 20.0, "noisiness": 20.0, "crest_db": 6.0, "low_db": 10.0,
    "high_db": 15.0, "sounding_s": 0.5, "decay_s": 0.3, "pitch": 0.0, "level_range_db": 4.0,
    "level_change_db": 2.0,
}  # fmt: skip
# The features by which each figure is shown to users.
FEATURES_OF_FIGURE: dict[str, tuple[str, ...]] = {
    "attack_ms": ("attack",), "brightness": ("brightness",), "noisiness": ("noisiness",),
    "crest_db": ("crest",), "low_db": ("spectrum",), "high_db": ("spectrum",),
    "sounding_s": ("decay", "duration"), "decay_s": ("decay",), "pitch": ("key",),
    "level_range_db": ("course",), "level_change_db": ("course",),
}  # fmt: skip


def character_words(measured: Analysis) -> list[str]:
    """Return the words of a sound's character, in the order of the vocabulary.

    Parameters
    ----------
    measured : Analysis
        With the user's corrections, where there are any.

    Returns
    -------
    list of str
        Empty for a loop and for silence.
    """
    if is_silent(measured):
        return []
    figures = character_figures(measured)
    words = [word for word in words_of_kind(measured.kind) if _is_within(word, figures, tolerant=False)]
    # The loudest moment of a steady sound may be anywhere, so its attack says nothing.
    return [word for word in words if word != "swelling" or "steady" not in words]


def words_of_kind(kind: str) -> tuple[str, ...]:
    """Return the words that sounds of a kind may have: those of hits, of textures, or none for loops."""
    return {ONE_SHOT: HIT_CHARACTERS, TEXTURE: TEXTURE_CHARACTERS}.get(kind, ())


def is_wrong_word(word: str, measured: Analysis) -> bool:
    """Return whether the measurement rules a word out, even with the tolerance of each figure."""
    return not _is_within(word, character_figures(measured), tolerant=True)


def features_of_words(words: Iterable[str]) -> list[str]:
    """Return the features that words rest on, each once; those of every word when there are no words."""
    figures = [figure for word in (list(words) or HIT_CHARACTERS) for figure in BOUNDS[word]]
    return list(dict.fromkeys(name for figure in figures for name in FEATURES_OF_FIGURE[figure]))


def character_figures(measured: Analysis) -> dict[str, float | None]:
    """Return the figures that bounds are about, None where one was not measured.

    Returns
    -------
    dict
        `attack_ms`; `brightness` and `noisiness` from 0 to 100; `crest_db`, peak over RMS; `low_db` and
        `high_db`, the loudest band below 150 Hz and above 2.5 kHz relative to the loudest of all;
        `sounding_s`, the time to fall 20 dB or else the length; `decay_s`, None when the level never falls
        that far; `pitch`, 1 with a note or key and else 0; `level_range_db` and `level_change_db`.
    """
    return {
        "attack_ms": measured.attack_ms,
        "brightness": measured.brightness,
        "noisiness": measured.noisiness,
        "crest_db": measured.crest_db,
        "low_db": band_level_db(measured, *LOW_HZ),
        "high_db": band_level_db(measured, *HIGH_HZ),
        "sounding_s": sounding_s(measured),
        "decay_s": decay_s(measured),
        "pitch": 1.0 if has_pitch(measured) else 0.0,
        "level_range_db": level_range_db(measured),
        "level_change_db": level_change_db(measured),
    }


def _is_within(word: str, figures: dict[str, float | None], *, tolerant: bool) -> bool:
    """Return whether all figures of a word lie within its bounds; one that was not measured does not."""
    return all(
        _lies_between(figures[name], bounds, TOLERANCES[name] if tolerant else 0.0)
        for name, bounds in BOUNDS[word].items()
    )


def _lies_between(value: float | None, bounds: Bounds, slack: float) -> bool:
    low, high = bounds
    if value is None:
        return False
    return (low is None or value >= low - slack) and (high is None or value <= high + slack)
