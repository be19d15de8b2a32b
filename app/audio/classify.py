"""Loop or one-shot, and what kind of sound a one-shot is; rules on the shared frames, null when unsure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.audio.frames import RATE_HZ, Frames
from app.audio.key import Key
from app.audio.onsets import Onsets
from app.audio.tempo import Tempo

LOOP, ONE_SHOT = "loop", "one-shot"
SOUNDS = (
    "kick", "snare", "clap", "hi-hat", "tom", "cymbal", "percussion", "bass", "keys", "lead", "pad",
    "vocal-like", "fx",
)  # fmt: skip

_SURE_ENOUGH = 0.5


@dataclass(frozen=True, slots=True)
class Kind:
    """`kind` is "loop" or "one-shot"; `sound` one of `SOUNDS` or None; confidences from 0 to 1."""

    kind: str
    kind_confidence: float
    sound: str | None
    sound_confidence: float


@dataclass(frozen=True, slots=True)
class _Traits:
    """What the rules look at: seconds, hertz and shares from 0 to 1."""

    attack_s: float
    decay_s: float
    centroid_hz: float
    low_share: float
    high_share: float
    flatness: float
    is_steady: bool
    is_tonal: bool
    has_note: bool


def classify(frames: Frames, onsets: Onsets, tempo: Tempo, key: Key) -> Kind:
    """Tell loop from one-shot and name the sound of a one-shot."""
    if frames.is_silent:
        return Kind(ONE_SHOT, 0.0, None, 0.0)
    loop = _loop_evidence(frames, onsets, tempo, key)
    if loop >= 0.5:
        return Kind(LOOP, round(loop, 3), None, 0.0)
    sound, confidence = _sound(_traits(frames, key))
    known = confidence >= _SURE_ENOUGH
    return Kind(ONE_SHOT, round(1.0 - loop, 3), sound if known else None, confidence if known else 0.0)


def attack_ms(frames: Frames) -> float:
    """Return the time in ms from a tenth to nine tenths of the largest 10 ms level."""
    rms = frames.rms
    top = int(np.argmax(rms))
    if rms[top] <= 0.0:
        return 0.0
    rising = rms[: top + 1]
    high = int(np.argmax(rising >= 0.9 * rms[top]))
    below = np.flatnonzero(rising[: high + 1] < 0.1 * rms[top])
    return (high - int(below[-1]) - 1 if len(below) else high) * 1000.0 / frames.frame_rate_hz


def _loop_evidence(frames: Frames, onsets: Onsets, tempo: Tempo, key: Key) -> float:
    # A sound that stops abruptly has an onset at its very end that says nothing.
    inside = onsets.times_s < frames.duration_s - 0.06
    times_s, heights = onsets.times_s[inside], onsets.heights[inside]
    if frames.duration_s < 0.8:
        return 0.05
    if len(times_s) < 2:
        return 0.2
    # Chord changes are weak beside the attack out of silence, but in noise such steps are chance.
    strong = times_s[heights > (0.25 if key.name is None else 0.09)]
    reach = float(strong[-1] - strong[0]) / frames.duration_s if len(strong) > 1 else 0.0
    evidence = -3.0 + 0.35 * min(len(strong), 12) + 2.5 * reach + 2.0 * _evenness(frames)
    evidence += 1.5 * tempo.regularity + (0.8 if tempo.fits_length else 0.0)
    return float(1.0 / (1.0 + np.exp(-evidence)))


def _evenness(frames: Frames) -> float:
    """Return the energy of the quieter half over that of the louder, 0 for a hit that dies away."""
    halves = [float(np.sum(part**2)) for part in np.array_split(frames.rms, 2)]
    return min(halves) / max(*halves, 1e-12)


def _traits(frames: Frames, key: Key) -> _Traits:
    power = frames.power.astype(np.float64)
    hz = np.arange(len(power)) * RATE_HZ / 2 / (len(power) - 1)
    total = max(float(power.sum()), 1e-12)
    return _Traits(
        attack_s=attack_ms(frames) / 1000.0,
        decay_s=_decay_s(frames),
        centroid_hz=float((power * hz).sum() / total),
        low_share=float(power[hz < 200].sum() / total),
        high_share=float(power[hz > 4_000].sum() / total),
        flatness=float(np.average(frames.flatness, weights=frames.rms + 1e-9)),
        is_steady=_evenness(frames) > 0.5,
        is_tonal=key.note is not None or key.name is not None,
        has_note=key.note is not None,
    )


def _decay_s(frames: Frames) -> float:
    """Return the time from the largest level to 20 dB below it for good."""
    loudest = frames.rms.max()
    top = int(np.argmax(frames.rms >= 0.9 * loudest))
    above = np.flatnonzero(frames.rms >= 0.1 * loudest)
    return float(above[-1] - top + 1) / frames.frame_rate_hz


def _sound(traits: _Traits) -> tuple[str, float]:
    short, sudden = traits.decay_s < 0.6, traits.attack_s < 0.05
    if sudden and not traits.is_steady and traits.low_share > 0.7 and traits.decay_s < 0.9:
        return "kick", 0.75
    if traits.is_tonal and not (short and sudden and traits.flatness > 0.02):
        return _tonal_sound(traits)
    if sudden and not traits.is_steady and traits.high_share > 0.5:
        return ("hi-hat", 0.75) if short else ("cymbal", 0.65)
    if sudden and short and not traits.is_steady:
        return _struck_sound(traits)
    return "fx", 0.4


def _struck_sound(traits: _Traits) -> tuple[str, float]:
    if traits.flatness > 0.03 and traits.centroid_hz > 900:
        return ("snare", 0.6) if traits.low_share > 0.03 else ("clap", 0.5)
    if traits.centroid_hz < 700:
        return "tom", 0.55
    return "percussion", 0.5


def _tonal_sound(traits: _Traits) -> tuple[str, float]:
    if traits.has_note and traits.low_share > 0.5:
        return "bass", 0.65
    if traits.attack_s > 0.15 and traits.decay_s > 0.8:
        return "pad", 0.55
    if traits.attack_s < 0.05 and traits.decay_s < 3.0 and not traits.is_steady:
        return "keys", 0.5
    return "lead", 0.4
