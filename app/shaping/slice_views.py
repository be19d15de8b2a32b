"""Cut a sample into slices: as samples of their own, or as one ZIP of WAVs."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.audio.render.recipe import RecipeError
from app.audio.unit_format import RATE_HZ
from app.billing import quota
from app.extensions import limiter
from app.jobs.reprocess import DailyLimitError
from app.models import Job, Render, Sample
from app.negotiation import wants_fragment
from app.plurals import pluralize
from app.shaping import chops, orders, slice_archives, sound_names
from app.shaping.chops import Chops
from app.shaping.forms import ChopForm, chop_values, parse_cuts
from app.shaping.shaping_page import blueprint, own_sample
from app.upload import slices


@blueprint.get("/samples/<sample_id>/chops")
@limiter.limit("120/minute", key_func=lambda: f"account:{current_user.id}")
def chop(sample_id: str) -> str | tuple[str, int]:
    """Show where the sample would be cut into slices."""
    sample, form = own_sample(sample_id), ChopForm(chop_values(request.args))
    found, sentence = None, ""
    if form.validate():
        try:
            found = _chosen_chops(sample, form)
        except RecipeError as error:
            sentence = str(error)
    return _render_chops(sample, form, found, sentence)


@blueprint.post("/samples/<sample_id>/slices")
@limiter.limit("30/minute", key_func=lambda: f"account:{current_user.id}")
def add_slices(sample_id: str) -> Response | tuple[str, int]:
    """Make a sample of each slice. Each counts as an upload, which the page has said before."""
    sample = own_sample(sample_id)
    try:
        made = slices.queue_slices(current_user, sample, _written_chops(sample))
    except (RecipeError, quota.QuotaExceededError) as error:
        return _refuse(sample, error)
    tasks.wake_for_ready_jobs()
    flash(
        f"Cutting {pluralize(len(made), 'slice')}. You will find each in your library as soon as it is ready."
    )
    return redirect(url_for("jobs.cards"), 303)


@blueprint.post("/samples/<sample_id>/slice-archives")
@limiter.limit("30/minute", key_func=lambda: f"account:{current_user.id}")
def download_slices(sample_id: str) -> Response | tuple[str, int]:
    """Send the browser to the ZIP of the slices, or to the page of the job that makes it."""
    sample = own_sample(sample_id)
    try:
        made = slice_archives.order_archive(current_user, sample, _written_chops(sample))
    except (RecipeError, DailyLimitError) as error:
        return _refuse(sample, error)
    if isinstance(made, Job):
        tasks.wake_for_job(made.tier)
        made = orders.wait_for(made)
    if isinstance(made, Render):
        return redirect(url_for(".download", render_id=made.id), 303)
    return redirect(url_for(".progress", sample_id=sample.id, job_id=made.id), 303)


def _refuse(sample: Sample, error: Exception) -> tuple[str, int]:
    return _render_chops(sample, ChopForm(chop_values({})), _written_or_none(sample), str(error)), 422


def _render_chops(sample: Sample, form: ChopForm, found: Chops | None, sentence: str) -> str:
    template = "shaping/_chops.html" if wants_fragment() else "shaping/chops.html"
    values: dict[str, Any] = {"sample": sample, "form": form, "found": found, "sentence": sentence}
    if found is not None:
        values["names"] = [sound_names.slice_name(sample, n) for n in range(1, len(found.cuts) + 1)]
        values["size_bytes"] = slices.slices_size_bytes(sample, found)
        standing = quota.plan_usage(current_user)
        values |= {"standing": standing, "extra": standing.extra_uploads(len(found.cuts))}
        values["refusal"] = standing.refusal_of_several(len(found.cuts), values["size_bytes"])
        values["left"] = max(orders.renders_left(current_user), 0)
    return render_template(template, **values)


def _chosen_chops(sample: Sample, form: ChopForm) -> Chops:
    if request.args.get("cuts"):
        return _written_chops(sample)
    return chops.find_chops(sample, form.by.data, form.count.data, float(form.sensitivity.data or 0))


def _written_chops(sample: Sample) -> Chops:
    """Return the cuts that were written as seconds, each moved to a zero crossing."""
    sound = chops.WavFrames(sample.sp404_key)
    return chops.snap_cuts(sample, sound, parse_cuts(request.values.get("cuts", ""), len(sound), RATE_HZ))


def _written_or_none(sample: Sample) -> Chops | None:
    try:
        return _written_chops(sample)
    except RecipeError:
        return None
