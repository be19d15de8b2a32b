"""The local describer: rules from measured features to words, each with the figures it rests on.

Major and fast read as happy, minor and slow as sad, loud and dense as energetic (Gabrielsson and
Lindström's review of expression in music, 2010); bright and noisy timbres read as tense and harsh
(McAdams and others, 2017). The thresholds are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Answer = tuple[str, str]

BRIGHT, DARK = 60.0, 35.0
NOISY, CLEAN = 55.0, 25.0
FAST_BPM, SLOW_BPM = 125.0, 85.0
SHORT_ATTACK_MS, LONG_ATTACK_MS = 15.0, 80.0


def energy(measured: Mapping[str, Any]) -> tuple[int, str]:
    """Loudness, onsets a second and brightness as one figure of 0..100."""
    loudness_db = _number(measured, "loudness_db", -30.0)
    onsets_per_s = len(measured.get("onsets") or []) / max(_number(measured, "duration_s", 1.0), 0.5)
    brightness = _number(measured, "brightness", 40.0)
    loud = _scale(loudness_db, -36.0, -6.0)
    dense = _scale(onsets_per_s, 0.0, 8.0)
    value = round(100 * (0.45 * loud + 0.35 * dense + 0.2 * brightness / 100))
    because = (
        f"loudness {loudness_db:.1f} dB, {onsets_per_s:.1f} onsets a second, brightness {brightness:.0f}"
    )
    return min(max(value, 0), 100), because


def moods(measured: Mapping[str, Any], energy_value: int) -> tuple[list[str], str]:
    """One to three mood words from mode, tempo, energy and brightness."""
    bright, noisy = _number(measured, "brightness", 45.0), _number(measured, "noisiness", 40.0)
    words = [_mode_mood(str(measured.get("key") or ""), energy_value, measured.get("bpm"))]
    words.append(_edge_mood(bright, noisy, energy_value))
    if measured.get("kind") == "loop" and energy_value >= 55:
        words.append("driving")
    found = [word for word in dict.fromkeys(words) if word]
    parts = [f"energy {energy_value}", f"brightness {bright:.0f}", f"noisiness {noisy:.0f}"]
    if measured.get("key"):
        parts.insert(0, str(measured["key"]))
    if measured.get("bpm"):
        parts.insert(0, f"{float(measured['bpm']):.0f} BPM")
    return found or ["neutral"], ", ".join(parts)


def texture(measured: Mapping[str, Any]) -> Answer:
    """One word for the surface of the sound."""
    bright, noisy = _number(measured, "brightness", 45.0), _number(measured, "noisiness", 40.0)
    attack_ms = _number(measured, "attack_ms", 30.0)
    because = f"brightness {bright:.0f}, noisiness {noisy:.0f}, attack {attack_ms:.0f} ms"
    if noisy >= NOISY:
        return ("crisp" if bright >= BRIGHT else "gritty"), because
    if attack_ms >= LONG_ATTACK_MS:
        return ("airy" if bright >= BRIGHT else "smooth"), because
    if attack_ms <= SHORT_ATTACK_MS:
        return ("punchy" if bright < BRIGHT else "snappy"), because
    return ("warm" if bright <= DARK else "clear"), because


def suggested_use(measured: Mapping[str, Any]) -> Answer:
    """Where on the pads such a sound usually goes."""
    kind, sound = str(measured.get("kind")), measured.get("sound")
    duration_s = _number(measured, "duration_s", 1.0)
    because = f"{kind}, {duration_s:.2f} s" + (f", sounds like {sound}" if sound else "")
    if kind == "one-shot":
        return (f"{sound} pad" if sound else "one-shot pad"), because
    if not measured.get("key"):
        return "drum loop to chop", because
    if duration_s > 30:
        return "source to sample from", because
    return "melodic loop to layer", because


def _mode_mood(key: str, energy_value: int, bpm: float | None) -> str:
    lively = energy_value >= 55 or (bpm or 0) >= FAST_BPM
    calm = energy_value <= 35 or (bpm is not None and bpm <= SLOW_BPM)
    if key.endswith("minor"):
        return "tense" if lively else "melancholic" if calm else "moody"
    if key.endswith("major"):
        return "uplifting" if lively else "mellow" if calm else "warm"
    return ""


def _edge_mood(brightness: float, noisiness: float, energy_value: int) -> str:
    if energy_value >= 65:
        return "aggressive" if noisiness >= NOISY else "energetic"
    if brightness <= DARK:
        return "dark"
    if energy_value <= 35:
        return "dreamy" if noisiness <= CLEAN else "dusty"
    return "bright" if brightness >= BRIGHT else ""


def _number(measured: Mapping[str, Any], name: str, default: float) -> float:
    value = measured.get(name)
    return default if value is None else float(value)


def _scale(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)
