"""The result of an analysis: frozen data and its plain JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypedDict

from app.audio.listening.spectral_summary import SpectralSummary

_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class SpectralResult:
    """`Spectral` and `loudness_course`, about 64 short-term levels in LUFS."""

    spectral: SpectralSummary
    loudness_course: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything heard in one file. Levels in dBFS, `loudness_db` in `loudness_unit`; None: not sure.

    Attributes
    ----------
    bpm_candidates, key_candidates
        Pairs of value and confidence, best first.
    beats, downbeats
        Times in s of a steady pulse, and those of them that begin a bar.
    note, note_cents
        The pitch of a sound with one pitch, such as "A2", and its distance from that note, -50 to 50.
    onsets
        Pairs of time in s, at a zero crossing where one is within 2 ms, and strength beside the strongest; at
        most 500, in order of time.
    peaks, bars
        Whole numbers 0 to 255.
    timbre
        A vector of fixed length; near vectors of one `timbre_version` sound alike.
    """

    engine_version: str
    format: str | None
    duration_s: float
    sample_rate: int
    channels: int
    bpm: float | None
    bpm_confidence: float
    bpm_source: str | None
    bpm_candidates: tuple[tuple[float, float], ...]
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]
    key: str | None
    key_confidence: float
    key_source: str | None
    key_candidates: tuple[tuple[str, float], ...]
    tuning_cents: float
    note: str | None
    note_cents: float | None
    kind: str
    kind_confidence: float
    sound: str | None
    sound_confidence: float
    loudness_db: float
    loudness_unit: str
    peak_db: float
    true_peak_db: float
    rms_db: float
    crest_db: float
    attack_ms: float
    brightness: float
    noisiness: float
    spectral: SpectralResult
    onsets: tuple[tuple[float, float], ...]
    timbre: tuple[float, ...]
    timbre_version: int
    peaks: tuple[int, ...]
    bars: tuple[int, ...]
    content_sha256: str
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON: lists for tuples, no NaN or infinity."""
        plain: dict[str, Any] = _plain_json(self)
        inner = plain["spectral"]
        plain["spectral"] = {**inner["spectral"], "loudness_course": inner["loudness_course"]}
        return plain


class TempoFields(TypedDict):
    """What `Analysis` says of the tempo."""

    bpm: float | None
    bpm_confidence: float
    bpm_source: str | None
    bpm_candidates: tuple[tuple[float, float], ...]
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]


class PitchFields(TypedDict):
    """What `Analysis` says of the key, or of the note."""

    key: str | None
    key_confidence: float
    key_source: str | None
    key_candidates: tuple[tuple[str, float], ...]
    tuning_cents: float
    note: str | None
    note_cents: float | None


class ToneFields(TypedDict):
    """What `Analysis` says of how it sounds."""

    brightness: float
    noisiness: float
    spectral: SpectralResult
    timbre: tuple[float, ...]
    timbre_version: int


def _plain_json(value: Any) -> Any:
    if isinstance(value, float):
        # float() because numpy's own floats are floats too, and a JSON writer should not meet them.
        return round(float(value), _DECIMALS) if math.isfinite(value) else None
    if isinstance(value, tuple):
        return [_plain_json(item) for item in value]
    if is_dataclass(value):
        # dataclasses.asdict copies every number deeply, which takes longer than many a sound is.
        return {field.name: _plain_json(getattr(value, field.name)) for field in fields(value)}
    return value
