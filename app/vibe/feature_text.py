"""Read an analysis as a describer does: a few derived figures, and each feature as a short text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import fmean

from app.audio.result import Analysis
from app.music.pitch_names import PITCH_NAMES

# The measured fields that a description names and a user may correct, and the feature each belongs to.
CORRECTABLE_FEATURES = {"kind": "kind", "sound": "sound", "bpm": "tempo", "key": "key"}

BANDS_HZ = {
    "sub": (0, 60),
    "bass": (60, 250),
    "low mid": (250, 800),
    "mid": (800, 2500),
    "high": (2500, 20000),
}
DECAY_DROP_DB = 20.0
FLOOR_DB = -70.0  # below this level a sound counts as silent
MAX_STEADY_RANGE_DB = 4.0
MIN_LEVELS = 4
MAX_NOTES = 3


def onsets_per_s(measured: Analysis) -> float:
    """Return the rate of onsets; a file shorter than half a second counts as half a second."""
    return len(measured.onsets) / max(measured.duration_s, 0.5)


def decay_s(measured: Analysis) -> float | None:
    """Return how long the level takes to fall 20 dB from its peak; None when it never falls that far."""
    levels = _level_points(measured)
    if not levels:
        return None
    top = levels.index(max(levels))
    step_s = measured.duration_s / len(levels)
    fallen = (n for n, level in enumerate(levels[top:]) if level <= levels[top] - DECAY_DROP_DB)
    steps = next(fallen, None)
    return None if steps is None else steps * step_s


def sounding_s(measured: Analysis) -> float:
    """Return how long the sound is heard: until it has fallen 20 dB, or else its whole length."""
    decay = decay_s(measured)
    return measured.duration_s if decay is None else decay


def is_silent(measured: Analysis) -> bool:
    """Return whether there is nothing to hear."""
    return measured.loudness_db is None or measured.loudness_db <= FLOOR_DB


def has_pitch(measured: Analysis) -> bool:
    """Return whether the sound has a note or a key."""
    return bool(measured.note or measured.key)


def band_level_db(measured: Analysis, low_hz: float, high_hz: float) -> float | None:
    """Return the level of the loudest band in a range, relative to the loudest of all; None without one."""
    pairs = list(zip(measured.spectral.bands_hz, measured.spectral.bands_db, strict=False))
    inside = [level for hz, level in pairs if low_hz <= hz < high_hz]
    return max(inside) - max(level for _, level in pairs) if inside else None


def level_range_db(measured: Analysis) -> float | None:
    """Return how far the loudest and quietest parts lie apart; None below four levels."""
    levels = _level_points(measured)
    return max(levels) - min(levels) if len(levels) >= MIN_LEVELS else None


def level_change_db(measured: Analysis) -> float | None:
    """Return how much louder the last quarter is than the first; None below four levels."""
    levels = _level_points(measured)
    quarter = len(levels) // 4
    return fmean(levels[-quarter:]) - fmean(levels[:quarter]) if len(levels) >= MIN_LEVELS else None


def level_course(measured: Analysis) -> str:
    """Return how the level develops: steady, rising, falling or moving; "unknown" below four levels."""
    spread, change = level_range_db(measured), level_change_db(measured)
    if spread is None or change is None:
        return "unknown"
    if spread <= MAX_STEADY_RANGE_DB:
        return "steady"
    if abs(change) > MAX_STEADY_RANGE_DB:
        return "rising" if change > 0 else "falling"
    return "moving"


def describe_features(measured: Analysis, names: Iterable[str]) -> str:
    """Return the named features with their figures, such as `loudness -20.0 dB, brightness 50`.

    Raises KeyError for a name that is not in `vocabulary.FEATURES`.
    """
    return ", ".join(_FEATURE_TEXTS[name](measured) for name in dict.fromkeys(names))


def correction_texts(corrected: Analysis, measured: Analysis) -> tuple[str, ...]:
    """Return the texts of the correctable features that differ between a corrected and a plain analysis."""
    texts = [
        (describe_features(corrected, [feature]), describe_features(measured, [feature]))
        for feature in CORRECTABLE_FEATURES.values()
    ]
    return tuple(after for after, before in texts if after != before)


def _level_points(measured: Analysis) -> list[float]:
    # Early engines wrote null where a level was not finite.
    return [max(FLOOR_DB, level) for level in measured.loudness_course if level is not None]


def _tempo_text(measured: Analysis) -> str:
    return f"{measured.bpm:.0f} BPM" if measured.bpm else "no tempo"


def _loudness_text(measured: Analysis) -> str:
    return "silent" if measured.loudness_db is None else f"loudness {measured.loudness_db:.1f} dB"


def _attack_text(measured: Analysis) -> str:
    return "attack unknown" if measured.attack_ms is None else f"attack {measured.attack_ms:.0f} ms"


def _decay_text(measured: Analysis) -> str:
    decay = decay_s(measured)
    return "never falls 20 dB" if decay is None else f"falls 20 dB in {decay:.2f} s"


def _crest_text(measured: Analysis) -> str:
    return "crest unknown" if measured.crest_db is None else f"crest {measured.crest_db:.0f} dB"


def _spectrum_text(measured: Analysis) -> str:
    """Return the level of five wide bands relative to the loudest of them."""
    levels = {name: band_level_db(measured, low, high) for name, (low, high) in BANDS_HZ.items()}
    known = {name: level for name, level in levels.items() if level is not None}
    top = max(known.values(), default=0.0)
    return "bands " + " ".join(f"{name} {level - top:.0f} dB" for name, level in known.items())


def _chroma_text(measured: Analysis) -> str:
    ranked = sorted(zip(measured.spectral.chroma.mean, PITCH_NAMES, strict=False), reverse=True)[:MAX_NOTES]
    return "strongest notes " + " ".join(pitch for _, pitch in ranked)


def _onsets_text(measured: Analysis) -> str:
    """Return a rate, or a count below one second, where a single hit would read as several a second."""
    count = len(measured.onsets)
    if measured.duration_s < 1.0:
        return f"{count} {'onset' if count == 1 else 'onsets'}"
    return f"{onsets_per_s(measured):.1f} onsets a second"


def _score_text(name: str, value: float | None) -> str:
    return f"{name} unknown" if value is None else f"{name} {value:.0f}"


def _sound_text(measured: Analysis) -> str:
    if not measured.sound:
        return "no single instrument named"
    return f"sounds like {measured.sound} ({measured.sound_confidence:.0%} sure)"


_FEATURE_TEXTS: dict[str, Callable[[Analysis], str]] = {
    "tempo": _tempo_text,
    "key": lambda measured: measured.key or measured.note or "no key",
    "loudness": _loudness_text,
    "course": lambda measured: f"level {level_course(measured)}",
    "brightness": lambda measured: _score_text("brightness", measured.brightness),
    "noisiness": lambda measured: _score_text("noisiness", measured.noisiness),
    "attack": _attack_text,
    "decay": _decay_text,
    "crest": _crest_text,
    "spectrum": _spectrum_text,
    "chroma": _chroma_text,
    "kind": lambda measured: measured.kind,
    "sound": _sound_text,
    "duration": lambda measured: f"{measured.duration_s:.2f} s",
    "onsets": _onsets_text,
}
