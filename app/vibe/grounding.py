"""What a vibe may not say: claims that contradict the measurement are put right, and listed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from app.vibe.feature_text import MeasuredValues, decay_s, describe_features, number_or_default
from app.vibe.vibe_schema import Vibe
from app.vibe.vocabulary import DRUM_SOUNDS, MOODS

# Between the bounds a word is a matter of taste; outside them it is wrong.
MAX_ENERGY_DEVIATION = 30
LIVELY_AROUSAL, CALM_AROUSAL = 6, -5  # arousal of a mood
MIN_LIVELY_ENERGY, MAX_CALM_ENERGY = 25, 70
BPM_TOLERANCE = 0.04
SURE_CONFIDENCE = 0.8
NEGATIONS = frozenset(
    {"not", "never", "no", "without", "hardly", "neither", "nor", "less", "isn't", "anything"}
)
MIN_QUOTE_WORDS = 4  # so many words of the user's in a row are no description

_WORD_PATTERN = re.compile(r"[a-z0-9#♯♭']+")
_BPM_PATTERN = re.compile(r"(\d{2,3}(?:\.\d+)?)\s*-?bpm")
# "A minor triad" is no key: the article counts as one only after "in" or "of", and not before "key".
_KEY_PATTERN = re.compile(
    r"\b((?:(?<=in )|(?<=of ))a|[b-g]|[a-g](?:#|♯|b|♭| sharp| flat))[ -](major|minor)\b"
    r"(?! (?:key|mode|mood|scale|chord|triad|third))"
)
_SHARP_OF_FLAT = {"DB": "C#", "EB": "D#", "GB": "F#", "AB": "G#", "BB": "A#"}


@dataclass(frozen=True)
class ClaimLimit:
    """A word, the feature it speaks of, and whether the measurement rules it out."""

    words: frozenset[str]
    feature: str
    rules_out: Callable[[MeasuredValues], bool]


def _measured_above(name: str, most: float) -> Callable[[MeasuredValues], bool]:
    return lambda measured: measured.get(name) is not None and number_or_default(measured, name, 0.0) > most


def _measured_below(name: str, least: float) -> Callable[[MeasuredValues], bool]:
    return lambda measured: measured.get(name) is not None and number_or_default(measured, name, 0.0) < least


def _claim_limit(words: str, feature: str, rules_out: Callable[[MeasuredValues], bool]) -> ClaimLimit:
    return ClaimLimit(frozenset(words.split()), feature, rules_out)


CLAIM_LIMITS = (
    _claim_limit("fast uptempo rapid frantic", "tempo", _measured_below("bpm", 105)),
    _claim_limit("slow downtempo sluggish", "tempo", _measured_above("bpm", 110)),
    _claim_limit("bright brilliant glassy sparkling shiny", "brightness", _measured_below("brightness", 40)),
    _claim_limit("dark dull muffled murky", "brightness", _measured_above("brightness", 65)),
    _claim_limit("noisy hissing hissy distorted", "noisiness", _measured_below("noisiness", 20)),
    _claim_limit("clean pure pristine", "noisiness", _measured_above("noisiness", 65)),
    _claim_limit("loud blaring", "loudness", _measured_below("loudness_db", -26)),
    _claim_limit("quiet soft hushed faint", "loudness", _measured_above("loudness_db", -10)),
    _claim_limit("punchy snappy plucky percussive", "attack", _measured_above("attack_ms", 120)),
    _claim_limit("swelling", "attack", _measured_below("attack_ms", 20)),
    _claim_limit("sustained endless ringing", "decay", lambda m: (decay_s(m) or 99.0) < 0.3),
    _claim_limit("short staccato tight", "decay", lambda m: (decay_s(m) or 0.0) > 1.5),
    _claim_limit("one-shot oneshot", "kind", lambda m: m.get("kind") == "loop"),
    _claim_limit("loop looping loops", "kind", lambda m: m.get("kind") == "one-shot"),
)
TEXTURE_CLAIMS = {
    "punchy": "punchy", "snappy": "punchy", "crisp": "bright", "gritty": "noisy", "harsh": "noisy",
    "clear": "clean",
}  # fmt: skip


def find_contradictions(text: str, measured: MeasuredValues) -> list[str]:
    """Every claim of a text that the measurement rules out, as a sentence for the user."""
    lowered = text.casefold().replace("one shot", "one-shot")
    found = [
        _fault_sentence(word, limit.feature, measured) for word, limit in _false_claims(lowered, measured)
    ]
    return [*found, *_wrong_tempi(lowered, measured), *_wrong_keys(lowered, measured)]


def quotes_user(text: str, given: str) -> bool:
    """Whether a text repeats the user's words: whatever they were for, that is no description."""
    said, theirs = _WORD_PATTERN.findall(text.casefold()), _WORD_PATTERN.findall(given.casefold())
    size = min(MIN_QUOTE_WORDS, max(len(theirs), 2))  # the whole of a short name is a quote too
    runs = {tuple(theirs[n : n + size]) for n in range(len(theirs) - size + 1)}
    return any(tuple(said[n : n + size]) in runs for n in range(len(said)))


def correct_vibe(vibe: Vibe, local: Vibe, measured: MeasuredValues) -> tuple[Vibe, list[str]]:
    """The vibe with each contradiction replaced by what the rules say, and what was wrong."""
    faults: list[str] = []
    changes: dict[str, object] = {}
    if abs(vibe.energy - local.energy) > MAX_ENERGY_DEVIATION:
        faults.append(_fault_sentence(f"energy {vibe.energy}", "loudness", measured))
        changes["energy"] = local.energy
    moods = [mood for mood in vibe.moods if not _is_wrong_mood(mood, local.energy)]
    moods = [mood for mood in moods if not find_contradictions(mood, measured)]
    if moods != vibe.moods:
        faults += [_fault_sentence(mood, "loudness", measured) for mood in vibe.moods if mood not in moods]
        changes["moods"] = moods or local.moods
    if wrong := find_contradictions(TEXTURE_CLAIMS.get(vibe.texture, vibe.texture), measured):
        faults += wrong
        changes["texture"] = local.texture
    if wrong := find_contradictions(vibe.description, measured):
        faults += wrong
        changes["description"] = local.description
    tags = [tag for tag in vibe.tags if not find_contradictions(tag.replace("-", " "), measured)]
    if tags != vibe.tags:
        faults += [f"The tag {tag} is not what was measured." for tag in vibe.tags if tag not in tags]
        changes["tags"] = tags
    changes |= _correct_placement(vibe, local, measured, faults)
    return vibe.model_copy(update=changes), list(dict.fromkeys(faults))


def _correct_placement(
    vibe: Vibe, local: Vibe, measured: MeasuredValues, faults: list[str]
) -> dict[str, object]:
    """Use and pad: a loop is no hit, and a one-shot no loop."""
    is_loop = measured.get("kind") == "loop"
    changes: dict[str, object] = {}
    if is_loop != ("loop" in vibe.use) and vibe.use not in {
        "source to sample from",
        "bed to hold",
        "transition",
    }:
        faults.append(_fault_sentence(vibe.use, "kind", measured))
        changes["use"] = local.use
    no_drum = vibe.role in {"vocal", "chord", "melody"}
    if (vibe.role == "loop" and not is_loop) or (no_drum and _is_sure_drum(measured)):
        faults.append(_fault_sentence(f"{vibe.role} on a pad", "sound", measured))
        changes["role"] = local.role
    return changes


def _is_sure_drum(measured: MeasuredValues) -> bool:
    return (
        measured.get("sound") in DRUM_SOUNDS
        and number_or_default(measured, "sound_confidence", 0.0) >= SURE_CONFIDENCE
    )


def _is_wrong_mood(mood: str, energy: int) -> bool:
    arousal = MOODS[mood][1]
    return (arousal >= LIVELY_AROUSAL and energy < MIN_LIVELY_ENERGY) or (
        arousal <= CALM_AROUSAL and energy > MAX_CALM_ENERGY
    )


def _false_claims(lowered: str, measured: MeasuredValues) -> list[tuple[str, ClaimLimit]]:
    words = re.findall(r"[a-z']+(?:-shot)?", lowered)
    return [
        (word, limit)
        for place, word in enumerate(words)
        for limit in CLAIM_LIMITS
        if word in limit.words
        and not NEGATIONS & set(words[max(place - 2, 0) : place])
        and limit.rules_out(measured)
    ]


def _wrong_tempi(lowered: str, measured: MeasuredValues) -> list[str]:
    bpm = measured.get("bpm")
    said = [float(figure) for figure in _BPM_PATTERN.findall(lowered)]
    wrong = [figure for figure in said if not bpm or abs(figure / float(bpm) - 1) > BPM_TOLERANCE]
    return [_fault_sentence(f"{figure:g} BPM", "tempo", measured) for figure in wrong]


def _wrong_keys(lowered: str, measured: MeasuredValues) -> list[str]:
    wrong = []
    for pitch, mode in _KEY_PATTERN.findall(lowered):
        name = pitch.upper().replace(" SHARP", "#").replace(" FLAT", "B").replace("♯", "#").replace("♭", "B")
        key = f"{_SHARP_OF_FLAT.get(name, name)} {mode}"
        if key != measured.get("key"):
            wrong.append(_fault_sentence(key, "key", measured))
    return wrong


def _fault_sentence(claim: str, feature: str, measured: MeasuredValues) -> str:
    return f"Said {claim}, against {describe_features(measured, [feature])}."
