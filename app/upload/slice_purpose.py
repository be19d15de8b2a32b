"""The purpose of a job for a slice of a sample: cut it, then measure and describe it as an upload."""

from __future__ import annotations

from typing import Any

from app.audio.errors import UnreadableAudio
from app.engine import dispatch
from app.engine.contract import RENDERED_NAME, RenderOrder
from app.extensions import db, settings
from app.integrations.storage import ObjectMissingError, open_store
from app.jobs import transitions
from app.jobs.describe_step import DESCRIBE
from app.jobs.measure_step import MEASURE, ORIGINAL_MISSING, WAV_TYPE
from app.jobs.purposes import Purpose, Results, Stage, Step, StepInput, Wording
from app.jobs.reprocess import SampleGoneError
from app.models import Job, Sample
from app.models.job import SHAPED
from app.notify.batch_mail import BatchWording
from app.upload.upload_purpose import finish_upload

SLICE = "slice"
PARENT, RECIPE = "parent_id", "recipe"
CUT = "cut"  # the step's result


def cut_slice(work: StepInput) -> dict[str, Any]:
    """Render the slice where an upload would lie, so that the other steps find it there."""
    claim = work.claim
    source_key = _original_key(claim.choices[PARENT])
    order = RenderOrder(about=claim.job_id, recipe=claim.choices[RECIPE], limit_s=settings().job_limit_s)
    try:
        answer = dispatch.render_file(source_key, work.folder, order, work.is_held)
    except ObjectMissingError as error:
        raise UnreadableAudio(ORIGINAL_MISSING) from error
    open_store(settings()).put(claim.incoming_key, work.folder / RENDERED_NAME, WAV_TYPE)
    return {"frames": answer.frames}


def _original_key(parent_id: str) -> str:
    """Return where the sample's original is, or raise SampleGoneError; no transaction stays open."""
    parent = db.session.get(Sample, parent_id, populate_existing=True)
    if parent is None or parent.deleted_at is not None:
        raise SampleGoneError(parent_id)
    key = parent.original_key
    db.session.commit()
    return key


def finish_slice(job: Job, results: Results) -> Sample:
    """Return the new sample of a slice, which names the sample it was cut from and is kept beside it."""
    sample = finish_upload(job, results)
    sample.parent_id = (job.choices or {})[PARENT]
    parent = db.session.get(Sample, sample.parent_id)
    if parent is not None:
        sample.collection_id, sample.folder = parent.collection_id, parent.folder
    return sample


SLICE_PURPOSE = Purpose(
    name=SLICE,
    steps=(
        Step(stages=(Stage(SHAPED, "Cutting the slice."),), result_key=CUT, run=cut_slice),
        MEASURE,
        DESCRIBE,
    ),
    finish=finish_slice,
    wording=Wording(
        waiting="Slice",
        completed="Cut",
        unsuccessful="Slice",
        cancelled="Cancelled. It does not count towards your plan.",
        plural="slices",
        file_refused="",
        tries_used_up=f"You can try again for {transitions.FILE_KEPT_FOR.days} days.",
        file_unavailable="Cut the sample again.",
        mail=BatchWording("slice", "ready", "cut"),
    ),
    renders_wav=True,
    shows_file_size=True,
    charges_upload=True,
)
