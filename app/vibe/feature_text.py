"""What the engine measured, as a describer reads it: numbers, and each feature in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from statistics import fmean
from typing import Any

MeasuredValues = Mapping[str, Any]
# What a description names and a user may correct, and the feature that speaks of each.
CORRECTABLE_FEATURES = {"kind": "kind", "sound": "sound", "bpm": "tempo", "key": "key"}

PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
BANDS_HZ = {
    "sub": (0, 60),
    "bass": (60, 250),
    "low mid": (250, 800),
    "mid": (800, 2500),
    "high": (2500, 20000),
}
DECAY_DROP_DB = 20.0
FLOOR_DB = -70.0
MAX_STEADY_RANGE_DB = 4.0
MAX_NOTES = 3


def number_or_default(measured: MeasuredValues, name: str, default: float) -> float:
    value = measured.get(name)
    return default if value is None else float(value)


def onsets_per_s(measured: MeasuredValues) -> float:
    return len(measured.get("onsets") or []) / max(number_or_default(measured, "duration_s", 1.0), 0.5)


def decay_s(measured: MeasuredValues) -> float | None:
    """How long the level takes from its top to 20 dB below; None while it never falls so far."""
    course = _level_points(measured)
    if not course:
        return None
    top = course.index(max(course))
    step_s = number_or_default(measured, "duration_s", 0.0) / len(course)
    fallen = (n for n, level in enumerate(course[top:]) if level <= course[top] - DECAY_DROP_DB)
    steps = next(fallen, None)
    return None if steps is None else steps * step_s


def level_course(measured: MeasuredValues) -> str:
    """How the level goes: steady, rising, falling or moving up and down."""
    course = _level_points(measured)
    if len(course) < 4:
        return "unknown"
    quarter = len(course) // 4
    change = fmean(course[-quarter:]) - fmean(course[:quarter])
    if max(course) - min(course) <= MAX_STEADY_RANGE_DB:
        return "steady"
    if abs(change) > MAX_STEADY_RANGE_DB:
        return "rising" if change > 0 else "falling"
    return "moving"


def describe_features(measured: MeasuredValues, names: Iterable[str]) -> str:
    """The features with their figures, such as `loudness -20.0 dB, brightness 50`."""
    return ", ".join(_FEATURE_TEXTS[name](measured) for name in dict.fromkeys(names))


def correction_texts(heard: MeasuredValues, measured: MeasuredValues) -> tuple[str, ...]:
    """What is said of corrected figures, where it is anything else than what would be said without."""
    said = [
        (describe_features(heard, [feature]), describe_features(measured, [feature]))
        for feature in CORRECTABLE_FEATURES.values()
    ]
    return tuple(now for now, before in said if now != before)


def _level_points(measured: MeasuredValues) -> list[float]:
    levels = (measured.get("spectral") or {}).get("loudness_course") or []
    return [max(FLOOR_DB, float(level)) for level in levels if level is not None]


def _tempo_text(measured: MeasuredValues) -> str:
    bpm = measured.get("bpm")
    return f"{float(bpm):.0f} BPM" if bpm else "no tempo"


def _loudness_text(measured: MeasuredValues) -> str:
    level = measured.get("loudness_db")
    return "silent" if level is None else f"loudness {float(level):.1f} dB"


def _attack_text(measured: MeasuredValues) -> str:
    attack = measured.get("attack_ms")
    return "attack unknown" if attack is None else f"attack {float(attack):.0f} ms"


def _decay_text(measured: MeasuredValues) -> str:
    found = decay_s(measured)
    return "never falls 20 dB" if found is None else f"falls 20 dB in {found:.2f} s"


def _spectrum_text(measured: MeasuredValues) -> str:
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


def _chroma_text(measured: MeasuredValues) -> str:
    mean = ((measured.get("spectral") or {}).get("chroma") or {}).get("mean") or []
    ranked = sorted(zip(mean, PITCHES, strict=False), reverse=True)[:MAX_NOTES]
    return "strongest notes " + " ".join(pitch for _, pitch in ranked)


def _onsets_text(measured: MeasuredValues) -> str:
    """A rate of what lasts less than a second says nothing: one hit would be two a second."""
    count = len(measured.get("onsets") or [])
    if number_or_default(measured, "duration_s", 1.0) < 1.0:
        return f"{count} {'onset' if count == 1 else 'onsets'}"
    return f"{onsets_per_s(measured):.1f} onsets a second"


def _score_text(name: str) -> Callable[[MeasuredValues], str]:
    def words(measured: MeasuredValues) -> str:
        value = measured.get(name)
        return f"{name} unknown" if value is None else f"{name} {float(value):.0f}"

    return words


def _sound_text(measured: MeasuredValues) -> str:
    sound = measured.get("sound")
    sure = number_or_default(measured, "sound_confidence", 0.0)
    return f"sounds like {sound} ({sure:.0%} sure)" if sound else "no single instrument named"


_FEATURE_TEXTS: dict[str, Callable[[MeasuredValues], str]] = {
    "tempo": _tempo_text,
    "key": lambda measured: str(measured.get("key") or measured.get("note") or "no key"),
    "loudness": _loudness_text,
    "course": lambda measured: f"level {level_course(measured)}",
    "brightness": _score_text("brightness"),
    "noisiness": _score_text("noisiness"),
    "attack": _attack_text,
    "decay": _decay_text,
    "spectrum": _spectrum_text,
    "chroma": _chroma_text,
    "kind": lambda measured: str(measured.get("kind") or "unknown kind"),
    "sound": _sound_text,
    "duration": lambda measured: f"{number_or_default(measured, 'duration_s', 0.0):.2f} s",
    "onsets": _onsets_text,
}
