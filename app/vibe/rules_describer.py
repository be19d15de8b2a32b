"""The rules describer: derive a vibe from the measured features, without asking a model.

Arousal follows loudness, density of events, brightness and tempo; valence follows mode, and a little tempo
and brightness (Gabrielsson and Lindström's review of expression in music, 2010; Eerola, Friberg and Bresin,
2013). Bright and noisy timbres read as tense and harsh (McAdams and others, 2017). A genre is guessed from
tempo alone, which says little, so its weight stays low. Thresholds and weights are ours: docs/vibe.md.
"""

from __future__ import annotations

from app.audio.result import Analysis
from app.music.sound_classes import DRUMS, HI_HAT
from app.vibe.feature_text import decay_s, level_course, onsets_per_s
from app.vibe.vibe_schema import Genre, Instrument, RestsOn, SoundVibe
from app.vibe.vocabulary import INSTRUMENTS, MOODS

BRIGHT, DARK = 60.0, 35.0
NOISY, CLEAN = 55.0, 25.0
FAST_BPM, SLOW_BPM = 125.0, 85.0
SHORT_ATTACK_MS, LONG_ATTACK_MS = 15.0, 80.0
SHORT_DECAY_S, LONG_DECAY_S = 0.25, 1.2
LOUD_DB, QUIET_DB = -12.0, -28.0
MIN_SOURCE_S = 30.0

# Rules know the figures and not the music, so a description by rules is never more confident than this.
MAX_CONFIDENCE = 0.6
GENRE_WEIGHT = 0.3
# Tempo ranges as they are usually taught, for loops with drums.
GENRE_TEMPI = (
    ("dub", 60, 78), ("boom bap", 80, 98), ("funk", 99, 112), ("house", 116, 129), ("techno", 130, 138),
    ("dubstep", 139, 143), ("trap", 144, 159), ("drum and bass", 160, 180),
)  # fmt: skip
ROLE_OF_SOUND = {
    "tom": "percussion", "cymbal": "hi-hat", "closed hat": "hi-hat", "open hat": "hi-hat", "rim": "snare",
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
VOWELS = tuple("aeiou")

RESTS_ON = RestsOn(
    moods=["key", "tempo", "loudness", "onsets", "brightness"],
    energy=["loudness", "onsets", "brightness"],
    texture=["brightness", "noisiness", "attack"],
    era=["kind"],
    genres=["kind", "tempo", "key"],
    instruments=["sound", "kind"],
    use=["kind", "key", "sound", "duration"],
    role=["kind", "sound"],
    description=["kind", "sound", "tempo", "key", "brightness", "noisiness", "attack"],
    tags=["tempo", "brightness", "noisiness", "loudness", "decay"],
)


def vibe_by_rules(measured: Analysis) -> SoundVibe:
    """Return the vibe that follows from an analysis alone; the same analysis always gives the same vibe."""
    energy = energy_level(measured)
    moods, texture = nearest_moods(measured, energy), surface_texture(measured)
    return SoundVibe(
        moods=moods,
        energy=energy,
        texture=texture,
        era="any",  # nothing measured tells a decade
        genres=likely_genres(measured),
        instruments=likely_instruments(measured),
        use=suggested_use(measured),
        role=pad_role(measured),
        description=plain_sentence(measured, moods[0], texture),
        tags=plain_tags(measured),
        confidence=rule_confidence(measured),
        rests_on=RESTS_ON,
    )


def energy_level(measured: Analysis) -> int:
    """Return loudness, onsets a second and brightness as one figure from 0 to 100."""
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


def nearest_moods(measured: Analysis, energy: int) -> list[str]:
    """Return the two moods that lie nearest to the sound on the plane, nearest first."""
    valence, arousal = valence_arousal(measured, energy)

    def distance(mood: str) -> float:
        place = MOODS[mood]
        return (place[0] - valence) ** 2 + (place[1] - arousal) ** 2

    return sorted(MOODS, key=distance)[:2]


def surface_texture(measured: Analysis) -> str:
    """Return one word for the surface of the sound, from brightness, noisiness and attack."""
    bright, noisy = _known_or(measured.brightness, 45.0), _known_or(measured.noisiness, 40.0)
    attack_ms = _known_or(measured.attack_ms, 30.0)
    if noisy >= NOISY:
        return "crisp" if bright >= BRIGHT else "gritty"
    if attack_ms >= LONG_ATTACK_MS:
        return "airy" if bright >= BRIGHT else "smooth"
    if attack_ms <= SHORT_ATTACK_MS:
        return "snappy" if bright >= BRIGHT else "punchy"
    return "warm" if bright <= DARK else "clear"


def likely_genres(measured: Analysis) -> list[Genre]:
    """Return the genre usual at the tempo of a drum loop; anything else gets none."""
    bpm = measured.bpm
    if measured.kind != "loop" or measured.key or not bpm:
        return []
    names = (name for name, low, high in GENRE_TEMPI if low <= round(bpm) <= high)
    return [Genre(name=name, weight=GENRE_WEIGHT) for name in names]


def likely_instruments(measured: Analysis) -> list[Instrument]:
    """Return the instrument of the sound, if its class names one; a loop without a key implies a drum kit."""
    if measured.sound:
        named = INSTRUMENT_OF_SOUND.get(measured.sound, measured.sound)
        return [Instrument(name=named, heard=True)] if named in INSTRUMENTS else []
    if measured.kind == "loop" and not measured.key:
        return [Instrument(name="drum kit", heard=False)]
    return []


def suggested_use(measured: Analysis) -> str:
    """Return what to do with the sound on the unit."""
    if measured.kind == "texture":
        return "bed to hold"
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
    return "melodic loop to layer" if measured.key else "drum loop to chop"


def pad_role(measured: Analysis) -> str:
    """Return what the sound is on a pad."""
    if measured.kind in ("loop", "texture"):
        return measured.kind
    sound = measured.sound or ""
    return ROLE_OF_SOUND.get(sound, sound) or ("chord" if measured.key else "fx")


def plain_tags(measured: Analysis) -> list[str]:
    """Return plain words that follow from thresholds of the figures, in a fixed order."""
    bpm, decay = _known_or(measured.bpm, 0.0), decay_s(measured)
    bright, noisy = _known_or(measured.brightness, 45.0), _known_or(measured.noisiness, 40.0)
    loudness = _known_or(measured.loudness_db, -20.0)
    applies = {
        "fast": bpm >= FAST_BPM,
        "slow": 0 < bpm <= SLOW_BPM,
        "bright": bright >= BRIGHT,
        "dark": bright <= DARK,
        "noisy": noisy >= NOISY,
        "clean": noisy <= CLEAN,
        "loud": loudness >= LOUD_DB,
        "quiet": loudness <= QUIET_DB,
        "short": decay is not None and decay <= SHORT_DECAY_S,
        "ringing": decay is not None and decay >= LONG_DECAY_S,
        "sustained": decay is None and level_course(measured) == "steady",
    }
    return [tag for tag, does_apply in applies.items() if does_apply]


def plain_sentence(measured: Analysis, mood: str, texture: str) -> str:
    """Return one sentence that states only what other fields and figures say."""
    noun = (measured.sound or "sound") if measured.kind == "one-shot" else measured.kind
    article = "An" if mood.startswith(VOWELS) and not mood.startswith("eu") else "A"
    parts = [f"{article} {mood}, {texture} {noun}"]
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


def _scaled_share(value: float, low: float, high: float) -> float:
    """Return where a value lies between two bounds, from 0 to 1."""
    return min(max((value - low) / (high - low), 0.0), 1.0)
