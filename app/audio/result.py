"""The result of an analysis as frozen data, and its plain JSON.

It imports no numerical library, because the web process, which never loads one, reads stored analyses too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any, Self

_DECIMALS = 6
_PLAIN_TYPES = frozenset({int, str, bool, type(None)})
# The waveform, which is stored in columns of its own, and fields that older engines did not report.
_ABSENT: dict[str, Any] = {
    "peaks": (),
    "bars": (),
    "downbeats": (),
    "note_cents": None,
    "sound_candidates": (),
    "note_end": None,
    "timbre_version": 1,
    "similarity": (),
    "similarity_version": 0,
    "bit_depth": None,
    "fingerprint": (),
}


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and standard deviation over the frames that are not silent."""

    mean: float
    std: float


@dataclass(frozen=True, slots=True)
class VectorMoments:
    """Means and standard deviations, one per coefficient."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SpectralSummary:
    """Moments of the frame descriptors, and `bands_db`: levels of log-spaced bands, loudest 0 dB.

    `mfcc` has 13 coefficients. `chroma` is the strength of the pitch classes from C, relative to the
    strongest in each window, with the tuning corrected.
    """

    centroid_hz: Moments
    bandwidth_hz: Moments
    rolloff_hz: Moments
    flatness: Moments
    zero_crossing_rate: Moments
    rms: Moments
    mfcc: VectorMoments
    chroma: VectorMoments
    bands_db: tuple[float, ...]
    bands_hz: tuple[float, ...]

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Restore a summary from its plain JSON; keys it does not know are ignored."""
        return cls(
            centroid_hz=Moments(**plain["centroid_hz"]),
            bandwidth_hz=Moments(**plain["bandwidth_hz"]),
            rolloff_hz=Moments(**plain["rolloff_hz"]),
            flatness=Moments(**plain["flatness"]),
            zero_crossing_rate=Moments(**plain["zero_crossing_rate"]),
            rms=Moments(**plain["rms"]),
            mfcc=VectorMoments(**_with_tuples(plain["mfcc"])),
            chroma=VectorMoments(**_with_tuples(plain["chroma"])),
            bands_db=tuple(plain["bands_db"]),
            bands_hz=tuple(plain.get("bands_hz", ())),
        )


@dataclass(frozen=True, slots=True)
class WrittenWav:
    """The written WAV and the changes made for the unit. `gain_db` is 0 without clipping."""

    frames: int
    channels: int
    gain_db: float
    resampled: bool
    dithered: bool
    padded_frames: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything measured in one file. Levels in dBFS, `loudness_db` in `loudness_unit`.

    None means that there is no such figure, or that the engine is not sure of one.

    Attributes
    ----------
    bpm_candidates, key_candidates, sound_candidates
        Pairs of value and confidence, best first.
    beats, downbeats
        Times in s of a steady pulse, and those of them that begin a bar.
    note, note_cents
        The pitch of a sound with one pitch, such as "A2", and its distance from that note, -50 to 50.
    note_end
        The note where a sound that glides by a semitone or more ends; `note` is where it starts.
    onsets
        Pairs of time in s, at a zero crossing where one is within 2 ms, and strength beside the strongest; at
        most 500, in order of time.
    loudness_course
        About 64 short-term levels in LUFS, evenly spaced over the file.
    peaks, bars
        The waveform as whole numbers 0 to 255; empty when it is stored apart.
    timbre
        A vector of fixed length; near vectors of one `timbre_version` sound alike.
    bit_depth
        Of the samples in the file; None for lossy formats.
    content_sha256
        Digest of rate, channels and decoded samples; equal for one sound in two lossless containers.
    similarity
        The similarity vector, see `similarity.layout`; near vectors of one `similarity_version` are alike.
    fingerprint
        Whole numbers 0 to 255 that copies of a recording share, see `similarity.fingerprint`; () for silence.
    """

    engine_version: str
    format: str | None
    duration_s: float
    sample_rate: int
    channels: int
    bit_depth: int | None
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
    tuning_cents: float | None
    note: str | None
    note_cents: float | None
    note_end: str | None
    kind: str
    kind_confidence: float
    sound: str | None
    sound_confidence: float
    sound_candidates: tuple[tuple[str, float], ...]
    loudness_db: float | None
    loudness_unit: str
    peak_db: float | None
    true_peak_db: float | None
    rms_db: float | None
    crest_db: float | None
    attack_ms: float | None
    brightness: float | None
    noisiness: float | None
    spectral: SpectralSummary
    loudness_course: tuple[float, ...]
    onsets: tuple[tuple[float, float], ...]
    timbre: tuple[float, ...]
    timbre_version: int
    similarity: tuple[float, ...]
    similarity_version: int
    fingerprint: tuple[int, ...]
    peaks: tuple[int, ...]
    bars: tuple[int, ...]
    content_sha256: str
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON: lists for tuples, None for NaN and infinity, `loudness_course` in `spectral`."""
        plain: dict[str, Any] = _plain_json(self)
        plain["spectral"]["loudness_course"] = plain.pop("loudness_course")
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Restore an analysis from its plain JSON.

        Keys it does not know are ignored. Fields that older engines did not report, and the waveform, may be
        absent; without any other field it raises KeyError or TypeError.
        """
        names = [field.name for field in fields(cls) if field.name in plain]
        spectral = plain["spectral"]
        known = _with_tuples({name: plain[name] for name in names if name != "spectral"})
        return cls(
            **(_ABSENT | known),
            spectral=SpectralSummary.from_dict(spectral),
            loudness_course=tuple(spectral.get("loudness_course", ())),
        )


@dataclass(frozen=True, slots=True)
class Measurement:
    """The analysis of one file, the SHA-256 of its bytes and the report of the WAV writer.

    Its plain JSON is `audio_features` in the engine's answer, and what is stored with a job and a sample.
    """

    analysis: Analysis
    file_sha256: str
    written_wav: WrittenWav | None = None  # None when no WAV was wanted

    def to_dict(self) -> dict[str, Any]:
        """Return one flat object: the analysis, `sp404` from the WAV writer, and `file_sha256`."""
        written = {"sp404": self.written_wav.to_dict()} if self.written_wav else {}
        return self.analysis.to_dict() | written | {"file_sha256": self.file_sha256}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Restore a measurement from its plain JSON; older ones lack `file_sha256`."""
        written = WrittenWav(**plain["sp404"]) if "sp404" in plain else None
        return cls(Analysis.from_dict(plain), str(plain.get("file_sha256", "")), written)


def _plain_json(value: Any) -> Any:
    if type(value) in _PLAIN_TYPES:  # most values are, such as the 800 heights of a waveform
        return value
    if isinstance(value, float):
        # float() because numpy's own floats are floats too, and a JSON writer should not meet them.
        return round(float(value), _DECIMALS) if math.isfinite(value) else None
    if isinstance(value, tuple):
        return [_plain_json(item) for item in value]
    if is_dataclass(value):
        # dataclasses.asdict copies every number deeply, which takes longer than many a sound is.
        return {field.name: _plain_json(getattr(value, field.name)) for field in fields(value)}
    return value


def _with_tuples(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same values with every list as a tuple."""
    return {name: _as_tuple(value) if isinstance(value, list) else value for name, value in plain.items()}


def _as_tuple(values: list[Any]) -> tuple[Any, ...]:
    """Return numbers, texts or pairs as a tuple; pairs become tuples too."""
    is_paired = bool(values) and isinstance(values[0], list)
    return tuple(map(tuple, values)) if is_paired else tuple(values)
