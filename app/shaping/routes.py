"""Shape a sample, listen before and after, cut it into slices, and keep recipes as presets."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.audio.render.recipe import RecipeError, RenderRecipe
from app.audio.unit_format import RATE_HZ
from app.billing import quota
from app.extensions import limiter
from app.jobs.reprocess import DailyLimitError
from app.models import Job, Render, Sample, ShapingPreset
from app.models.ownership import owned_by
from app.negotiation import wants_fragment
from app.shaping import chops, orders, presets, renders
from app.shaping.chops import Chops
from app.shaping.forms import ChopForm, PresetForm, ShapeForm, chop_values, parse_cuts, shape_values
from app.upload import slices

blueprint = Blueprint("shaping", __name__)
MOST_SELECTED = 500
NOTHING_SELECTED = "Select some samples first."
STOP_POLLING = 286


@blueprint.get("/samples/<sample_id>/shape")
def panel(sample_id: str) -> str | Response:
    """Show what can be done to a sample; as a fragment it is the panel of the sample's page."""
    sample = _own_sample(sample_id)
    recipe = RenderRecipe()
    made = _find_made(sample, request.args.get("render", ""))
    if made is not None:
        recipe = RenderRecipe.model_validate(made.recipe)
    elif request.args.get("preset"):
        recipe = presets.recipe_of(owned_by(current_user, ShapingPreset, request.args["preset"]))
    return _render_panel(sample, ShapeForm(None, data=shape_values(recipe, sample)), made)


@blueprint.post("/samples/<sample_id>/shape")
@limiter.limit("60/minute", key_func=lambda: f"account:{current_user.id}")
def shape(sample_id: str) -> str | Response | tuple[str, int]:
    """Shape the sample to listen to it, and answer with the result, or with the job that makes it."""
    sample, form = _own_sample(sample_id), ShapeForm()
    if not form.validate():
        return _render_panel(sample, form, None), 422
    try:
        made = orders.order_preview(current_user, sample, form.recipe(sample.features.sample_rate))
    except (RecipeError, DailyLimitError) as error:
        form.form_errors.append(str(error))
        return _render_panel(sample, form, None), 422
    if isinstance(made, Job):
        tasks.wake_for_job(made.tier)
        made = orders.wait_for(made)
    if isinstance(made, Render):
        if wants_fragment():
            return _render_panel(sample, form, made)
        return redirect(url_for(".panel", sample_id=sample.id, render=made.id, _anchor="shaped"), 303)
    return redirect(url_for(".progress", sample_id=sample.id, job_id=made.id), 303)


@blueprint.get("/samples/<sample_id>/shape/<job_id>")
def progress(sample_id: str, job_id: str) -> Response | str:
    """Show a job that shapes the sample until it is done; htmx asks every second."""
    sample, job = _own_sample(sample_id), owned_by(current_user, Job, job_id)
    made = renders.find_render_of(job) if job.is_finished else None
    if made is not None:
        if wants_fragment():
            form = ShapeForm(None, data=shape_values(RenderRecipe.model_validate(made.recipe), sample))
            return _render_panel(sample, form, made)
        return redirect(url_for(".panel", sample_id=sample.id, render=made.id, _anchor="shaped"), 303)
    template = "shaping/_progress.html" if wants_fragment() else "shaping/progress.html"
    return render_template(template, sample=sample, job=job)


@blueprint.get("/samples/<sample_id>/chops")
@limiter.limit("120/minute", key_func=lambda: f"account:{current_user.id}")
def chop(sample_id: str) -> str | tuple[str, int]:
    """Show where the sample would be cut into slices."""
    sample, form = _own_sample(sample_id), ChopForm(chop_values(request.args))
    found, sentence = None, ""
    if form.validate():
        try:
            found = _chosen_chops(sample, form)
        except RecipeError as error:
            sentence = str(error)
    return _render_chops(sample, form, found, sentence)


@blueprint.post("/samples/<sample_id>/slices")
@limiter.limit("30/minute", key_func=lambda: f"account:{current_user.id}")
def add_slices(sample_id: str) -> Response | str | tuple[str, int]:
    """Make a sample of each slice. Each counts as an upload, which the page has said before."""
    sample = _own_sample(sample_id)
    try:
        made = slices.queue_slices(current_user, sample, _written_chops(sample))
    except (RecipeError, quota.QuotaExceededError) as error:
        return _render_chops(sample, ChopForm(chop_values({})), _written_or_none(sample), str(error)), 422
    tasks.wake_for_ready_jobs()
    flash(f"Cutting {len(made)} slices. They join your library as they are done.")
    return redirect(url_for("jobs.cards"), 303)


@blueprint.get("/renders/<render_id>/audio")
def audio(render_id: str) -> Response:
    """Send the player, or with `download` the browser, to a shaped sound."""
    render, sample = _own_render(render_id)
    renders.touch(render)
    name = f"{slices.shaped_name(sample, render)}.wav" if "download" in request.args else None
    return redirect(renders.audio_url(render, name))


@blueprint.get("/renders/<render_id>/peaks")
def peaks(render_id: str) -> Response:
    """Return the 800 heights of the player's waveform of a shaped sound."""
    render, _ = _own_render(render_id)
    return jsonify(peaks=list(render.peaks), duration_s=render.frames / RATE_HZ)


@blueprint.post("/shaping/presets")
def save_preset() -> Response:
    """Keep the recipe of a shaped sound under a name."""
    form = PresetForm()
    render, sample = _own_render(request.form.get("render", ""))
    back = redirect(url_for(".panel", sample_id=sample.id, render=render.id), 303)
    if not form.validate():
        flash(" ".join(str(error) for errors in form.errors.values() for error in errors), "error")
        return back
    try:
        presets.save_preset(current_user, form.name.data, orders.own_choices(render))
    except presets.TooManyPresetsError as error:
        flash(str(error), "error")
        return back
    flash(f"Kept as “{form.name.data}”.")
    return back


@blueprint.post("/shaping/presets/<preset_id>/delete")
def delete_preset(preset_id: str) -> Response:
    """Forget a preset."""
    preset = owned_by(current_user, ShapingPreset, preset_id)
    presets.delete_preset(preset)
    flash(f"Deleted “{preset.name}”. What was shaped by it stays.")
    return redirect(url_for(".choose"), 303)


@blueprint.route("/shaping", methods=["GET", "POST"])
def choose() -> str:
    """Show the presets, and for a selection of samples what shaping them by one would do."""
    ids = request.values.getlist("sample")[:MOST_SELECTED]
    return render_template(
        "shaping/choose.html",
        sample_ids=ids,
        presets=presets.list_presets(current_user),
        describe=presets.describe,
        kept=renders.kept_renders(current_user),
        left=orders.renders_left(current_user),
    )


@blueprint.post("/shaping/selected")
@limiter.limit("60/minute", key_func=lambda: f"account:{current_user.id}")
def shape_selected() -> Response:
    """Shape every selected sample by a preset."""
    preset = owned_by(current_user, ShapingPreset, request.form.get("preset", ""))
    ids = request.form.getlist("sample")[:MOST_SELECTED]
    if not ids:
        flash(NOTHING_SELECTED, "error")
        return redirect(url_for("library.index"), 303)
    try:
        done = orders.order_renders(current_user, ids, presets.recipe_of(preset))
    except (RecipeError, DailyLimitError) as error:
        flash(str(error), "error")
        return redirect(url_for("library.index"), 303)
    tasks.wake_for_ready_jobs()
    flash(done.sentence, "" if done.jobs or done.kept else "error")
    return redirect(url_for("jobs.cards"), 303)


def _own_sample(sample_id: str) -> Sample:
    return owned_by(current_user, Sample, sample_id, Sample.deleted_at.is_(None))


def _own_render(render_id: str) -> tuple[Render, Sample]:
    render = owned_by(current_user, Render, render_id)
    return render, _own_sample(render.sample_id)


def _find_made(sample: Sample, render_id: str) -> Render | None:
    """Return the sample's render with this id, if it is still kept."""
    return renders.find_of_sample(sample, render_id) if render_id else None


def _render_panel(sample: Sample, form: ShapeForm, made: Render | None) -> str:
    template = "shaping/_panel.html" if wants_fragment() else "shaping/panel.html"
    return render_template(
        template,
        sample=sample,
        form=form,
        made=made,
        gains=renders.equal_gains(sample, made) if made is not None else (1.0, 1.0),
        preset_form=PresetForm(None),
        presets=presets.list_presets(current_user),
        left=orders.renders_left(current_user),
    )


def _render_chops(sample: Sample, form: ChopForm, found: Chops | None, sentence: str) -> str:
    template = "shaping/_chops.html" if wants_fragment() else "shaping/chops.html"
    values: dict[str, Any] = {"sample": sample, "form": form, "found": found, "sentence": sentence}
    if found is not None:
        values["names"] = [slices.slice_name(sample, n) for n in range(1, len(found.cuts) + 1)]
        values["size_bytes"] = slices.slices_size_bytes(sample, found)
        standing = quota.plan_usage(current_user)
        values |= {"standing": standing, "extra": standing.extra_uploads(len(found.cuts))}
        values["refusal"] = standing.refusal_of_several(len(found.cuts), values["size_bytes"])
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
