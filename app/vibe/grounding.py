"""Find the claims of a vibe that contradict the measurement, replace them and list them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from app.audio.result import Analysis
from app.music.pitch_names import pitch_name
from app.music.sound_classes import DRUMS, HI_HAT, ONE_SHOT
from app.vibe.character import features_of_words, is_wrong_word, words_of_kind
from app.vibe.feature_text import decay_s, describe_features
from app.vibe.moods import is_far_mood, may_have_mood
from app.vibe.vibe_schema import SoundVibe
from app.vibe.vocabulary import MOODS

# Between two bounds a word is a matter of taste; beyond them it is wrong.
MAX_ENERGY_DEVIATION = 30
LIVELY_AROUSAL, CALM_AROUSAL = 6, -5  # a mood's arousal
MIN_LIVELY_ENERGY, MAX_CALM_ENERGY = 25, 70
BPM_TOLERANCE = 0.04
SURE_CONFIDENCE = 0.8
NEGATIONS = frozenset(
    {"not", "never", "no", "without", "hardly", "neither", "nor", "less", "isn't", "anything"}
)
MIN_QUOTE_WORDS = 4  # this many of the user's words in a row make a quote

_WORD_PATTERN = re.compile(r"[a-z0-9#♯♭']+")
_BPM_PATTERN = re.compile(r"(\d{2,3}(?:\.\d+)?)\s*-?bpm")
# The "a" of "a minor triad" is an article. It counts as a pitch only after "in" or "of", and no mode counts
# before "key", "chord" and the like.
_KEY_PATTERN = re.compile(
    r"\b((?:(?<=in )|(?<=of ))a|[b-g]|[a-g](?:#|♯|b|♭| sharp| flat))[ -](major|minor)\b"
    r"(?! (?:key|mode|mood|scale|chord|triad|third))"
)


@dataclass(frozen=True)
class ClaimLimit:
    """Words, the feature they claim something about, and whether the measurement rules them out."""

    words: frozenset[str]
    feature: str
    rules_out: Callable[[Analysis], bool]


def _is_above(value: float | None, bound: float) -> bool:
    """Return whether a figure was measured and lies above a bound."""
    return value is not None and value > bound


def _is_below(value: float | None, bound: float) -> bool:
    """Return whether a figure was measured and lies below a bound."""
    return value is not None and value < bound


def _limit(words: str, feature: str, rules_out: Callable[[Analysis], bool]) -> ClaimLimit:
    return ClaimLimit(frozenset(words.split()), feature, rules_out)


CLAIM_LIMITS = (
    _limit("fast uptempo rapid frantic", "tempo", lambda m: _is_below(m.bpm, 105)),
    _limit("slow downtempo sluggish", "tempo", lambda m: _is_above(m.bpm, 110)),
    _limit("bright brilliant glassy sparkling shiny", "brightness", lambda m: _is_below(m.brightness, 40)),
    _limit("dark dull muffled murky", "brightness", lambda m: _is_above(m.brightness, 65)),
    _limit("noisy hissing hissy distorted", "noisiness", lambda m: _is_below(m.noisiness, 20)),
    _limit("clean pure pristine", "noisiness", lambda m: _is_above(m.noisiness, 65)),
    _limit("loud blaring", "loudness", lambda m: _is_below(m.loudness_db, -26)),
    _limit("quiet soft hushed faint", "loudness", lambda m: _is_above(m.loudness_db, -10)),
    _limit("punchy snappy plucky percussive", "attack", lambda m: _is_above(m.attack_ms, 120)),
    _limit("swelling", "attack", lambda m: _is_below(m.attack_ms, 20)),
    _limit("sustained endless ringing", "decay", lambda m: (decay_s(m) or 99.0) < 0.3),
    _limit("short staccato tight", "decay", lambda m: (decay_s(m) or 0.0) > 1.5),
    _limit("one-shot oneshot", "kind", lambda m: m.kind != "one-shot"),
    _limit("loop looping loops", "kind", lambda m: m.kind != "loop"),
)
FREE_USES = frozenset({"source to sample from", "bed to hold", "transition"})  # of any kind
TEXTURE_CLAIMS = {
    "punchy": "punchy", "snappy": "punchy", "crisp": "bright", "gritty": "noisy", "harsh": "noisy",
    "clear": "clean",
}  # fmt: skip


def find_contradictions(text: str, measured: Analysis) -> list[str]:
    """Return each claim of a text that the measurement rules out, as a sentence for the user."""
    lowered = text.casefold().replace("one shot", "one-shot")
    found = [
        _fault_sentence(word, limit.feature, measured) for word, limit in _false_claims(lowered, measured)
    ]
    return [*found, *_wrong_tempi(lowered, measured), *_wrong_keys(lowered, measured)]


def quotes_user(text: str, given: str) -> bool:
    """Return whether a text repeats the user's own words, which would not describe the sound."""
    said, theirs = _WORD_PATTERN.findall(text.casefold()), _WORD_PATTERN.findall(given.casefold())
    size = min(MIN_QUOTE_WORDS, max(len(theirs), 2))  # all of a short name is a quote too
    runs = {tuple(theirs[n : n + size]) for n in range(len(theirs) - size + 1)}
    return any(tuple(said[n : n + size]) in runs for n in range(len(said)))


def correct_vibe(vibe: SoundVibe, by_rules: SoundVibe, measured: Analysis) -> tuple[SoundVibe, list[str]]:
    """Return the vibe with each contradiction replaced by what rules say, and the list of faults."""
    faults: list[str] = []
    changes: dict[str, object] = {}
    if abs(vibe.energy - by_rules.energy) > MAX_ENERGY_DEVIATION:
        faults.append(_fault_sentence(f"energy {vibe.energy}", "loudness", measured))
        changes["energy"] = by_rules.energy
    changes |= _correct_moods(vibe, by_rules, measured, faults)
    changes |= _correct_character(vibe, by_rules, measured, faults)
    if wrong := find_contradictions(TEXTURE_CLAIMS.get(vibe.texture, vibe.texture), measured):
        faults += wrong
        changes["texture"] = by_rules.texture
    if wrong := find_contradictions(vibe.description, measured):
        faults += wrong
        changes["description"] = by_rules.description
    tags = [tag for tag in vibe.tags if not find_contradictions(tag.replace("-", " "), measured)]
    if tags != vibe.tags:
        wrong = [tag for tag in vibe.tags if tag not in tags]
        faults += [f"The keyword “{tag}” contradicts the measurement." for tag in wrong]
        changes["tags"] = tags
    changes |= _correct_placement(vibe, by_rules, measured, faults)
    return vibe.model_copy(update=changes), list(dict.fromkeys(faults))


def _correct_moods(
    vibe: SoundVibe, by_rules: SoundVibe, measured: Analysis, faults: list[str]
) -> dict[str, object]:
    """Return changes to the moods: none where the measurement is not sure of any, and none of a one-shot."""
    if vibe.moods and not may_have_mood(measured):
        faults += [_mood_fault(mood, measured) for mood in vibe.moods]
        return {"moods": []}
    moods = [mood for mood in vibe.moods if not _is_wrong_mood(mood, by_rules.energy)]
    moods = [mood for mood in moods if not is_far_mood(mood, measured)]
    moods = [mood for mood in moods if not find_contradictions(mood, measured)]
    if moods == vibe.moods:
        return {}
    faults += [_fault_sentence(mood, "loudness", measured) for mood in vibe.moods if mood not in moods]
    return {"moods": moods or by_rules.moods}


def _mood_fault(mood: str, measured: Analysis) -> str:
    """Return why a mood is left out: a one-shot has none, or nothing points to one clearly enough."""
    if measured.kind == ONE_SHOT:
        return _fault_sentence(mood, "kind", measured)
    figures = describe_features(measured, ["key", "tempo", "loudness"])
    return f"“{mood}” is left out: the measurement does not clearly point to a mood ({figures})."


def _correct_character(
    vibe: SoundVibe, by_rules: SoundVibe, measured: Analysis, faults: list[str]
) -> dict[str, object]:
    """Return changes to the character: wrong words and those of another kind are replaced."""
    allowed = words_of_kind(measured.kind)
    kept = [word for word in vibe.character if word in allowed and not is_wrong_word(word, measured)]
    if kept == vibe.character and (kept or not by_rules.character):
        return {}
    for word in vibe.character:
        if word not in kept:
            features = features_of_words([word]) if word in allowed else ["kind"]
            faults.append(f"“{word}” contradicts the measurement ({describe_features(measured, features)}).")
    if kept:
        return {"character": kept}
    rests_on = vibe.rests_on.model_copy(update={"character": by_rules.rests_on.character})
    return {"character": by_rules.character, "rests_on": rests_on}


def _correct_placement(
    vibe: SoundVibe, by_rules: SoundVibe, measured: Analysis, faults: list[str]
) -> dict[str, object]:
    """Return changes to use and role: a loop is not a hit, and a hit or a texture is not a loop."""
    is_loop = measured.kind == "loop"
    changes: dict[str, object] = {}
    if vibe.use not in FREE_USES and (measured.kind == "texture" or is_loop != ("loop" in vibe.use)):
        faults.append(_fault_sentence(vibe.use, "kind", measured))
        changes["use"] = by_rules.use
    is_tonal = vibe.role in {"vocal", "chord", "melody"}
    if (vibe.role == "loop" and not is_loop) or (is_tonal and _is_sure_drum(measured)):
        faults.append(_fault_sentence(f"role: {vibe.role}", "sound", measured))
        changes["role"] = by_rules.role
    return changes


def _is_sure_drum(measured: Analysis) -> bool:
    return measured.sound in (*DRUMS, HI_HAT) and measured.sound_confidence >= SURE_CONFIDENCE


def _is_wrong_mood(mood: str, energy: int) -> bool:
    arousal = MOODS[mood][1]
    return (arousal >= LIVELY_AROUSAL and energy < MIN_LIVELY_ENERGY) or (
        arousal <= CALM_AROUSAL and energy > MAX_CALM_ENERGY
    )


def _false_claims(lowered: str, measured: Analysis) -> list[tuple[str, ClaimLimit]]:
    """Return the words that the measurement rules out, unless a negation stands within two words before."""
    words = re.findall(r"[a-z']+(?:-shot)?", lowered)
    return [
        (word, limit)
        for place, word in enumerate(words)
        for limit in CLAIM_LIMITS
        if word in limit.words
        and not NEGATIONS & set(words[max(place - 2, 0) : place])
        and limit.rules_out(measured)
    ]


def _wrong_tempi(lowered: str, measured: Analysis) -> list[str]:
    bpm = measured.bpm
    said = [float(figure) for figure in _BPM_PATTERN.findall(lowered)]
    wrong = [figure for figure in said if not bpm or abs(figure / bpm - 1) > BPM_TOLERANCE]
    return [_fault_sentence(f"{figure:g} BPM", "tempo", measured) for figure in wrong]


def _wrong_keys(lowered: str, measured: Analysis) -> list[str]:
    wrong = []
    for pitch, mode in _KEY_PATTERN.findall(lowered):
        key = f"{pitch_name(pitch[0], pitch[1:].strip())} {mode}"
        if key != measured.key:
            wrong.append(_fault_sentence(key, "key", measured))
    return wrong


def _fault_sentence(claim: str, feature: str, measured: Analysis) -> str:
    return f"“{claim}” contradicts the measurement ({describe_features(measured, [feature])})."
