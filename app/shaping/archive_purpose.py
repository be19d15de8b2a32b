"""The purpose of jobs that cut a sample into slices and put them into one ZIP."""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.audio.render.slice_set import SliceSet
from app.download_names import ZIP_TYPE
from app.engine.contract import RENDERED_NAME, CutOrder
from app.extensions import settings
from app.jobs.purposes import Purpose, Results, Stage, Step, StepInput, Wording
from app.jobs.reprocess import lock_sample
from app.models import Job, Sample
from app.models.job import READY, SHAPED
from app.shaping import render_making
from app.shaping.render_purposes import RENDER_LIMIT, SOUND_UNCHANGED

SLICE_ZIP = "slice_zip"
SLICES, ARCHIVE = "slices", "archive"  # what was chosen, and the step's result


def cut_slices(work: StepInput) -> dict[str, Any]:
    """Cut the slices of the job and put their ZIP into the store."""
    claim = work.claim
    order = CutOrder(about=claim.job_id, slices=claim.choices[SLICES], limit_s=settings().job_limit_s)
    made = render_making.make_file(claim.source_key, order, work.folder, work.is_held)
    render_making.store_file(claim.user_id, claim.made_key, work.folder / RENDERED_NAME, ZIP_TYPE)
    return made


def finish_archive(job: Job, results: Results) -> Sample:
    """Note the ZIP beside the sample that was cut."""
    sample, slices = lock_sample(job), SliceSet.model_validate((job.choices or {})[SLICES])
    made = results[ARCHIVE]
    render_making.add_render(
        render_making.new_render(job.id, job.user_id, sample.id, slices, job.made_key, made)
    )
    return sample


ARCHIVE_PURPOSE = Purpose(
    name=SLICE_ZIP,
    steps=(Step(stages=(Stage(SHAPED, "Cutting the slices."),), result_key=ARCHIVE, run=cut_slices),),
    finish=finish_archive,
    wording=Wording(
        waiting="To be cut into slices",
        completed="Cut into slices",
        unsuccessful="To be cut into slices",
        cancelled=f"Cancelled. {SOUND_UNCHANGED}",
        plural="ZIPs of slices",
        file_refused=SOUND_UNCHANGED,
        tries_used_up=f"{SOUND_UNCHANGED} Try again, now or later.",
        file_unavailable=SOUND_UNCHANGED,
        mail=None,
    ),
    is_about_sample=True,
    daily_limit=RENDER_LIMIT,
    result_label="Slices as a ZIP",
    result_address=lambda job: url_for("shaping.progress", sample_id=job.sample_id, job_id=job.id),
    last_stage=Stage(READY, "Storing the ZIP."),
)
