"""The local describer: rules from measured features to the fields of a vibe, without asking anybody.

Arousal follows loudness, density of events, brightness and tempo; valence follows mode, and a little tempo
and brightness (Gabrielsson and Lindström's review of expression in music, 2010; Eerola, Friberg and Bresin,
2013). Bright and noisy timbres read as tense and harsh (McAdams and others, 2017). A genre is guessed from
tempo alone, which says little, so its weight stays low. Thresholds and weights are ours: docs/vibe.md.
"""

from __future__ import annotations

from app.vibe.feature_text import MeasuredValues, decay_s, level_course, number_or_default, onsets_per_s
from app.vibe.vibe_schema import Genre, Instrument, RestsOn, Vibe
from app.vibe.vocabulary import DRUM_SOUNDS, MOODS

BRIGHT, DARK = 60.0, 35.0
NOISY, CLEAN = 55.0, 25.0
FAST_BPM, SLOW_BPM = 125.0, 85.0
SHORT_ATTACK_MS, LONG_ATTACK_MS = 15.0, 80.0
SHORT_DECAY_S, LONG_DECAY_S = 0.25, 1.2
LOUD_DB, QUIET_DB = -12.0, -28.0
MIN_SOURCE_S = 30.0

# The most a local description is sure of: rules know the figures, not the music.
MAX_CONFIDENCE = 0.6
GENRE_WEIGHT = 0.3
# Tempo ranges as they are usually taught, for loops with drums.
GENRE_TEMPI = (
    ("dub", 60, 78), ("boom bap", 80, 98), ("funk", 99, 112), ("house", 116, 129), ("techno", 130, 138),
    ("dubstep", 139, 143), ("trap", 144, 159), ("drum and bass", 160, 180),
)  # fmt: skip
ROLE_OF_SOUND = {
    "tom": "percussion", "cymbal": "hi-hat", "keys": "chord", "lead": "melody", "pad": "texture",
    "vocal-like": "vocal",
}  # fmt: skip
INSTRUMENT_OF_SOUND = {
    "keys": "piano",
    "lead": "synth lead",
    "pad": "synth pad",
    "vocal-like": "voice",
    "fx": "effect",
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


def vibe_by_rules(measured: MeasuredValues) -> Vibe:
    """A vibe from the engine's answer alone; the same answer always gives the same vibe."""
    level = energy_level(measured)
    found, surface = nearest_moods(measured, level), surface_texture(measured)
    return Vibe(
        moods=found,
        energy=level,
        texture=surface,
        era="any",  # nothing measured tells a decade
        genres=likely_genres(measured),
        instruments=likely_instruments(measured),
        use=suggested_use(measured),
        role=pad_role(measured),
        description=plain_sentence(measured, found[0], surface),
        tags=plain_tags(measured),
        confidence=rule_confidence(measured),
        rests_on=RESTS_ON,
    )


def energy_level(measured: MeasuredValues) -> int:
    """Loudness, onsets a second and brightness as one figure of 0..100."""
    loud = _scaled_share(number_or_default(measured, "loudness_db", -30.0), -36.0, -6.0)
    dense = _scaled_share(onsets_per_s(measured), 0.0, 8.0)
    bright = _scaled_share(number_or_default(measured, "brightness", 40.0), 0.0, 100.0)
    return round(100 * (0.45 * loud + 0.35 * dense + 0.2 * bright))


def valence_arousal(measured: MeasuredValues, level: int) -> tuple[float, float]:
    """Valence and arousal, -10 to 10: where on the plane of moods the sound is."""
    bpm, bright = number_or_default(measured, "bpm", 0.0), number_or_default(measured, "brightness", 45.0)
    mode = {"major": 5.0, "minor": -5.0}.get(str(measured.get("key") or "").rpartition(" ")[2], 0.0)
    pace = 2 * _scaled_share(bpm, 60.0, 170.0) - 1 if bpm else 0.0
    noisy = _scaled_share(number_or_default(measured, "noisiness", 40.0), NOISY, 100.0)
    valence = mode + 1.5 * pace + 3 * (bright - 50) / 50 - 4 * noisy
    arousal = (level - 50) / 50 * 8 + 3 * pace
    return max(min(valence, 10.0), -10.0), max(min(arousal, 10.0), -10.0)


def nearest_moods(measured: MeasuredValues, level: int) -> list[str]:
    """The two moods whose places are nearest."""
    valence, arousal = valence_arousal(measured, level)

    def distance(word: str) -> float:
        there = MOODS[word]
        return (there[0] - valence) ** 2 + (there[1] - arousal) ** 2

    return sorted(MOODS, key=distance)[:2]


def surface_texture(measured: MeasuredValues) -> str:
    """One word for the surface of the sound."""
    bright, noisy = (
        number_or_default(measured, "brightness", 45.0),
        number_or_default(measured, "noisiness", 40.0),
    )
    attack_ms = number_or_default(measured, "attack_ms", 30.0)
    if noisy >= NOISY:
        return "crisp" if bright >= BRIGHT else "gritty"
    if attack_ms >= LONG_ATTACK_MS:
        return "airy" if bright >= BRIGHT else "smooth"
    if attack_ms <= SHORT_ATTACK_MS:
        return "snappy" if bright >= BRIGHT else "punchy"
    return "warm" if bright <= DARK else "clear"


def likely_genres(measured: MeasuredValues) -> list[Genre]:
    """A loop with drums and a tempo gets the genre usual at that tempo; nothing else gets one."""
    bpm = measured.get("bpm")
    if measured.get("kind") != "loop" or measured.get("key") or not bpm:
        return []
    found = (name for name, low, high in GENRE_TEMPI if low <= round(float(bpm)) <= high)
    return [Genre(name=name, weight=GENRE_WEIGHT) for name in found]


def likely_instruments(measured: MeasuredValues) -> list[Instrument]:
    sound = str(measured.get("sound") or "")
    if sound:
        return [Instrument(name=INSTRUMENT_OF_SOUND.get(sound, sound), heard=True)]
    if measured.get("kind") == "loop" and not measured.get("key"):
        return [Instrument(name="drum kit", heard=False)]
    return []


def suggested_use(measured: MeasuredValues) -> str:
    """What to do with it on the unit."""
    sound = measured.get("sound")
    if measured.get("kind") == "one-shot":
        if sound in DRUM_SOUNDS:
            return "hit to play"  # a tuned one too
        if measured.get("note"):
            return "note to tune and play"
        if sound == "fx":
            return "transition"
        if sound == "pad":
            return "bed to hold"
        return "chord to play" if measured.get("key") else "hit to play"
    if number_or_default(measured, "duration_s", 1.0) > MIN_SOURCE_S:
        return "source to sample from"
    return "melodic loop to layer" if measured.get("key") else "drum loop to chop"


def pad_role(measured: MeasuredValues) -> str:
    sound = str(measured.get("sound") or "")
    if measured.get("kind") == "loop":
        return "loop"
    return ROLE_OF_SOUND.get(sound, sound) or ("chord" if measured.get("key") else "fx")


def plain_tags(measured: MeasuredValues) -> list[str]:
    """Plain words that the figures carry, in a fixed order."""
    bpm, decay = number_or_default(measured, "bpm", 0.0), decay_s(measured)
    bright, noisy = (
        number_or_default(measured, "brightness", 45.0),
        number_or_default(measured, "noisiness", 40.0),
    )
    loudness = number_or_default(measured, "loudness_db", -20.0)
    said = {
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
    return [word for word, holds in said.items() if holds]


def plain_sentence(measured: MeasuredValues, mood: str, surface: str) -> str:
    """One sentence of nothing but what the other fields and figures say."""
    what = str(measured.get("sound") or "sound") if measured.get("kind") == "one-shot" else "loop"
    article = "An" if mood.startswith(VOWELS) and not mood.startswith("eu") else "A"
    parts = [f"{article} {mood}, {surface} {what}"]
    if measured.get("bpm"):
        parts.append(f"at {number_or_default(measured, 'bpm', 0.0):.0f} BPM")
    if measured.get("key"):
        parts.append(f"in {measured['key']}")
    return " ".join(parts) + "."


def rule_confidence(measured: MeasuredValues) -> float:
    """As sure as the kind, tempo and key it rests on, and never very."""
    sure = [number_or_default(measured, "kind_confidence", 0.5)]
    sure += [
        number_or_default(measured, f"{name}_confidence", 0.5)
        for name in ("bpm", "key")
        if measured.get(name)
    ]
    return round(MAX_CONFIDENCE * max(0.0, min(min(sure), 1.0)), 2)


def _scaled_share(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)
