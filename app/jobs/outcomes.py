"""What a finished job makes of its results: a new sample, or a change to one that is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from app.engine.contract import Measurement
from app.extensions import db
from app.jobs.reprocess import WANTS_MODEL
from app.models import AudioFeatures, Job, Sample
from app.models.job import ANALYSE, DESCRIBE, UPLOAD
from app.vibe.sound_description import BY_RULES

Results = dict[str, Any]


def apply_results(job: Job, measurement: Measurement | None, described: Results) -> Sample | None:
    """The sample as it is now; None when the one the job is about was deleted. Inside a transaction."""
    return OUTCOMES[job.purpose](job, measurement, described)


def build_sample(job: Job, measurement: Measurement, described: Results) -> Sample:
    analysis = measurement.analysis
    sample = Sample(
        # The job's own id: a second completion of one job could only collide.
        id=job.id,
        user_id=job.user_id,
        name=job.title,
        filename=job.filename,
        format=job.format,
        size_bytes=job.size_bytes,
        content_sha256=job.content_sha256,
        original_key=job.original_key,
        sp404_key=job.sp404_key,
        duration_s=analysis.duration_s,
        kind=analysis.kind,
        sound=analysis.sound,
        bpm=analysis.bpm,
        bpm_source=analysis.bpm_source,
        key=analysis.key,
        key_source=analysis.key_source,
        bars=bytes(analysis.bars),
        described=described,
        corrections={},
        features=_build_features(measurement),
    )
    sample.index_for_search()
    return sample


def _apply_analysis(job: Job, measurement: Measurement, _: Results) -> Sample | None:
    """A description by rules follows the measurement. A model's words stay: it is asked on request only."""
    sample = _lock_sample(job)
    if sample is not None:
        sample.measure(_build_features(measurement), bytes(measurement.analysis.bars))
    return sample


def _apply_description(job: Job, _: Measurement | None, described: Results) -> Sample | None:
    """Rules that stand in for a model which could not be asked don't replace what one has said before."""
    sample = _lock_sample(job)
    if sample is None:
        return None
    if described["source"] != BY_RULES:
        sample.describe(described)
    elif sample.is_by_rules or not sample.described or not job.results.get(WANTS_MODEL, True):
        sample.describe_by_rules()  # by what holds now: it may have been analysed or corrected meanwhile
    return sample


def _lock_sample(job: Job) -> Sample | None:
    wanted = select(Sample).where(Sample.id == job.sample_id, Sample.deleted_at.is_(None))
    return db.session.scalar(wanted.with_for_update().execution_options(populate_existing=True))


def _build_features(measurement: Measurement) -> AudioFeatures:
    analysis, plain = measurement.analysis, measurement.to_dict()
    return AudioFeatures(
        engine_version=analysis.engine_version,
        sample_rate=analysis.sample_rate,
        channels=analysis.channels,
        bpm=analysis.bpm,
        bpm_confidence=analysis.bpm_confidence,
        key=analysis.key,
        key_confidence=analysis.key_confidence,
        kind_confidence=analysis.kind_confidence,
        loudness_db=analysis.loudness_db,
        brightness=analysis.brightness,
        noisiness=analysis.noisiness,
        peaks=bytes(analysis.peaks),
        measured={name: value for name, value in plain.items() if name not in {"peaks", "bars"}},
    )


OUTCOMES: dict[str, Callable[[Job, Any, Results], Sample | None]] = {
    UPLOAD: build_sample,
    ANALYSE: _apply_analysis,
    DESCRIBE: _apply_description,
}
