"""What the engine measured, as a describer reads it: numbers, and each feature in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from statistics import fmean
from typing import Any

Measured = Mapping[str, Any]
# What a description names and a user may correct, and the feature that speaks of each.
FIGURES = {"kind": "kind", "sound": "sound", "bpm": "tempo", "key": "key"}

PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
BANDS_HZ = {
    "sub": (0, 60),
    "bass": (60, 250),
    "low mid": (250, 800),
    "mid": (800, 2500),
    "high": (2500, 20000),
}
FALLEN_DB = 20.0
QUIETEST_DB = -70.0
STEADY_DB = 4.0
LOUDEST_NOTES = 3


def number(measured: Measured, name: str, default: float) -> float:
    value = measured.get(name)
    return default if value is None else float(value)


def onsets_per_s(measured: Measured) -> float:
    return len(measured.get("onsets") or []) / max(number(measured, "duration_s", 1.0), 0.5)


def decay_s(measured: Measured) -> float | None:
    """How long the level takes from its top to 20 dB below; None while it never falls so far."""
    course = _course(measured)
    if not course:
        return None
    top = course.index(max(course))
    step_s = number(measured, "duration_s", 0.0) / len(course)
    fallen = (n for n, level in enumerate(course[top:]) if level <= course[top] - FALLEN_DB)
    steps = next(fallen, None)
    return None if steps is None else steps * step_s


def course_word(measured: Measured) -> str:
    """How the level goes: steady, rising, falling or moving up and down."""
    course = _course(measured)
    if len(course) < 4:
        return "unknown"
    quarter = len(course) // 4
    change = fmean(course[-quarter:]) - fmean(course[:quarter])
    if max(course) - min(course) <= STEADY_DB:
        return "steady"
    if abs(change) > STEADY_DB:
        return "rising" if change > 0 else "falling"
    return "moving"


def in_words(measured: Measured, names: Iterable[str]) -> str:
    """The features with their figures, such as `loudness -20.0 dB, brightness 50`."""
    return ", ".join(_WORDS[name](measured) for name in dict.fromkeys(names))


def corrected_words(heard: Measured, measured: Measured) -> tuple[str, ...]:
    """What is said of corrected figures, where it is anything else than what would be said without."""
    said = [(in_words(heard, [feature]), in_words(measured, [feature])) for feature in FIGURES.values()]
    return tuple(now for now, before in said if now != before)


def _course(measured: Measured) -> list[float]:
    levels = (measured.get("spectral") or {}).get("loudness_course") or []
    return [max(QUIETEST_DB, float(level)) for level in levels if level is not None]


def _tempo(measured: Measured) -> str:
    bpm = measured.get("bpm")
    return f"{float(bpm):.0f} BPM" if bpm else "no tempo"


def _loudness(measured: Measured) -> str:
    level = measured.get("loudness_db")
    return "silent" if level is None else f"loudness {float(level):.1f} dB"


def _attack(measured: Measured) -> str:
    attack = measured.get("attack_ms")
    return "attack unknown" if attack is None else f"attack {float(attack):.0f} ms"


def _decay(measured: Measured) -> str:
    found = decay_s(measured)
    return "never falls 20 dB" if found is None else f"falls 20 dB in {found:.2f} s"


def _spectrum(measured: Measured) -> str:
    """A few wide bands beside the loudest of them."""
    spectral = measured.get("spectral") or {}
    pairs = list(zip(spectral.get("bands_hz") or [], spectral.get("bands_db") or [], strict=False))
    levels = {
        name: max((level for hz, level in pairs if low <= hz < high), default=None)
        for name, (low, high) in BANDS_HZ.items()
    }
    known = {name: level for name, level in levels.items() if level is not None}
    top = max(known.values(), default=0.0)
    return "bands " + " ".join(f"{name} {level - top:.0f} dB" for name, level in known.items())


def _chroma(measured: Measured) -> str:
    mean = ((measured.get("spectral") or {}).get("chroma") or {}).get("mean") or []
    ranked = sorted(zip(mean, PITCHES, strict=False), reverse=True)[:LOUDEST_NOTES]
    return "strongest notes " + " ".join(pitch for _, pitch in ranked)


def _onsets(measured: Measured) -> str:
    """A rate of what lasts less than a second says nothing: one hit would be two a second."""
    count = len(measured.get("onsets") or [])
    if number(measured, "duration_s", 1.0) < 1.0:
        return f"{count} {'onset' if count == 1 else 'onsets'}"
    return f"{onsets_per_s(measured):.1f} onsets a second"


def _score(name: str) -> Callable[[Measured], str]:
    def words(measured: Measured) -> str:
        value = measured.get(name)
        return f"{name} unknown" if value is None else f"{name} {float(value):.0f}"

    return words


def _sound(measured: Measured) -> str:
    sound = measured.get("sound")
    sure = number(measured, "sound_confidence", 0.0)
    return f"sounds like {sound} ({sure:.0%} sure)" if sound else "no single instrument named"


_WORDS: dict[str, Callable[[Measured], str]] = {
    "tempo": _tempo,
    "key": lambda measured: str(measured.get("key") or measured.get("note") or "no key"),
    "loudness": _loudness,
    "course": lambda measured: f"level {course_word(measured)}",
    "brightness": _score("brightness"),
    "noisiness": _score("noisiness"),
    "attack": _attack,
    "decay": _decay,
    "spectrum": _spectrum,
    "chroma": _chroma,
    "kind": lambda measured: str(measured.get("kind") or "unknown kind"),
    "sound": _sound,
    "duration": lambda measured: f"{number(measured, 'duration_s', 0.0):.2f} s",
    "onsets": _onsets,
}
