"""Analyse one sound: compute the front end once and run every estimator on it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from app.audio.decoding.mp3_frames import EncoderPadding
from app.audio.decoding.scratch_file import SampleSource, content_sha256, iter_blocks
from app.audio.estimation import combine_evidence, key_estimator, sound_classifier, tempo_estimator
from app.audio.estimation.file_name_parser import NameEvidence, parse_file_name
from app.audio.listening import (
    channel_cancellation,
    loudness_meter,
    onset_detection,
    spectral_summary,
    waveform_peaks,
)
from app.audio.listening.front_end_features import FrontEndFeatures, extract_features
from app.audio.listening.zero_crossings import snap_to_zero_crossing
from app.audio.result import Analysis, PitchFields, TempoFields, ToneFields
from app.audio.similarity import timbre
from app.audio.similarity.fingerprint import copy_fingerprint
from app.audio.similarity.layout import SIMILARITY_VERSION
from app.audio.similarity.vector import similarity_vector
from app.audio.version import ENGINE_VERSION
from app.music import sound_classes

MAX_LISTED_ONSETS = 500


def analyze_sound(
    samples: SampleSource,
    sample_rate: int,
    *,
    file_name: str = "",
    format_name: str | None = None,
    digest: str | None = None,
    warnings: Sequence[str] = (),
    padding: EncoderPadding | None = None,
    bit_depth: int | None = None,
) -> Analysis:
    """Analyse one sound.

    Parameters
    ----------
    samples : SampleSource
        Shape (frames, channels), at least one frame, float32, finite, full scale ±1.
    sample_rate : int
        In Hz.
    file_name : str
        The name it was uploaded under, which may state tempo, key and kind.
    format_name, digest, warnings, padding, bit_depth
        From `decode_file`. The digest is computed when it is not given.

    Returns
    -------
    Analysis

    Raises
    ------
    ValueError
        `samples` is empty.
    """
    if not len(samples):
        raise ValueError("there are no samples to analyse")
    duration_s = len(samples) / sample_rate
    features = extract_features(samples, sample_rate, padding)
    name = parse_file_name(file_name)
    heard_tempo = tempo_estimator.estimate_tempo(features)
    heard = sound_classifier.classify_sound(features, heard_tempo.confidence)
    kind = combine_evidence.combine_kind(heard, name, duration_s)
    tempo, bpm_warnings = _find_tempo(features, heard_tempo, name, kind.kind)
    pitch, key_warnings = _find_pitch(features, name, kind.kind)
    levels = loudness_meter.measure_loudness(samples, sample_rate)
    peaks, bars = waveform_peaks.draw_waveform(samples)
    return Analysis(
        engine_version=ENGINE_VERSION,
        format=format_name,
        duration_s=duration_s,
        sample_rate=sample_rate,
        channels=samples.shape[1],
        bit_depth=bit_depth,
        **tempo,
        **pitch,
        kind=kind.kind,
        kind_confidence=kind.kind_confidence,
        sound=kind.sound,
        sound_confidence=kind.sound_confidence,
        sound_candidates=kind.sound_candidates,
        loudness_db=levels.loudness_db,
        loudness_unit=levels.loudness_unit,
        peak_db=levels.peak_db,
        true_peak_db=levels.true_peak_db,
        rms_db=levels.rms_db,
        crest_db=levels.crest_db,
        attack_ms=sound_classifier.attack_ms(features),
        **_describe_tone(features, levels.course),
        # What was heard, not what the name says: the same sound has the same vector under every name.
        similarity=similarity_vector(features, heard.kind, heard_tempo.bpm),
        similarity_version=SIMILARITY_VERSION,
        fingerprint=copy_fingerprint(samples, sample_rate, features.front_end.start_s),
        onsets=_list_onsets(features, samples, sample_rate),
        peaks=peaks,
        bars=bars,
        content_sha256=digest or _sample_digest(samples, sample_rate),
        warnings=(
            *warnings,
            *channel_cancellation.warn_of_cancellation(features.front_end.cancellation),
            *bpm_warnings,
            *key_warnings,
        ),
    )


def _find_tempo(
    features: FrontEndFeatures, detected: tempo_estimator.TempoEstimate, name: NameEvidence, kind: str
) -> tuple[TempoFields, list[str]]:
    """Return the tempo and its beats, and a warning when the name says otherwise."""
    bpm, warnings = combine_evidence.combine_bpm(detected, name, kind)
    beats = tempo_estimator.beat_times(bpm.value, features) if bpm.value else ()
    fields = TempoFields(
        bpm=bpm.value,
        bpm_confidence=bpm.confidence,
        bpm_source=bpm.source,
        bpm_candidates=detected.candidates if bpm.value is not None else (),
        beats=beats,
        downbeats=tempo_estimator.downbeat_times(beats, features) if beats else (),
    )
    return fields, warnings


def _find_pitch(features: FrontEndFeatures, name: NameEvidence, kind: str) -> tuple[PitchFields, list[str]]:
    """Return key or note and the tuning, and a warning when the name says otherwise."""
    detected = key_estimator.estimate_key(features, kind != sound_classes.LOOP)
    named, warnings = combine_evidence.combine_key(detected, name)
    fields = PitchFields(
        key=named.value,
        key_confidence=named.confidence,
        key_source=named.source,
        key_candidates=detected.candidates,
        tuning_cents=detected.tuning_cents,
        note=detected.note,
        note_cents=detected.note_cents,
        note_end=detected.note_end,
    )
    return fields, warnings


def _describe_tone(features: FrontEndFeatures, loudness_course: tuple[float, ...]) -> ToneFields:
    """Return the spectral summary and the figures derived from it."""
    summary = spectral_summary.summarize_spectrum(features)
    return ToneFields(
        brightness=spectral_summary.brightness(summary),
        noisiness=spectral_summary.noisiness(summary),
        spectral=summary,
        loudness_course=loudness_course,
        timbre=timbre.timbre_vector(summary),
        timbre_version=timbre.TIMBRE_VERSION,
    )


def _list_onsets(
    features: FrontEndFeatures, samples: SampleSource, sample_rate: int
) -> tuple[tuple[float, float], ...]:
    """Return the strongest onsets in order of time, as pairs of seconds and relative strength."""
    found = onset_detection.detect_onsets(features)
    strongest = np.sort(np.argsort(-found.heights, kind="stable")[:MAX_LISTED_ONSETS])
    times = (snap_to_zero_crossing(float(found.times_s[i]), samples, sample_rate) for i in strongest)
    return tuple((time, round(float(found.heights[i]), 3)) for time, i in zip(times, strongest, strict=True))


def _sample_digest(samples: SampleSource, sample_rate: int) -> str:
    """Return the digest that `decode_file` would give for the same samples."""
    digest = hashlib.sha256()
    for block in iter_blocks(samples):
        digest.update(np.ascontiguousarray(block, dtype="<f4").tobytes())
    return content_sha256(sample_rate, samples.shape[1], digest.hexdigest())
