"""The whole analysis of one sound: one front end, every listener in turn."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from app.audio import classes, classify, evidence, key, loudness, onsets, spectrum, tempo, waveform
from app.audio.ear import Ear, attend
from app.audio.evidence import Verdict
from app.audio.filename import read_name
from app.audio.pcm import Sound, blocks, content_sha256
from app.audio.result import Analysis, SpectralResult
from app.audio.version import ENGINE_VERSION

ONSETS_LISTED = 500


def analyze(
    samples: Sound,
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
    ear, duration_s = attend(samples, sample_rate), len(samples) / sample_rate
    found = onsets.find(ear)
    name = read_name(file_name)
    kind = evidence.weigh_kind(classify.classify(ear), name, duration_s)
    pulse, tone = tempo.estimate(ear), key.estimate(ear, kind.kind == classes.ONE_SHOT)
    bpm, bpm_warnings = evidence.weigh_bpm(pulse, name, kind.kind)
    named_key, key_warnings = evidence.weigh_key(tone, name)
    beats = _beats(bpm, ear)
    levels, colour = loudness.measure(samples, sample_rate), spectrum.describe(ear)
    peaks, bars = waveform.draw(samples)
    return Analysis(
        engine_version=ENGINE_VERSION,
        format=format_name,
        duration_s=duration_s,
        sample_rate=sample_rate,
        channels=samples.shape[1],
        bpm=_number(bpm),
        bpm_confidence=bpm.confidence,
        bpm_source=bpm.source,
        bpm_candidates=pulse.candidates if bpm.value is not None else (),
        beats=beats,
        downbeats=tempo.downbeats(beats, ear) if beats else (),
        key=_text(named_key),
        key_confidence=named_key.confidence,
        key_source=named_key.source,
        key_candidates=tone.candidates,
        tuning_cents=tone.tuning_cents,
        note=tone.note,
        note_cents=tone.note_cents,
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
        attack_ms=classify.attack_ms(ear),
        brightness=spectrum.brightness(colour),
        noisiness=spectrum.noisiness(colour),
        spectral=SpectralResult(colour, levels.course),
        onsets=_listed(found, samples, sample_rate),
        timbre=spectrum.timbre(colour),
        timbre_version=spectrum.TIMBRE_VERSION,
        peaks=peaks,
        bars=bars,
        content_sha256=digest or _digest(samples, sample_rate),
        warnings=(*warnings, *bpm_warnings, *key_warnings),
    )


def _number(verdict: Verdict) -> float | None:
    return float(verdict.value) if isinstance(verdict.value, float) else None


def _text(verdict: Verdict) -> str | None:
    return verdict.value if isinstance(verdict.value, str) else None


def _beats(bpm: Verdict, ear: Ear) -> tuple[float, ...]:
    value = _number(bpm)
    return tempo.beats(value, ear) if value else ()


def _listed(found: onsets.Onsets, sound: Sound, sample_rate: int) -> tuple[tuple[float, float], ...]:
    strongest = np.sort(np.argsort(-found.heights, kind="stable")[:ONSETS_LISTED])
    times = (onsets.snapped(float(found.times_s[i]), sound, sample_rate) for i in strongest)
    return tuple((time, round(float(found.heights[i]), 3)) for time, i in zip(times, strongest, strict=True))


def _digest(samples: Sound, sample_rate: int) -> str:
    digest = hashlib.sha256()
    for block in blocks(samples):
        digest.update(np.ascontiguousarray(block, dtype="<f4").tobytes())
    return content_sha256(sample_rate, samples.shape[1], digest.hexdigest())
