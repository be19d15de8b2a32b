"""Order shaped sounds: at once from the cache, while the request waits, or as jobs."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.audio.render.fitting import fit_recipe
from app.audio.render.recipe import RecipeError, RenderRecipe, read_recipe
from app.audio.render.stretch_length import stretch_length
from app.audio.result import Analysis
from app.extensions import db
from app.jobs import reprocess
from app.models import Job, Render, Sample, User
from app.plurals import pluralize
from app.shaping import renders
from app.shaping.render_purposes import PREVIEW, RENDER

FITTED = ("start", "end", "from_bpm", "beats", "method", "onsets")
MOST_REASONS = 3
MAX_PREVIEW_S = 30.0
MAX_PREVIEWS = 32  # that may wait at once
TOO_MANY_PREVIEWS = "Many sounds are being shaped for you already. Try again in a moment."
MAX_WAIT_S, POLL_S = 5.0, 0.05
MAX_WAITING = 4
"""Requests of this process that may wait for a preview at once; others are answered with their job."""
_places = threading.BoundedSemaphore(MAX_WAITING)


@dataclass(frozen=True)
class Ordered:
    """What became of an order for several samples."""

    jobs: list[Job]
    already_shaped: int  # so that there was nothing to do
    refused: Mapping[str, str]  # why, by the sample's name

    @property
    def sentence(self) -> str:
        """What a producer is told."""
        said = [f"Shaping {pluralize(len(self.jobs), 'sample')}."] if self.jobs else []
        said += (
            [f"{_was_shaped(self.already_shaped)} already shaped like this."] if self.already_shaped else []
        )
        said += [f"{name}: {reason}" for name, reason in list(self.refused.items())[:MOST_REASONS]]
        more = len(self.refused) - MOST_REASONS
        said += [f"{more} more could not be shaped either."] if more > 0 else []
        return " ".join(said) or "There was nothing to shape."


def analysis_in_force(sample: Sample) -> Analysis:
    """Return the measurement of a sample with its owner's corrections. A corrected tempo has no beats."""
    analysis = sample.corrected_analysis()
    return replace(analysis, beats=(), downbeats=()) if "bpm" in sample.corrections else analysis


def fit_to(sample: Sample, recipe: RenderRecipe) -> RenderRecipe:
    """Return the recipe with what it needs to know of a sample.

    Raises RecipeError when it does not suit the sample, as far as can be said without its audio.
    """
    analysis = analysis_in_force(sample)
    fitted = fit_recipe(recipe, analysis)
    frames = round(analysis.duration_s * analysis.sample_rate)
    if fitted.start >= frames:
        raise RecipeError("The start is after the end of the sound.")
    stretch_length(min(fitted.end or frames, frames) - fitted.start, analysis.sample_rate, fitted)
    return fitted


def order_render(user: User, sample: Sample, recipe: RenderRecipe) -> Render | Job:
    """Return the cached render of a sample by a recipe, or else the job that makes it.

    The caller wakes a worker. Raises RecipeError, DailyLimitError, and RowNotFoundError when the sample was
    deleted.
    """
    fitted = fit_to(sample, recipe)
    cached = renders.find_render(sample.id, fitted)
    if cached is not None:
        renders.touch(cached)
        return cached
    return reprocess.queue_job(user, sample.id, RENDER, _choices(fitted))


def order_renders(user: User, sample_ids: Collection[str], recipe: RenderRecipe) -> Ordered:
    """Queue a job for each sample that the recipe suits and that has no such render yet.

    The caller wakes workers. Raises DailyLimitError.
    """
    own = Sample.user_id == user.id, Sample.id.in_(sample_ids), Sample.deleted_at.is_(None)
    fitted: dict[str, RenderRecipe] = {}
    refused: dict[str, str] = {}
    for sample in db.session.scalars(select(Sample).where(*own).options(joinedload(Sample.features))).all():
        try:
            fitted[sample.id] = fit_to(sample, recipe)
        except RecipeError as error:
            refused[sample.name] = str(error)
    cached = renders.touch_cached({sample_id: one.digest() for sample_id, one in fitted.items()})
    wanted = {sample_id: _choices(one) for sample_id, one in fitted.items() if sample_id not in cached}
    return Ordered(reprocess.queue_choices(user, wanted, RENDER), len(cached), refused)


def order_preview(user: User, sample: Sample, recipe: RenderRecipe) -> Render | Job:
    """Return a shaped sound to listen to, or the job that makes it; the caller wakes a worker.

    A preview costs nothing of the plan, so it is for short sounds only; a longer one is ordered as a render.
    Raises what `order_render` does; DailyLimitError also while too many previews wait.
    """
    if sample.duration_s > MAX_PREVIEW_S:
        return order_render(user, sample, recipe)
    fitted = fit_to(sample, recipe)
    cached = renders.find_render(sample.id, fitted)
    if cached is not None:
        renders.touch(cached)
        return cached
    if len(reprocess.unfinished_jobs_for(user, PREVIEW)) >= MAX_PREVIEWS:
        raise reprocess.DailyLimitError(TOO_MANY_PREVIEWS)
    return reprocess.queue_job(user, sample.id, PREVIEW, _choices(fitted))


def recipe_of(job: Job) -> RenderRecipe:
    """Return the recipe that a job was asked for; one that changes nothing for any other job."""
    return read_recipe((job.choices or {}).get("recipe", {}))


def own_choices(render: Render) -> RenderRecipe:
    """Return the recipe of a render without what belongs to its sample alone."""
    recipe = read_recipe(render.recipe)
    return recipe.model_copy(update={name: RenderRecipe.model_fields[name].default for name in FITTED})


def renders_left(user: User) -> int:
    """Return how many more sounds the user may shape for good today."""
    return reprocess.left_today(user, RENDER)


def wait_for(job: Job) -> Render | Job:
    """Return what the job made if that takes only moments, else the job as it is then."""
    if not _places.acquire(blocking=False):
        return job
    try:
        deadline = time.monotonic() + MAX_WAIT_S
        while not job.is_finished and time.monotonic() < deadline:
            db.session.commit()  # no connection is held while waiting
            time.sleep(POLL_S)
            db.session.refresh(job)
    finally:
        _places.release()
    return renders.find_render_of(job) or job


def _was_shaped(count: int) -> str:
    return f"{pluralize(count, 'sample')} {'was' if count == 1 else 'were'}"


def _choices(recipe: RenderRecipe) -> dict[str, Any]:
    return {"recipe": recipe.to_dict(), "recipe_sha256": recipe.digest()}
