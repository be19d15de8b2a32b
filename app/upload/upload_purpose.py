"""The purpose of a job for an uploaded file: measure it, describe it, and make a sample of it."""

from __future__ import annotations

from typing import Any

from app.audio.result import Measurement
from app.collections import collection_rows
from app.jobs import transitions
from app.jobs.describe_step import DESCRIBE
from app.jobs.measure_step import MEASURE
from app.jobs.purposes import ANALYSIS, DESCRIPTION, Purpose, Results, Wording
from app.models import AudioFeatures, Job, Sample, SampleVector
from app.models.job import UPLOAD
from app.notify.batch_mail import BatchWording


def finish_upload(job: Job, results: Results) -> Sample:
    """Return the new sample of an uploaded file."""
    measurement = Measurement.from_dict(results[ANALYSIS])
    # A file that went straight to the object store is read, and so hashed, by its worker first.
    job.content_sha256 = job.content_sha256 or measurement.file_sha256
    return build_sample(job, measurement, results.get(DESCRIPTION, {}))


def build_sample(job: Job, measurement: Measurement, described: dict[str, Any]) -> Sample:
    """Build a sample from a job's file, its measurement and its description, which is empty if unwanted."""
    analysis = measurement.analysis
    sample = Sample(
        # The job's own id: a second completion of the same job could only collide.
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
        features=AudioFeatures.from_measurement(measurement),
        vector=SampleVector.from_analysis(job.user_id, analysis),
        **collection_rows.chosen_place(job),
    )
    sample.index_for_search()
    return sample


UPLOAD_PURPOSE = Purpose(
    name=UPLOAD,
    steps=(MEASURE, DESCRIBE),
    finish=finish_upload,
    wording=Wording(
        waiting="Uploaded",
        completed="Uploaded",
        unsuccessful="Uploaded",
        cancelled="Cancelled. It does not count towards your plan.",
        plural="uploads",
        file_refused="",
        tries_used_up=f"We keep the file for {transitions.FILE_KEPT_FOR.days} days: try again, "
        "or upload another version.",
        file_unavailable="Upload it again.",
        mail=BatchWording("file", "ready", "processed"),
    ),
    renders_wav=True,
    shows_file_size=True,
    has_uploaded_file=True,
    charges_upload=True,
    is_delayed_on_free=True,
)
