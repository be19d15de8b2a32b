"""The whole analysis of one sound: one front end, every listener in turn."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from app.audio.decoding.scratch_file import SampleSource, content_sha256, iter_blocks
from app.audio.estimation import combine_evidence, key_estimator, sound_classifier, tempo_estimator
from app.audio.estimation.file_name_parser import NameEvidence, parse_file_name
from app.audio.listening import loudness_meter, onset_detection, spectral_summary, waveform_peaks
from app.audio.listening.front_end_features import FrontEndFeatures, extract_features
from app.audio.result import Analysis, PitchFields, TempoFields, ToneFields
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
) -> Analysis:
    """Analyse one sound.

    Parameters
    ----------
    samples
        Shape (frames, channels), at least one frame, float32, finite, full scale ±1.
    sample_rate
        In Hz.
    file_name
        The name it was uploaded under, read for tempo, key and kind.
    format_name, digest, warnings
        From `decode`; the digest is computed when it is not given.

    Raises
    ------
    ValueError
        `samples` is empty.
    """
    if not len(samples):
        raise ValueError("there are no samples to analyse")
    ear, duration_s = extract_features(samples, sample_rate), len(samples) / sample_rate
    name = parse_file_name(file_name)
    kind = combine_evidence.combine_kind(sound_classifier.classify_sound(ear), name, duration_s)
    pulse, bpm_warnings = _find_pulse(ear, name, kind.kind)
    pitch, key_warnings = _find_pitch(ear, name, kind.kind)
    levels = loudness_meter.measure_loudness(samples, sample_rate)
    peaks, bars = waveform_peaks.draw_waveform(samples)
    return Analysis(
        engine_version=ENGINE_VERSION,
        format=format_name,
        duration_s=duration_s,
        sample_rate=sample_rate,
        channels=samples.shape[1],
        **pulse,
        **pitch,
        kind=kind.kind,
        kind_confidence=kind.kind_confidence,
        sound=kind.sound,
        sound_confidence=kind.sound_confidence,
        loudness_db=levels.loudness_db,
        loudness_unit=levels.loudness_unit,
        peak_db=levels.peak_db,
        true_peak_db=levels.true_peak_db,
        rms_db=levels.rms_db,
        crest_db=levels.crest_db,
        attack_ms=sound_classifier.attack_ms(ear),
        **_describe_colour(ear, levels.course),
        onsets=_list_onsets(ear, samples, sample_rate),
        peaks=peaks,
        bars=bars,
        content_sha256=digest or _sample_digest(samples, sample_rate),
        warnings=(*warnings, *bpm_warnings, *key_warnings),
    )


def _find_pulse(ear: FrontEndFeatures, name: NameEvidence, kind: str) -> tuple[TempoFields, list[str]]:
    """The tempo, where it is one, its beats, and what the name says against it."""
    heard = tempo_estimator.estimate_tempo(ear)
    bpm, warnings = combine_evidence.combine_bpm(heard, name, kind)
    beats = tempo_estimator.beat_times(bpm.value, ear) if bpm.value else ()
    said = TempoFields(
        bpm=bpm.value,
        bpm_confidence=bpm.confidence,
        bpm_source=bpm.source,
        bpm_candidates=heard.candidates if bpm.value is not None else (),
        beats=beats,
        downbeats=tempo_estimator.downbeat_times(beats, ear) if beats else (),
    )
    return said, warnings


def _find_pitch(ear: FrontEndFeatures, name: NameEvidence, kind: str) -> tuple[PitchFields, list[str]]:
    """The key or the note, the tuning, and what the name says against the key."""
    heard = key_estimator.estimate_key(ear, kind == sound_classes.ONE_SHOT)
    named, warnings = combine_evidence.combine_key(heard, name)
    said = PitchFields(
        key=named.value,
        key_confidence=named.confidence,
        key_source=named.source,
        key_candidates=heard.candidates,
        tuning_cents=heard.tuning_cents,
        note=heard.note,
        note_cents=heard.note_cents,
    )
    return said, warnings


def _describe_colour(ear: FrontEndFeatures, loudness_course: tuple[float, ...]) -> ToneFields:
    colour = spectral_summary.summarize_spectrum(ear)
    return ToneFields(
        brightness=spectral_summary.brightness(colour),
        noisiness=spectral_summary.noisiness(colour),
        spectral=colour,
        loudness_course=loudness_course,
        timbre=spectral_summary.timbre_vector(colour),
        timbre_version=spectral_summary.TIMBRE_VERSION,
    )


def _list_onsets(
    ear: FrontEndFeatures, samples: SampleSource, sample_rate: int
) -> tuple[tuple[float, float], ...]:
    found = onset_detection.detect_onsets(ear)
    strongest = np.sort(np.argsort(-found.heights, kind="stable")[:MAX_LISTED_ONSETS])
    times = (
        onset_detection.snap_to_zero_crossing(float(found.times_s[i]), samples, sample_rate)
        for i in strongest
    )
    return tuple((time, round(float(found.heights[i]), 3)) for time, i in zip(times, strongest, strict=True))


def _sample_digest(samples: SampleSource, sample_rate: int) -> str:
    digest = hashlib.sha256()
    for block in iter_blocks(samples):
        digest.update(np.ascontiguousarray(block, dtype="<f4").tobytes())
    return content_sha256(sample_rate, samples.shape[1], digest.hexdigest())
