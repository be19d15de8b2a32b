"""Say in a sentence why a sound is on its pad, and how well a bank fits together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from app.music.key_fit import MIXES, key_fit, moved_key
from app.music.musical_keys import relative_key, short_key_name
from app.music.sound_classes import DRUMS, HI_HAT, LOOP, sound_label

SURELY, RATHER = 0.8, 0.5
_PITCHLESS = (*DRUMS, HI_HAT, "drums", "percussion")
_PART_WORDS = {"key": "key", "tempo": "tempo", "bands": "frequencies", "rhythm": "rhythm", "role": "roles"}


@dataclass(frozen=True, slots=True)
class PadFacts:
    """What a reason is told from. `confidence` is that of the class, 0 to 1; None is for what is not known.

    Attributes
    ----------
    transpose : float
        By how many semitones its recipe moves it.
    slice_of : tuple of int or None
        Which slice of how many it is.
    mate : str or None
        The pad whose sound it goes with best.
    """

    kind: str
    sound: str | None
    confidence: float
    bpm: float | None = None
    key: str | None = None
    transpose: float = 0.0
    slice_of: tuple[int, int] | None = None
    mate: str | None = None


def pad_sentence(facts: PadFacts, tempo_bpm: float, key: str | None) -> str:
    """Return why a sound is on its pad.

    Parameters
    ----------
    facts : PadFacts
    tempo_bpm : float
        Of the bank.
    key : str or None
        That the sounds of the bank go with.
    """
    label = sound_label(facts.kind, facts.sound)
    if facts.slice_of is not None:
        place, count = facts.slice_of
        return f"Slice {place} of {count} of one {label}: it cuts the others off."
    parts = [_class_words(label, facts.confidence)]
    parts += [_tempo_words(facts.bpm, tempo_bpm)] if facts.kind == LOOP else []
    parts += [_key_words(facts, key)] if key is not None and facts.sound not in _PITCHLESS else []
    said = "; ".join(parts)
    mate = f" It goes best with {facts.mate}." if facts.mate else ""
    return f"{said[0].upper()}{said[1:]}.{mate}"


def bank_sentence(total: float | None, parts: Mapping[str, float], key: str | None) -> str:
    """Return how well a bank fits together, and which part of it is best and which is least.

    Parameters
    ----------
    total : float or None
        0 to 1; None for fewer than two sounds.
    parts : mapping of str to float
        The mean of each of `app.audio.goes_with.PARTS`.
    key : str or None
    """
    if total is None:
        return "There is only one sound here, so there is nothing to fit it to."
    best, least = max(parts, key=lambda name: parts[name]), min(parts, key=lambda name: parts[name])
    around = f" around {short_key_name(key)}" if key else ""
    return (
        f"The sounds fit together by {100 * total:.0f} %{around}: best in {_PART_WORDS[best]} "
        f"({100 * parts[best]:.0f} %), least in {_PART_WORDS[least]} ({100 * parts[least]:.0f} %)."
    )


def _class_words(label: str, confidence: float) -> str:
    how = "surely" if confidence >= SURELY else "probably" if confidence >= RATHER else "perhaps"
    article = "an" if label[0] in "aeiou" else "a"
    return f"{how} {article} {label} ({100 * confidence:.0f} %)"


def _tempo_words(bpm: float | None, tempo_bpm: float) -> str:
    if not bpm:
        return "no tempo is known, so it runs freely"
    ratio = min((tempo_bpm * factor / bpm for factor in (1, 2, 0.5)), key=lambda each: abs(math.log2(each)))
    apart = round(100 * (ratio - 1))
    if not apart:
        return f"its {bpm:g} BPM are in time as they are"
    return f"its {bpm:g} BPM need a stretch of {abs(apart)} %"


def _key_words(facts: PadFacts, key: str | None) -> str:
    if facts.key is None or key is None:
        return "no key is known"
    steps = round(facts.transpose)
    heard = moved_key(facts.key, steps)
    moved = f", moved by {steps:+d}".replace("-", "−") if steps else ""
    name = short_key_name(facts.key)
    if heard == key:
        return f"{name}{moved} is the key of the bank"
    if heard == relative_key(key):
        return f"{name}{moved} has the notes of {short_key_name(key)}"
    mixes = "mixes" if key_fit(heard, key) >= MIXES else "clashes"
    return f"{name}{moved} {mixes} with {short_key_name(key)}"
