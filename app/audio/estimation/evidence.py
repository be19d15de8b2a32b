"""Weighs what was heard against what the file's name says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from app.audio.estimation.classify import Kind
from app.audio.estimation.file_name import NameEvidence
from app.audio.estimation.key import Key
from app.audio.estimation.tempo import Tempo
from app.music.sounds import LOOP, ONE_SHOT

DETECTED, FROM_NAME = "detected", "file name"

_SAME_TEMPO = 0.015
_NAME_CONFIDENCE, _AGREED_CONFIDENCE = 0.8, 0.97
_SURE = 0.85

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Verdict(Generic[Value]):
    """A value, how sure we are, and where it comes from ("detected", "file name" or None)."""

    value: Value | None
    confidence: float
    source: str | None


NOTHING: Verdict[Any] = Verdict(None, 0.0, None)


def weigh_kind(heard: Kind, name: NameEvidence, duration_s: float) -> Kind:
    """Let a name that says loop or one-shot settle what was heard without certainty."""
    said = name.kind or (LOOP if _named_loop(name, duration_s) else None)
    if said is not None and said != heard.kind and heard.kind_confidence < _SURE:
        heard = replace(heard, kind=said, kind_confidence=_NAME_CONFIDENCE)
    if heard.kind == ONE_SHOT and name.sound is not None and heard.sound_confidence < _SURE:
        agreed = heard.sound == name.sound
        confidence = _AGREED_CONFIDENCE if agreed else _NAME_CONFIDENCE
        heard = replace(heard, sound=name.sound, sound_confidence=confidence)
    return heard


def weigh_bpm(heard: Tempo, name: NameEvidence, kind: str) -> tuple[Verdict[float], list[str]]:
    """Return the tempo of a loop and a warning where name and sound disagree.

    A name confirms what was heard, chooses among what could have been heard, and stands where nothing
    clear was; it never overrides a clear tempo, except by an octave, which is a matter of counting.
    """
    if kind == ONE_SHOT:
        return NOTHING, []
    if name.bpm is None:
        return _detected(heard), []
    if heard.bpm is not None and _same(name.bpm, heard.bpm):
        return Verdict(heard.bpm, max(heard.confidence, _AGREED_CONFIDENCE), DETECTED), []
    sure = heard.bpm is not None and heard.confidence >= _SURE
    if not sure or _octave(name.bpm, heard.bpm):
        possible = any(_same(name.bpm, candidate) for candidate, _ in heard.candidates)
        return Verdict(name.bpm, _AGREED_CONFIDENCE if possible else _NAME_CONFIDENCE, FROM_NAME), []
    return _detected(heard), [f"The file name says {name.bpm:g} BPM; we hear {heard.bpm:.1f}."]


def weigh_key(heard: Key, name: NameEvidence) -> tuple[Verdict[str], list[str]]:
    """Return the key and a warning where name and sound disagree; a name never overrides a clear key."""
    detected = Verdict(heard.name, heard.confidence, DETECTED) if heard.name else NOTHING
    if name.key is None:
        return detected, []
    if name.key == heard.name:
        return Verdict(name.key, max(heard.confidence, _AGREED_CONFIDENCE), DETECTED), []
    if heard.name is not None and heard.confidence >= _SURE:
        return detected, [f"The file name says {name.key}; we hear {heard.name}."]
    return Verdict(name.key, _NAME_CONFIDENCE, FROM_NAME), []


def _named_loop(name: NameEvidence, duration_s: float) -> bool:
    if name.bpm is None or duration_s < 1.0:
        return False
    bars = duration_s * name.bpm / 240.0
    return name.bpm_marked or (bars > 0.99 and abs(bars - round(bars)) < 0.01)


def _detected(heard: Tempo) -> Verdict[float]:
    return Verdict(heard.bpm, heard.confidence, DETECTED) if heard.bpm is not None else NOTHING


def _same(said: float, heard: float) -> bool:
    return abs(heard / said - 1.0) <= _SAME_TEMPO


def _octave(said: float, heard: float | None) -> bool:
    return heard is not None and (_same(said, heard / 2) or _same(said, heard * 2))
