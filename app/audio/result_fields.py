"""Groups of fields of an `Analysis`, one for each part of the engine that fills them."""

from __future__ import annotations

from typing import TypedDict

from app.audio.result import SpectralSummary


class FileFields(TypedDict):
    """The fields of `Analysis` about the file and its samples."""

    engine_version: str
    format: str | None
    duration_s: float
    sample_rate: int
    channels: int
    bit_depth: int | None
    content_sha256: str


class KindFields(TypedDict):
    """The fields of `Analysis` about the kind and the class."""

    kind: str
    kind_confidence: float
    sound: str | None
    sound_confidence: float
    sound_candidates: tuple[tuple[str, float], ...]


class TempoFields(TypedDict):
    """The fields of `Analysis` about the tempo."""

    bpm: float | None
    bpm_confidence: float
    bpm_source: str | None
    bpm_candidates: tuple[tuple[float, float], ...]
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]


class PitchFields(TypedDict):
    """The fields of `Analysis` about the key and the note."""

    key: str | None
    key_confidence: float
    key_source: str | None
    key_candidates: tuple[tuple[str, float], ...]
    tuning_cents: float | None
    note: str | None
    note_cents: float | None
    note_end: str | None


class ToneFields(TypedDict):
    """The fields of `Analysis` about the colour of the sound."""

    brightness: float | None
    noisiness: float | None
    spectral: SpectralSummary
    timbre: tuple[float, ...]
    timbre_version: int


class LevelFields(TypedDict):
    """The fields of `Analysis` about how loud the sound is, and when."""

    loudness_db: float | None
    loudness_unit: str
    peak_db: float | None
    true_peak_db: float | None
    rms_db: float | None
    crest_db: float | None
    loudness_course: tuple[float, ...]


class LikenessFields(TypedDict):
    """The fields of `Analysis` by which sounds are compared with others."""

    similarity: tuple[float, ...]
    similarity_version: int
    fingerprint: tuple[int, ...]
