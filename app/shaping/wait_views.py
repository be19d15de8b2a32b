"""The page of a job that shapes or cuts a sample: how far it is, cancel, and try again."""

from __future__ import annotations

from flask import abort, make_response, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.audio.render.recipe import RenderRecipe
from app.jobs import actions, card_list, purposes
from app.models import Job, Render, Sample
from app.models.ownership import owned_by
from app.negotiation import wants_fragment
from app.shaping import renders, slice_archives
from app.shaping.shape_form import ShapeForm, shape_values
from app.shaping.shaping_page import blueprint, own_sample, render_panel

CANNOT_BE_RETRIED = "This can't be tried again. Go back and order it again."


@blueprint.get("/samples/<sample_id>/shape/<job_id>")
def progress(sample_id: str, job_id: str) -> Response | str:
    """Show a job that shapes or cuts the sample, and then what it made; htmx asks every second."""
    sample, job = _own_job(sample_id, job_id)
    made = renders.find_render_of(job) if job.is_finished else None
    if made is not None and not made.is_archive:
        return _show_shaped(sample, made)
    return render_template(
        "shaping/_progress.html" if wants_fragment() else "shaping/progress.html",
        sample=sample,
        job=job,
        made=made,
        purpose=purposes.find_purpose(job.purpose),
        waiting=card_list.waiting_reason(job),
        cuts=slice_archives.cuts_of(job, sample),
    )


@blueprint.post("/samples/<sample_id>/shape/<job_id>/cancel")
def cancel(sample_id: str, job_id: str) -> Response:
    """Cancel the job; a worker that runs it stops within moments."""
    sample, job = _own_job(sample_id, job_id)
    actions.cancel(job.id)
    return _back_to(sample, job)


@blueprint.post("/samples/<sample_id>/shape/<job_id>/retry")
def retry(sample_id: str, job_id: str) -> Response:
    """Try a failed job again."""
    sample, job = _own_job(sample_id, job_id)
    if not actions.retry(job.id):
        abort(409, CANNOT_BE_RETRIED)
    tasks.wake_for_job(job.tier)
    return _back_to(sample, job)


def _own_job(sample_id: str, job_id: str) -> tuple[Sample, Job]:
    sample = own_sample(sample_id)
    return sample, owned_by(current_user, Job, job_id, Job.sample_id == sample.id)


def _back_to(sample: Sample, job: Job) -> Response:
    return redirect(url_for(".progress", sample_id=sample.id, job_id=job.id), 303)


def _show_shaped(sample: Sample, made: Render) -> Response:
    """Show the shaped sound in the panel, as a new element rather than a changed one."""
    if not wants_fragment():
        return redirect(url_for(".panel", sample_id=sample.id, render=made.id, _anchor="shaped"), 303)
    form = ShapeForm(None, data=shape_values(RenderRecipe.model_validate(made.recipe), sample))
    response = make_response(render_panel(sample, form, made))
    response.headers["HX-Reswap"] = "outerHTML"
    return response
