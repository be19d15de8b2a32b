"""Analyse one sound: compute the front end once and run every estimator on it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from app.audio.decoding.scratch_file import SampleSource, content_sha256, iter_blocks
from app.audio.estimation import combine_evidence, key_estimator, sound_classifier, tempo_estimator
from app.audio.estimation.combine_evidence import add_stated_tempo
from app.audio.estimation.file_name_parser import NameEvidence, parse_file_name
from app.audio.file_facts import NO_FACTS, FileFacts
from app.audio.listening import (
    channel_cancellation,
    loudness_meter,
    onset_detection,
    spectral_summary,
    waveform_peaks,
)
from app.audio.listening.front_end_features import FrontEndFeatures, extract_features
from app.audio.listening.zero_crossings import snap_to_zero_crossing
from app.audio.result import Analysis
from app.audio.result_fields import (
    FileFields,
    KindFields,
    LevelFields,
    LikenessFields,
    PitchFields,
    TempoFields,
    ToneFields,
)
from app.audio.similarity import timbre
from app.audio.similarity.fingerprint import copy_fingerprint
from app.audio.similarity.layout import SIMILARITY_VERSION
from app.audio.similarity.vector import similarity_vector
from app.audio.version import ENGINE_VERSION
from app.music import sound_classes

MAX_LISTED_ONSETS = 500


def analyze_sound(samples: SampleSource, sample_rate: int, facts: FileFacts = NO_FACTS) -> Analysis:
    """Analyse one sound.

    Parameters
    ----------
    samples : SampleSource
        Shape (frames, channels), at least one frame, float32, finite, full scale ±1.
    sample_rate : int
    facts : FileFacts
        What is known of its file.

    Raises
    ------
    ValueError
        `samples` is empty.
    """
    if not len(samples):
        raise ValueError("there are no samples to analyse")
    features = extract_features(samples, sample_rate, facts.padding)
    heard = _listen(features)
    file = _describe_file(samples, sample_rate, facts)
    name = add_stated_tempo(parse_file_name(facts.name), facts.stated_tempo, file["duration_s"])
    kind = combine_evidence.combine_kind(heard.kind, name, file["duration_s"])
    tempo, bpm_warnings = _find_tempo(features, heard.tempo, name, kind.kind)
    pitch, key_warnings = _find_pitch(features, name, kind.kind)
    peaks, bars = waveform_peaks.draw_waveform(samples)
    return Analysis(
        **file,
        **tempo,
        **pitch,
        **_kind_fields(kind),
        **_measure_levels(samples, sample_rate),
        attack_ms=sound_classifier.attack_ms(features),
        **_describe_tone(features),
        **_describe_likeness(features, heard, samples, sample_rate),
        onsets=_list_onsets(features, samples, sample_rate),
        peaks=peaks,
        bars=bars,
        warnings=(*facts.warnings, *_warn_of_channels(features), *bpm_warnings, *key_warnings),
    )


def _warn_of_channels(features: FrontEndFeatures) -> Sequence[str]:
    return channel_cancellation.warn_of_cancellation(features.front_end.cancellation)


class _Heard(NamedTuple):
    """The estimates from the sound alone, before the name of its file is weighed."""

    tempo: tempo_estimator.TempoEstimate
    kind: sound_classifier.SoundClass


def _listen(features: FrontEndFeatures) -> _Heard:
    tempo = tempo_estimator.estimate_tempo(features)
    return _Heard(tempo, sound_classifier.classify_sound(features, tempo.confidence))


def _describe_file(samples: SampleSource, sample_rate: int, facts: FileFacts) -> FileFields:
    """Return what the file is, and the digest of its samples."""
    return FileFields(
        engine_version=ENGINE_VERSION,
        format=facts.format,
        duration_s=len(samples) / sample_rate,
        sample_rate=sample_rate,
        channels=samples.shape[1],
        bit_depth=facts.bit_depth,
        content_sha256=facts.digest or _sample_digest(samples, sample_rate),
    )


def _kind_fields(found: sound_classifier.SoundClass) -> KindFields:
    return KindFields(
        kind=found.kind,
        kind_confidence=found.kind_confidence,
        sound=found.sound,
        sound_confidence=found.sound_confidence,
        sound_candidates=found.sound_candidates,
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


def _measure_levels(samples: SampleSource, sample_rate: int) -> LevelFields:
    """Return loudness and peaks of the whole file."""
    levels = loudness_meter.measure_loudness(samples, sample_rate)
    return LevelFields(
        loudness_db=levels.loudness_db,
        loudness_unit=levels.loudness_unit,
        peak_db=levels.peak_db,
        true_peak_db=levels.true_peak_db,
        rms_db=levels.rms_db,
        crest_db=levels.crest_db,
        loudness_course=levels.course,
    )


def _describe_tone(features: FrontEndFeatures) -> ToneFields:
    """Return the spectral summary and the figures derived from it."""
    summary = spectral_summary.summarize_spectrum(features)
    return ToneFields(
        brightness=spectral_summary.brightness(summary),
        noisiness=spectral_summary.noisiness(summary),
        spectral=summary,
        timbre=timbre.timbre_vector(summary),
        timbre_version=timbre.TIMBRE_VERSION,
    )


def _describe_likeness(
    features: FrontEndFeatures, heard: _Heard, samples: SampleSource, sample_rate: int
) -> LikenessFields:
    """Return what is compared: of what was heard, so that a sound has the same vector under every name."""
    return LikenessFields(
        similarity=similarity_vector(features, heard.kind.kind, heard.tempo.bpm),
        similarity_version=SIMILARITY_VERSION,
        fingerprint=copy_fingerprint(samples, sample_rate, features.front_end.start_s),
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
