"""The rules describer: derive a vibe from the measured features, without asking a model.

Rules name no genre, because a tempo alone does not tell one. Thresholds are ours: docs/vibe.md.
"""

from __future__ import annotations

from app.audio.result import Analysis
from app.music.sound_classes import DRUMS, HI_HAT, LOOP, ONE_SHOT, TEXTURE, sound_label
from app.vibe.character import character_words, features_of_words, words_of_kind
from app.vibe.feature_text import decay_s, is_silent, level_course
from app.vibe.moods import NOISY, energy_level, sure_moods
from app.vibe.vibe_schema import Instrument, RestsOn, SoundVibe
from app.vibe.vocabulary import INSTRUMENTS

BRIGHT, DARK = 60.0, 35.0
CLEAN = 25.0
FAST_BPM, SLOW_BPM = 125.0, 85.0
SHORT_ATTACK_MS, LONG_ATTACK_MS = 15.0, 80.0
SHORT_DECAY_S, LONG_DECAY_S = 0.25, 1.2
LOUD_DB, QUIET_DB = -12.0, -28.0
MIN_SOURCE_S = 30.0

# Rules know the figures and not the music, so a description by rules is never more confident than this.
MAX_CONFIDENCE = 0.6
ROLE_OF_SOUND = {
    "tom": "percussion", "cymbal": "percussion", "closed hat": "hi-hat", "open hat": "hi-hat", "rim": "snare",
    "shaker": "percussion", "drums": "percussion", "chords": "chord", "full mix": "fx",
    "keys": "chord", "lead": "melody", "pad": "texture",
    "vocal-like": "vocal",
}  # fmt: skip
INSTRUMENT_OF_SOUND = {
    "keys": "piano",
    "lead": "synth lead",
    "pad": "synth pad",
    "vocal-like": "voice",
    "fx": "effect",
    "drums": "drum kit",
}
DRUM_LOOPS, TONAL_LOOPS = ("drums", "percussion"), ("bass", "melody", "chords")
# Words of the character that also name a surface; the first that applies is taken.
TEXTURE_BY_CHARACTER = {"snappy": "snappy", "punchy": "punchy", "gritty": "gritty", "crisp": "crisp"}
VOWELS = tuple("aeiou")

RESTS_ON = RestsOn(
    moods=["key", "tempo", "loudness", "onsets", "brightness"],
    character=[],  # filled in with the features of the words that apply
    energy=["loudness", "onsets", "brightness"],
    texture=["brightness", "noisiness", "attack"],
    era=["kind"],
    genres=["kind"],
    instruments=["sound", "kind"],
    use=["kind", "key", "sound", "duration"],
    role=["kind", "sound"],
    description=["kind", "sound", "tempo", "key", "brightness", "noisiness", "attack"],
    tags=["tempo", "brightness", "noisiness", "loudness", "decay"],
)


def vibe_by_rules(measured: Analysis) -> SoundVibe:
    """Return the vibe that follows from an analysis alone; the same analysis always gives the same vibe."""
    moods, character = sure_moods(measured), character_words(measured)
    texture = surface_texture(measured, character)
    return SoundVibe(
        moods=moods,
        character=character,
        energy=energy_level(measured),
        texture=texture,
        era="any",  # nothing measured tells a decade
        genres=[],
        instruments=likely_instruments(measured),
        use=suggested_use(measured),
        role=pad_role(measured),
        description=plain_sentence(measured, moods, character, texture),
        tags=plain_tags(measured),
        confidence=rule_confidence(measured),
        rests_on=RESTS_ON.model_copy(update=_features_of_feel(measured, character)),
    )


def _features_of_feel(measured: Analysis, character: list[str]) -> dict[str, list[str]]:
    """Return what mood and character rest on; none for the one that sounds of the kind do not have.

    A texture has no class, and its use follows from the course of its level.
    """
    has_character = bool(words_of_kind(measured.kind))
    of_texture = {
        "use": ["kind", "course", "duration"],
        "role": ["kind"],
        "description": [name for name in RESTS_ON.description or [] if name != "sound"],
    }
    return (of_texture if measured.kind == TEXTURE else {}) | {
        "moods": [] if measured.kind == ONE_SHOT else RESTS_ON.moods,
        "character": features_of_words(character) if has_character else [],
    }


def surface_texture(measured: Analysis, character: list[str]) -> str:
    """Return one word for the surface of the sound: of its character where that has one, else by figures."""
    if shared := [word for word in TEXTURE_BY_CHARACTER if word in character]:
        return TEXTURE_BY_CHARACTER[shared[0]]
    bright, noisy = _known_or(measured.brightness, 45.0), _known_or(measured.noisiness, 40.0)
    attack_ms = _known_or(measured.attack_ms, 30.0)
    if noisy >= NOISY:
        return "crisp" if bright >= BRIGHT else "gritty"
    if attack_ms >= LONG_ATTACK_MS:
        return "airy" if bright >= BRIGHT else "smooth"
    if attack_ms <= SHORT_ATTACK_MS and not words_of_kind(measured.kind):
        return "snappy" if bright >= BRIGHT else "punchy"
    return "warm" if bright <= DARK else "clear"


def likely_instruments(measured: Analysis) -> list[Instrument]:
    """Return the instrument of the sound, if its class names one; a loop without a key implies a drum kit.

    Silence has none.
    """
    if is_silent(measured):
        return []
    if measured.sound:
        named = INSTRUMENT_OF_SOUND.get(measured.sound, measured.sound)
        return [Instrument(name=named, heard=True)] if named in INSTRUMENTS else []
    if measured.kind == "loop" and not measured.key:
        return [Instrument(name="drum kit", heard=False)]
    return []


def suggested_use(measured: Analysis) -> str:
    """Return what to do with the sound on the unit."""
    if measured.kind == TEXTURE:
        return "transition" if level_course(measured) in ("rising", "falling") else "bed to hold"
    if measured.kind == "one-shot":
        if measured.sound in (*DRUMS, HI_HAT):
            return "hit to play"  # a drum with a note is still a hit
        if measured.note:
            return "note to tune and play"
        if measured.sound == "fx":
            return "transition"
        if measured.sound == "pad":
            return "bed to hold"
        return "chord to play" if measured.key else "hit to play"
    if measured.duration_s > MIN_SOURCE_S:
        return "source to sample from"
    is_drums = measured.sound in DRUM_LOOPS or (not measured.key and measured.sound not in TONAL_LOOPS)
    return "drum loop to chop" if is_drums else "melodic loop to layer"


def pad_role(measured: Analysis) -> str:
    """Return what the sound is on a pad."""
    if measured.kind in ("loop", "texture"):
        return measured.kind
    sound = measured.sound or ""
    return ROLE_OF_SOUND.get(sound, sound) or ("chord" if measured.key else "fx")


def plain_tags(measured: Analysis) -> list[str]:
    """Return plain words that follow from thresholds of the figures, in a fixed order; none for silence."""
    if is_silent(measured):
        return []
    bpm, decay = _known_or(measured.bpm, 0.0), decay_s(measured)
    bright, noisy = _known_or(measured.brightness, 45.0), _known_or(measured.noisiness, 40.0)
    loudness, is_loop = _known_or(measured.loudness_db, -20.0), measured.kind == LOOP
    applies = {
        "fast": bpm >= FAST_BPM,
        "slow": 0 < bpm <= SLOW_BPM,
        "bright": bright >= BRIGHT,
        "dark": bright <= DARK,
        "noisy": noisy >= NOISY,
        "clean": noisy <= CLEAN,
        "loud": loudness >= LOUD_DB,
        "quiet": loudness <= QUIET_DB,
        "short": not is_loop and decay is not None and decay <= SHORT_DECAY_S,
        "ringing": not is_loop and decay is not None and decay >= LONG_DECAY_S,
        "sustained": decay is None and level_course(measured) == "steady",
    }
    return [tag for tag, does_apply in applies.items() if does_apply]


def plain_sentence(measured: Analysis, moods: list[str], character: list[str], texture: str) -> str:
    """Return one sentence that states only what other fields and figures say."""
    if is_silent(measured):
        return "Silence."
    noun = (
        "sound"
        if (measured.kind, measured.sound) == (ONE_SHOT, None)
        else sound_label(measured.kind, measured.sound)
    )
    words = list(dict.fromkeys([*(moods or character)[:1], texture]))
    article = "An" if words[0].startswith(VOWELS) and not words[0].startswith("eu") else "A"
    parts = [f"{article} {', '.join(words)} {noun}"]
    if measured.bpm:
        parts.append(f"at {measured.bpm:.0f} BPM")
    if measured.key:
        parts.append(f"in {measured.key}")
    return " ".join(parts) + "."


def rule_confidence(measured: Analysis) -> float:
    """Return the least confidence among the kind, tempo and key used, scaled to at most MAX_CONFIDENCE."""
    used = [measured.kind_confidence]
    used += [measured.bpm_confidence] if measured.bpm else []
    used += [measured.key_confidence] if measured.key else []
    return round(MAX_CONFIDENCE * max(0.0, min(*used, 1.0)), 2)


def _known_or(value: float | None, default: float) -> float:
    return default if value is None else value
