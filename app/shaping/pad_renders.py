"""The WAV that a sample's pad plays, on disk: as it was decoded, as it is cached, or shaped now."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.audio.render.recipe import RenderRecipe
from app.engine.contract import RENDERED_NAME, RenderOrder
from app.extensions import settings
from app.integrations.storage import ObjectMissingError, open_store
from app.models import Render, Sample
from app.models.base import new_id, transaction
from app.shaping import render_making, renders
from app.shaping.orders import fit_to
from app.shaping.render_making import NoRoomError

StillWanted = Callable[[], bool]


def fetch_sound(
    sample: Sample, recipe: RenderRecipe | None, target: Path, wanted: StillWanted
) -> Render | None:
    """Write the WAV of a sample, shaped by a recipe, to a file; return its render, if it was shaped.

    What has to be shaped is cached like any shaped sound, so that it is not shaped twice. Raises RecipeError,
    UnreadableAudio, StorageError and errors of the engine.
    """
    if recipe is None or recipe.changes_nothing:
        open_store(settings()).fetch(sample.sp404_key, target)
        return None
    fitted = fit_to(sample, recipe)
    cached = renders.find_render(sample.id, fitted)
    if cached is not None:
        try:
            open_store(settings()).fetch(cached.store_key, target)
        except ObjectMissingError:
            pass  # it made room for newer ones just now
        else:
            renders.touch(cached)
            return cached
    return _shape(sample, fitted, target, wanted)


def render_at_44100(sample: Sample, recipe: RenderRecipe | None, target: Path, wanted: StillWanted) -> Path:
    """Write the WAV of a sample at 44.1 kHz, rendered from the original; it is not cached."""
    fitted = fit_to(sample, recipe) if recipe is not None else RenderRecipe()
    order = RenderOrder(recipe=fitted.to_dict(), rate_hz=44_100, limit_s=settings().job_limit_s)
    _make(sample.original_key, order, target, wanted)
    return target


def _shape(sample: Sample, recipe: RenderRecipe, target: Path, wanted: StillWanted) -> Render:
    order = RenderOrder(recipe=recipe.to_dict(), limit_s=settings().job_limit_s)
    sample_id, user_id, render_id = sample.id, sample.user_id, new_id()
    made = _make(sample.original_key, order, target, wanted)
    key = f"made/{user_id}/{render_id}"
    render = render_making.new_render(render_id, user_id, sample_id, recipe, key, made)
    with suppress(NoRoomError):  # the pad has its sound all the same
        render_making.store_file(user_id, key, target)
        with transaction() as session:
            # Of a sample that is gone meanwhile, nothing is cached; the file goes with the sweep of orphans.
            if session.scalar(select(Sample.id).where(Sample.id == sample_id)) is not None:
                render_making.add_render(render)
    return render


def _make(key: str, order: RenderOrder, target: Path, wanted: StillWanted) -> dict[str, Any]:
    folder = target.with_suffix(".work")
    folder.mkdir()
    try:
        made = render_making.make_file(key, order, folder, wanted)
        shutil.move(folder / RENDERED_NAME, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return made
