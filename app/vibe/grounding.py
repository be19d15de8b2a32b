"""What a vibe may not say: claims that contradict the measurement are put right, and listed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from app.vibe.measures import Measured, decay_s, in_words, number
from app.vibe.schema import Vibe
from app.vibe.vocabulary import DRUMS, MOODS

# Between the bounds a word is a matter of taste; outside them it is wrong.
MOST_ENERGY_AWAY = 30
LIVELY, CALM = 6, -5  # arousal of a mood
LEAST_FOR_LIVELY, MOST_FOR_CALM = 25, 70
BPM_TOLERANCE = 0.04
SURE = 0.8
NEGATIONS = frozenset(
    {"not", "never", "no", "without", "hardly", "neither", "nor", "less", "isn't", "anything"}
)
LONGEST_QUOTE = 4  # so many words of the user's in a row are no description

_WORD = re.compile(r"[a-z0-9#♯♭']+")
_BPM = re.compile(r"(\d{2,3}(?:\.\d+)?)\s*-?bpm")
# "A minor triad" is no key: the article counts as one only after "in" or "of", and not before "key".
_KEY = re.compile(
    r"\b((?:(?<=in )|(?<=of ))a|[b-g]|[a-g](?:#|♯|b|♭| sharp| flat))[ -](major|minor)\b"
    r"(?! (?:key|mode|mood|scale|chord|triad|third))"
)
_FLATS = {"DB": "C#", "EB": "D#", "GB": "F#", "AB": "G#", "BB": "A#"}


@dataclass(frozen=True)
class Limit:
    """A word, the feature it speaks of, and whether the measurement rules it out."""

    words: frozenset[str]
    feature: str
    rules_out: Callable[[Measured], bool]


def _above(name: str, most: float) -> Callable[[Measured], bool]:
    return lambda measured: measured.get(name) is not None and number(measured, name, 0.0) > most


def _below(name: str, least: float) -> Callable[[Measured], bool]:
    return lambda measured: measured.get(name) is not None and number(measured, name, 0.0) < least


def _limit(words: str, feature: str, rules_out: Callable[[Measured], bool]) -> Limit:
    return Limit(frozenset(words.split()), feature, rules_out)


LIMITS = (
    _limit("fast uptempo rapid frantic", "tempo", _below("bpm", 105)),
    _limit("slow downtempo sluggish", "tempo", _above("bpm", 110)),
    _limit("bright brilliant glassy sparkling shiny", "brightness", _below("brightness", 40)),
    _limit("dark dull muffled murky", "brightness", _above("brightness", 65)),
    _limit("noisy hissing hissy distorted", "noisiness", _below("noisiness", 20)),
    _limit("clean pure pristine", "noisiness", _above("noisiness", 65)),
    _limit("loud blaring", "loudness", _below("loudness_db", -26)),
    _limit("quiet soft hushed faint", "loudness", _above("loudness_db", -10)),
    _limit("punchy snappy plucky percussive", "attack", _above("attack_ms", 120)),
    _limit("swelling", "attack", _below("attack_ms", 20)),
    _limit("sustained endless ringing", "decay", lambda m: (decay_s(m) or 99.0) < 0.3),
    _limit("short staccato tight", "decay", lambda m: (decay_s(m) or 0.0) > 1.5),
    _limit("one-shot oneshot", "kind", lambda m: m.get("kind") == "loop"),
    _limit("loop looping loops", "kind", lambda m: m.get("kind") == "one-shot"),
)
TEXTURES = {
    "punchy": "punchy", "snappy": "punchy", "crisp": "bright", "gritty": "noisy", "harsh": "noisy",
    "clear": "clean",
}  # fmt: skip


def contradictions(text: str, measured: Measured) -> list[str]:
    """Every claim of a text that the measurement rules out, as a sentence for the user."""
    lowered = text.casefold().replace("one shot", "one-shot")
    found = [_told(word, limit.feature, measured) for word, limit in _claimed(lowered, measured)]
    return [*found, *_wrong_tempi(lowered, measured), *_wrong_keys(lowered, measured)]


def quotes(text: str, given: str) -> bool:
    """Whether a text repeats the user's words: whatever they were for, that is no description."""
    said, theirs = _WORD.findall(text.casefold()), _WORD.findall(given.casefold())
    size = min(LONGEST_QUOTE, max(len(theirs), 2))  # the whole of a short name is a quote too
    runs = {tuple(theirs[n : n + size]) for n in range(len(theirs) - size + 1)}
    return any(tuple(said[n : n + size]) in runs for n in range(len(said)))


def corrected(vibe: Vibe, local: Vibe, measured: Measured) -> tuple[Vibe, list[str]]:
    """The vibe with each contradiction replaced by what the rules say, and what was wrong."""
    faults: list[str] = []
    changes: dict[str, object] = {}
    if abs(vibe.energy - local.energy) > MOST_ENERGY_AWAY:
        faults.append(_told(f"energy {vibe.energy}", "loudness", measured))
        changes["energy"] = local.energy
    moods = [mood for mood in vibe.moods if not _wrong_mood(mood, local.energy)]
    moods = [mood for mood in moods if not contradictions(mood, measured)]
    if moods != vibe.moods:
        faults += [_told(mood, "loudness", measured) for mood in vibe.moods if mood not in moods]
        changes["moods"] = moods or local.moods
    if wrong := contradictions(TEXTURES.get(vibe.texture, vibe.texture), measured):
        faults += wrong
        changes["texture"] = local.texture
    if wrong := contradictions(vibe.description, measured):
        faults += wrong
        changes["description"] = local.description
    tags = [tag for tag in vibe.tags if not contradictions(tag.replace("-", " "), measured)]
    if tags != vibe.tags:
        faults += [f"The tag {tag} is not what was measured." for tag in vibe.tags if tag not in tags]
        changes["tags"] = tags
    changes |= _placed(vibe, local, measured, faults)
    return vibe.model_copy(update=changes), list(dict.fromkeys(faults))


def _placed(vibe: Vibe, local: Vibe, measured: Measured, faults: list[str]) -> dict[str, object]:
    """Use and pad: a loop is no hit, and a one-shot no loop."""
    is_loop = measured.get("kind") == "loop"
    changes: dict[str, object] = {}
    if is_loop != ("loop" in vibe.use) and vibe.use not in {
        "source to sample from",
        "bed to hold",
        "transition",
    }:
        faults.append(_told(vibe.use, "kind", measured))
        changes["use"] = local.use
    no_drum = vibe.role in {"vocal", "chord", "melody"}
    if (vibe.role == "loop" and not is_loop) or (no_drum and _is_sure_drum(measured)):
        faults.append(_told(f"{vibe.role} on a pad", "sound", measured))
        changes["role"] = local.role
    return changes


def _is_sure_drum(measured: Measured) -> bool:
    return measured.get("sound") in DRUMS and number(measured, "sound_confidence", 0.0) >= SURE


def _wrong_mood(mood: str, energy: int) -> bool:
    arousal = MOODS[mood][1]
    return (arousal >= LIVELY and energy < LEAST_FOR_LIVELY) or (arousal <= CALM and energy > MOST_FOR_CALM)


def _claimed(lowered: str, measured: Measured) -> list[tuple[str, Limit]]:
    words = re.findall(r"[a-z']+(?:-shot)?", lowered)
    return [
        (word, limit)
        for place, word in enumerate(words)
        for limit in LIMITS
        if word in limit.words
        and not NEGATIONS & set(words[max(place - 2, 0) : place])
        and limit.rules_out(measured)
    ]


def _wrong_tempi(lowered: str, measured: Measured) -> list[str]:
    bpm = measured.get("bpm")
    said = [float(figure) for figure in _BPM.findall(lowered)]
    wrong = [figure for figure in said if not bpm or abs(figure / float(bpm) - 1) > BPM_TOLERANCE]
    return [_told(f"{figure:g} BPM", "tempo", measured) for figure in wrong]


def _wrong_keys(lowered: str, measured: Measured) -> list[str]:
    wrong = []
    for pitch, mode in _KEY.findall(lowered):
        name = pitch.upper().replace(" SHARP", "#").replace(" FLAT", "B").replace("♯", "#").replace("♭", "B")
        key = f"{_FLATS.get(name, name)} {mode}"
        if key != measured.get("key"):
            wrong.append(_told(key, "key", measured))
    return wrong


def _told(claim: str, feature: str, measured: Measured) -> str:
    return f"Said {claim}, against {in_words(measured, [feature])}."
