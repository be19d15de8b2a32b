"""Weighs what was heard against what the file's name says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from app.audio.estimation.file_name_parser import NameEvidence
from app.audio.estimation.key_estimator import KeyEstimate
from app.audio.estimation.sound_classifier import SoundClass
from app.audio.estimation.tempo_estimator import TempoEstimate
from app.music.sound_classes import LOOP, ONE_SHOT

DETECTED, FROM_NAME = "detected", "file name"

_SAME_TEMPO_RATIO = 0.015
_NAME_CONFIDENCE, _AGREED_CONFIDENCE = 0.8, 0.97
_MIN_SURE_CONFIDENCE = 0.85

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Verdict(Generic[Value]):
    """A value, how sure we are, and where it comes from ("detected", "file name" or None)."""

    value: Value | None
    confidence: float
    source: str | None


NO_VERDICT: Verdict[Any] = Verdict(None, 0.0, None)


def combine_kind(heard: SoundClass, name: NameEvidence, duration_s: float) -> SoundClass:
    """Let a name that says loop or one-shot settle what was heard without certainty."""
    said = name.kind or (LOOP if _name_implies_loop(name, duration_s) else None)
    if said is not None and said != heard.kind and heard.kind_confidence < _MIN_SURE_CONFIDENCE:
        heard = replace(heard, kind=said, kind_confidence=_NAME_CONFIDENCE)
    if heard.kind == ONE_SHOT and name.sound is not None and heard.sound_confidence < _MIN_SURE_CONFIDENCE:
        agreed = heard.sound == name.sound
        confidence = _AGREED_CONFIDENCE if agreed else _NAME_CONFIDENCE
        heard = replace(heard, sound=name.sound, sound_confidence=confidence)
    return heard


def combine_bpm(heard: TempoEstimate, name: NameEvidence, kind: str) -> tuple[Verdict[float], list[str]]:
    """Return the tempo of a loop and a warning where name and sound disagree.

    A name confirms what was heard, chooses among what could have been heard, and stands where nothing
    clear was; it never overrides a clear tempo, except by an octave, which is a matter of counting.
    """
    if kind == ONE_SHOT:
        return NO_VERDICT, []
    if name.bpm is None:
        return _detected_tempo(heard), []
    if heard.bpm is not None and _is_same_tempo(name.bpm, heard.bpm):
        return Verdict(heard.bpm, max(heard.confidence, _AGREED_CONFIDENCE), DETECTED), []
    sure = heard.bpm is not None and heard.confidence >= _MIN_SURE_CONFIDENCE
    if not sure or _is_octave_apart(name.bpm, heard.bpm):
        possible = any(_is_same_tempo(name.bpm, candidate) for candidate, _ in heard.candidates)
        return Verdict(name.bpm, _AGREED_CONFIDENCE if possible else _NAME_CONFIDENCE, FROM_NAME), []
    return _detected_tempo(heard), [f"The file name says {name.bpm:g} BPM; we hear {heard.bpm:.1f}."]


def combine_key(heard: KeyEstimate, name: NameEvidence) -> tuple[Verdict[str], list[str]]:
    """Return the key and a warning where name and sound disagree; a name never overrides a clear key."""
    detected = Verdict(heard.name, heard.confidence, DETECTED) if heard.name else NO_VERDICT
    if name.key is None:
        return detected, []
    if name.key == heard.name:
        return Verdict(name.key, max(heard.confidence, _AGREED_CONFIDENCE), DETECTED), []
    if heard.name is not None and heard.confidence >= _MIN_SURE_CONFIDENCE:
        return detected, [f"The file name says {name.key}; we hear {heard.name}."]
    return Verdict(name.key, _NAME_CONFIDENCE, FROM_NAME), []


def _name_implies_loop(name: NameEvidence, duration_s: float) -> bool:
    if name.bpm is None or duration_s < 1.0:
        return False
    bars = duration_s * name.bpm / 240.0
    return name.bpm_marked or (bars > 0.99 and abs(bars - round(bars)) < 0.01)


def _detected_tempo(heard: TempoEstimate) -> Verdict[float]:
    return Verdict(heard.bpm, heard.confidence, DETECTED) if heard.bpm is not None else NO_VERDICT


def _is_same_tempo(said: float, heard: float) -> bool:
    return abs(heard / said - 1.0) <= _SAME_TEMPO_RATIO


def _is_octave_apart(said: float, heard: float | None) -> bool:
    return heard is not None and (_is_same_tempo(said, heard / 2) or _is_same_tempo(said, heard * 2))
