"""The whole analysis of one sound: one front end, every listener in turn."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from app.audio.decoding.pcm import Sound, blocks, content_sha256
from app.audio.estimation import classify, evidence, key, tempo
from app.audio.estimation.file_name import NameEvidence, read_name
from app.audio.listening import loudness, onsets, spectrum, waveform
from app.audio.listening.features import Ear, attend
from app.audio.result import Analysis, Colour, Pitch, Pulse, SpectralResult
from app.audio.version import ENGINE_VERSION
from app.music import sounds

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
    name = read_name(file_name)
    kind = evidence.weigh_kind(classify.classify(ear), name, duration_s)
    pulse, bpm_warnings = _pulse(ear, name, kind.kind)
    pitch, key_warnings = _pitch(ear, name, kind.kind)
    levels = loudness.measure(samples, sample_rate)
    peaks, bars = waveform.draw(samples)
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
        attack_ms=classify.attack_ms(ear),
        **_colour(ear, levels.course),
        onsets=_onsets(ear, samples, sample_rate),
        peaks=peaks,
        bars=bars,
        content_sha256=digest or _digest(samples, sample_rate),
        warnings=(*warnings, *bpm_warnings, *key_warnings),
    )


def _pulse(ear: Ear, name: NameEvidence, kind: str) -> tuple[Pulse, list[str]]:
    """The tempo, where it is one, its beats, and what the name says against it."""
    heard = tempo.estimate(ear)
    bpm, warnings = evidence.weigh_bpm(heard, name, kind)
    beats = tempo.beats(bpm.value, ear) if bpm.value else ()
    said = Pulse(
        bpm=bpm.value,
        bpm_confidence=bpm.confidence,
        bpm_source=bpm.source,
        bpm_candidates=heard.candidates if bpm.value is not None else (),
        beats=beats,
        downbeats=tempo.downbeats(beats, ear) if beats else (),
    )
    return said, warnings


def _pitch(ear: Ear, name: NameEvidence, kind: str) -> tuple[Pitch, list[str]]:
    """The key or the note, the tuning, and what the name says against the key."""
    heard = key.estimate(ear, kind == sounds.ONE_SHOT)
    named, warnings = evidence.weigh_key(heard, name)
    said = Pitch(
        key=named.value,
        key_confidence=named.confidence,
        key_source=named.source,
        key_candidates=heard.candidates,
        tuning_cents=heard.tuning_cents,
        note=heard.note,
        note_cents=heard.note_cents,
    )
    return said, warnings


def _colour(ear: Ear, loudness_course: tuple[float, ...]) -> Colour:
    colour = spectrum.describe(ear)
    return Colour(
        brightness=spectrum.brightness(colour),
        noisiness=spectrum.noisiness(colour),
        spectral=SpectralResult(colour, loudness_course),
        timbre=spectrum.timbre(colour),
        timbre_version=spectrum.TIMBRE_VERSION,
    )


def _onsets(ear: Ear, samples: Sound, sample_rate: int) -> tuple[tuple[float, float], ...]:
    found = onsets.find(ear)
    strongest = np.sort(np.argsort(-found.heights, kind="stable")[:ONSETS_LISTED])
    times = (onsets.snapped(float(found.times_s[i]), samples, sample_rate) for i in strongest)
    return tuple((time, round(float(found.heights[i]), 3)) for time, i in zip(times, strongest, strict=True))


def _digest(samples: Sound, sample_rate: int) -> str:
    digest = hashlib.sha256()
    for block in blocks(samples):
        digest.update(np.ascontiguousarray(block, dtype="<f4").tobytes())
    return content_sha256(sample_rate, samples.shape[1], digest.hexdigest())
