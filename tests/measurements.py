"""A made-up measurement of a loop, complete, for tests that need one without decoding a file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.audio.result import Analysis, Measurement, Moments, SpectralSummary, VectorMoments
from app.audio.similarity.layout import FINGERPRINT_LENGTH, LENGTH, SIMILARITY_VERSION

FLAT = Moments(0.0, 0.0)
SPECTRUM = SpectralSummary(
    centroid_hz=FLAT,
    bandwidth_hz=FLAT,
    rolloff_hz=FLAT,
    flatness=FLAT,
    zero_crossing_rate=FLAT,
    rms=FLAT,
    mfcc=VectorMoments((0.0,) * 13, (0.0,) * 13),
    chroma=VectorMoments((0.0,) * 12, (0.0,) * 12),
    bands_db=(0.0,) * 32,
    bands_hz=tuple(float(30 * (n + 1)) for n in range(32)),
)
LOOP = Analysis(
    engine_version="none",
    format="WAV",
    duration_s=4.8,
    sample_rate=44100,
    channels=1,
    bit_depth=16,
    bpm=100.0,
    bpm_confidence=0.9,
    bpm_source="detected",
    bpm_candidates=((100.0, 0.9),),
    beats=(),
    downbeats=(),
    key="A minor",
    key_confidence=0.8,
    key_source="detected",
    key_candidates=(("A minor", 0.8),),
    tuning_cents=0.0,
    note=None,
    note_cents=None,
    note_end=None,
    kind="loop",
    kind_confidence=0.9,
    sound=None,
    sound_candidates=(),
    sound_confidence=0.0,
    loudness_db=-20.0,
    loudness_unit="LUFS",
    peak_db=-6.0,
    true_peak_db=-6.0,
    rms_db=-20.0,
    crest_db=14.0,
    attack_ms=30.0,
    brightness=50.0,
    noisiness=40.0,
    spectral=SPECTRUM,
    loudness_course=(),
    onsets=tuple((round(0.3 * n, 3), 1.0) for n in range(16)),
    timbre=(0.0,) * 26,
    timbre_version=2,
    similarity=(0.0,) * LENGTH,
    similarity_version=SIMILARITY_VERSION,
    fingerprint=(100,) * FINGERPRINT_LENGTH,
    peaks=(100,) * 800,
    bars=(100,) * 64,
    content_sha256="",
    warnings=(),
)


def loop_analysis(**changes: Any) -> Analysis:
    """Return the loop's analysis with some fields changed."""
    return replace(LOOP, **changes)


def loop_measurement(**changes: Any) -> Measurement:
    """Return the loop's measurement with some fields of the analysis changed."""
    return Measurement(loop_analysis(**changes), file_sha256="")
