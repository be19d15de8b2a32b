"""Combine what was detected in the sound with what the file's name says, or the file itself.

A name settles an unsure detection and raises the confidence of one it agrees with. It never overrides a sure
one; then the owner gets a warning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from app.audio.acid_chunk import StatedTempo
from app.audio.estimation.file_name_parser import FROM_NAME, NameEvidence
from app.audio.estimation.key_estimator import KeyEstimate
from app.audio.estimation.sound_classifier import SoundClass
from app.audio.estimation.tempo_estimator import TempoEstimate
from app.music.sound_classes import LOOP, ONE_SHOT, fits_kind, sounds_named

DETECTED, FROM_FILE = "detected", "file header"

_SAME_TEMPO_RATIO = 0.015
_NAME_CONFIDENCE, _AGREED_CONFIDENCE = 0.8, 0.97
_MIN_SURE_CONFIDENCE = 0.85
# Higher numbers in names often count files or belong to a machine, so above this a bare number can't double
# a sure tempo.
_MAX_BARE_DOUBLE_BPM = 190.0

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Verdict(Generic[Value]):
    """A value, its confidence (0 to 1) and its source: `DETECTED`, `FROM_NAME`, or None for no value."""

    value: Value | None
    confidence: float
    source: str | None


NO_VERDICT: Verdict[Any] = Verdict(None, 0.0, None)


def add_stated_tempo(name: NameEvidence, stated: StatedTempo | None, duration_s: float) -> NameEvidence:
    """Return what a name says, with the tempo that the file states where the name marks none.

    Such a tempo counts only where the sound is as long as its beats: files are cut after it was noted.

    Parameters
    ----------
    name : NameEvidence
        From the file name.
    stated : StatedTempo or None
        From the file.
    duration_s : float
        Length of the sound in seconds.
    """
    if stated is None or name.bpm_marked or not stated.fits(duration_s):
        return name
    return replace(name, bpm=stated.bpm, bpm_marked=True, bpm_source=FROM_FILE)


def combine_kind(detected: SoundClass, name: NameEvidence, duration_s: float) -> SoundClass:
    """Return kind and class of a sound after weighing its name.

    A name that says loop or one-shot, or names a class, wins unless the detection is sure.

    Parameters
    ----------
    detected : SoundClass
        From the sound.
    name : NameEvidence
        From the file name; a tempo in it can imply a loop, see `_name_implies_loop`.
    duration_s : float
        Length of the sound in seconds.
    """
    named = name.kind or (LOOP if _name_implies_loop(name, duration_s) else None)
    if named is not None and named != detected.kind and detected.kind_confidence < _MIN_SURE_CONFIDENCE:
        detected = replace(detected, kind=named, kind_confidence=_NAME_CONFIDENCE, sound_candidates=())
    if detected.sound is not None and not fits_kind(detected.sound, detected.kind):
        detected = replace(detected, sound=None, sound_confidence=0.0)
    return _combine_sound(detected, name)


def _combine_sound(detected: SoundClass, name: NameEvidence) -> SoundClass:
    """Weigh the class of a loop or one-shot; a name that says less than the detection only confirms it."""
    said = {ONE_SHOT: name.sound, LOOP: name.loop_sound}.get(detected.kind)
    if said is None or detected.sound_confidence >= _MIN_SURE_CONFIDENCE:
        return detected
    if detected.sound is not None and detected.sound in sounds_named(said):
        return replace(detected, sound_confidence=_AGREED_CONFIDENCE)
    return replace(detected, sound=said, sound_confidence=_NAME_CONFIDENCE)


def combine_bpm(detected: TempoEstimate, name: NameEvidence, kind: str) -> tuple[Verdict[float], list[str]]:
    """Return the tempo of a loop, and a warning when name and sound disagree.

    A tempo in the name confirms the detected one, chooses among the candidates, and is used when no tempo is
    sure. It overrides a sure tempo only by a factor of two, which depends on how one counts; a number above
    190 does so only when it is marked as a tempo.

    Parameters
    ----------
    detected : TempoEstimate
        From the sound.
    name : NameEvidence
        From the file name.
    kind : str
        Only a loop gets a tempo.
    """
    if kind != LOOP:
        return NO_VERDICT, []
    if name.bpm is None:
        return _detected_tempo(detected), []
    if detected.bpm is not None and _is_same_tempo(name.bpm, detected.bpm):
        return Verdict(detected.bpm, max(detected.confidence, _AGREED_CONFIDENCE), DETECTED), []
    sure = detected.bpm is not None and detected.confidence >= _MIN_SURE_CONFIDENCE
    may_recount = name.bpm_marked or name.bpm <= _MAX_BARE_DOUBLE_BPM
    if not sure or (may_recount and _is_octave_apart(name.bpm, detected.bpm)):
        possible = any(_is_same_tempo(name.bpm, candidate) for candidate, _ in detected.candidates)
        return Verdict(name.bpm, _AGREED_CONFIDENCE if possible else _NAME_CONFIDENCE, name.bpm_source), []
    return _detected_tempo(detected), [
        f"The {name.bpm_source} says {name.bpm:g} BPM; we hear {detected.bpm:.1f}."
    ]


def combine_key(detected: KeyEstimate, name: NameEvidence) -> tuple[Verdict[str], list[str]]:
    """Return the key, and a warning when name and sound disagree.

    A key in the name never overrides a sure one.

    Parameters
    ----------
    detected : KeyEstimate
        From the sound.
    name : NameEvidence
        From the file name.
    """
    verdict = Verdict(detected.name, detected.confidence, DETECTED) if detected.name else NO_VERDICT
    if name.key is None:
        return verdict, []
    if name.key == detected.name:
        return Verdict(name.key, max(detected.confidence, _AGREED_CONFIDENCE), DETECTED), []
    if detected.name is not None and detected.confidence >= _MIN_SURE_CONFIDENCE:
        return verdict, [f"The file name says {name.key}; we hear {detected.name}."]
    return Verdict(name.key, _NAME_CONFIDENCE, FROM_NAME), []


def _name_implies_loop(name: NameEvidence, duration_s: float) -> bool:
    """Return whether a tempo in the name implies a loop: it is marked "bpm" or gives whole bars."""
    if name.bpm is None or duration_s < 1.0:
        return False
    bars = duration_s * name.bpm / 240.0
    return name.bpm_marked or (bars > 0.99 and abs(bars - round(bars)) < 0.01)


def _detected_tempo(detected: TempoEstimate) -> Verdict[float]:
    return Verdict(detected.bpm, detected.confidence, DETECTED) if detected.bpm is not None else NO_VERDICT


def _is_same_tempo(named: float, detected: float) -> bool:
    return abs(detected / named - 1.0) <= _SAME_TEMPO_RATIO


def _is_octave_apart(named: float, detected: float | None) -> bool:
    return detected is not None and (
        _is_same_tempo(named, detected / 2) or _is_same_tempo(named, detected * 2)
    )
