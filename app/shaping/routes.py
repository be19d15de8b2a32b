"""Shape a sample, listen before and after, and save recipes as presets."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, jsonify, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.audio.render.recipe import RecipeError, RenderRecipe, read_recipe
from app.audio.unit_format import RATE_HZ
from app.extensions import limiter
from app.jobs.reprocess import DailyLimitError
from app.models import Job, Render, Sample, ShapingPreset
from app.models.ownership import owned_by
from app.negotiation import wants_fragment
from app.shaping import (
    orders,
    presets,
    render_downloads,
    renders,
    shaping_selection,
    slice_views,  # noqa: F401  # importing it registers its views
    wait_views,  # noqa: F401  # importing it registers its views
)
from app.shaping.forms import PresetForm
from app.shaping.shape_form import ShapeForm, shape_values
from app.shaping.shaping_page import blueprint, own_render, own_sample, render_panel

__all__ = ["blueprint"]
NOTHING_SELECTED = "Select some samples first."
NOTHING_MATCHES = "No samples match, so there is nothing to shape."


@blueprint.get("/samples/<sample_id>/shape")
def panel(sample_id: str) -> str | Response:
    """Show what can be done to a sample; as a fragment it is the panel of the sample's page."""
    sample = own_sample(sample_id)
    made = _find_made(sample, request.args.get("render", ""))
    try:
        recipe = _shown_recipe(sample, made)
    except RecipeError:  # of an older version
        recipe = RenderRecipe()
    return render_panel(sample, ShapeForm(None, data=shape_values(recipe, sample)), made)


@blueprint.post("/samples/<sample_id>/shape")
@limiter.limit("60/minute", key_func=lambda: f"account:{current_user.id}")
def shape(sample_id: str) -> str | Response | tuple[str, int]:
    """Shape the sample to listen to it, and answer with the result, or with the job that makes it."""
    sample, form = own_sample(sample_id), ShapeForm()
    if not form.validate():
        return render_panel(sample, form, None), 422
    try:
        made = orders.order_preview(current_user, sample, form.recipe(sample.features.sample_rate))
    except (RecipeError, DailyLimitError) as error:
        form.form_errors.append(str(error))
        return render_panel(sample, form, None), 422
    if isinstance(made, Job):
        tasks.wake_for_job(made.tier)
        made = orders.wait_for(made)
    if isinstance(made, Render):
        if wants_fragment():
            return render_panel(sample, form, made)
        return redirect(url_for(".panel", sample_id=sample.id, render=made.id, _anchor="shaped"), 303)
    return redirect(url_for(".progress", sample_id=sample.id, job_id=made.id), 303)


@blueprint.get("/renders/<render_id>/audio")
def audio(render_id: str) -> Response:
    """Send the player to a shaped sound."""
    render, _ = _own_sound(render_id)
    renders.touch(render)
    return redirect(renders.audio_url(render))


@blueprint.get("/renders/<render_id>/download")
def download(render_id: str) -> Response:
    """Send the browser to the file of a shaped sound, or to a ZIP of slices."""
    render, sample = own_render(render_id)
    try:
        render_downloads.count_download(current_user, render)
    except DailyLimitError as error:
        flash(str(error), "error")
        return redirect(url_for(".panel", sample_id=sample.id, render=render.id))
    renders.touch(render)
    return redirect(renders.download_url(render, sample))


@blueprint.get("/renders/<render_id>/peaks")
def peaks(render_id: str) -> Response:
    """Return the 800 heights of the player's waveform of a shaped sound."""
    render, _ = _own_sound(render_id)
    return jsonify(peaks=list(render.peaks), duration_s=render.frames / RATE_HZ)


@blueprint.post("/shaping/presets")
def save_preset() -> Response:
    """Save the recipe of a shaped sound under a name."""
    form = PresetForm()
    render, sample = _own_sound(request.form.get("render", ""))
    back = redirect(url_for(".panel", sample_id=sample.id, render=render.id), 303)
    if not form.validate():
        flash(" ".join(str(error) for errors in form.errors.values() for error in errors), "error")
        return back
    try:
        presets.save_preset(current_user, form.name.data, orders.own_choices(render))
    except presets.TooManyPresetsError as error:
        flash(str(error), "error")
        return back
    flash(f"Saved as “{form.name.data}”.")
    return back


@blueprint.post("/shaping/presets/<preset_id>/delete")
def delete_preset(preset_id: str) -> Response:
    """Forget a preset."""
    preset = owned_by(current_user, ShapingPreset, preset_id)
    presets.delete_preset(preset)
    flash(f"Deleted “{preset.name}”. Sounds that were shaped with it stay.")
    return redirect(url_for(".choose"), 303)


@blueprint.route("/shaping", methods=["GET", "POST"])
def choose() -> str | Response:
    """Show the presets, and for a selection of samples what shaping them by one would do."""
    chosen = shaping_selection.choose_sounds(current_user, request.values)
    if request.values.get("all") and not chosen.ids:
        flash(NOTHING_MATCHES, "error")
        return redirect(url_for("library.index"), 303)
    return render_template(
        "shaping/choose.html",
        chosen=chosen,
        is_next=bool(request.values.get("after")),
        most=shaping_selection.MAX_AT_ONCE,
        presets=presets.list_presets(current_user),
        describe=presets.describe,
        cache=renders.cache_usage(current_user),
        left=max(orders.renders_left(current_user), 0),
    )


@blueprint.post("/shaping/selected")
@limiter.limit("60/minute", key_func=lambda: f"account:{current_user.id}")
def shape_selected() -> Response:
    """Shape every selected sample by a preset, and go on with the next results of a search."""
    preset = owned_by(current_user, ShapingPreset, request.form.get("preset", ""))
    ids = request.form.getlist("sample")[: shaping_selection.MAX_AT_ONCE]
    if not ids:
        flash(NOTHING_SELECTED, "error")
        return redirect(url_for("library.index"), 303)
    try:
        done = orders.order_renders(current_user, ids, presets.recipe_of(preset))
    except (RecipeError, DailyLimitError) as error:
        flash(str(error), "error")
        return redirect(url_for("library.index"), 303)
    tasks.wake_for_ready_jobs()
    flash(done.sentence, "" if done.jobs or done.already_shaped else "error")
    if request.form.get("after"):
        search: dict[str, Any] = dict(shaping_selection.search_args(request.form))
        return redirect(url_for(".choose", **search), 303)
    return redirect(url_for("jobs.cards"), 303)


def _shown_recipe(sample: Sample, made: Render | None) -> RenderRecipe:
    """Return the recipe that the panel shows: of a shaped sound, of a job, of a preset, or an empty one."""
    job_id, preset_id = request.args.get("job"), request.args.get("preset")
    if made is not None:
        return read_recipe(made.recipe)
    if job_id:
        return orders.recipe_of(owned_by(current_user, Job, job_id, Job.sample_id == sample.id))
    if preset_id:
        return presets.recipe_of(owned_by(current_user, ShapingPreset, preset_id))
    return RenderRecipe()


def _own_sound(render_id: str) -> tuple[Render, Sample]:
    """Return a shaped sound of the user and its sample, or answer 404, also for a ZIP of slices."""
    render, sample = own_render(render_id)
    if render.is_archive:
        abort(404)
    return render, sample


def _find_made(sample: Sample, render_id: str) -> Render | None:
    """Return the sample's render with this id, if it is still cached."""
    return renders.find_of_sample(sample, render_id) if render_id else None
