"""The WAV that a sample's pad plays, on disk: as it was decoded, as it is kept shaped, or shaped now."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select

from app.audio.render.recipe import RenderRecipe
from app.engine import dispatch
from app.engine.contract import RENDERED_NAME, RenderOrder, RenderReport
from app.extensions import db, settings
from app.integrations.storage import ObjectMissingError, open_store
from app.jobs.measure_step import WAV_TYPE
from app.models import Render, Sample
from app.models.base import new_id, transaction
from app.shaping import renders
from app.shaping.orders import fit_to

KEPT_AS_MADE = ("frames", "channels", "bpm", "loudness_db", "done")
StillWanted = Callable[[], bool]


def fetch_sound(
    sample: Sample, recipe: RenderRecipe | None, target: Path, wanted: StillWanted
) -> Render | None:
    """Write the WAV of a sample, shaped by a recipe, to a file; return what is kept of it, if it was shaped.

    What has to be shaped is kept like any shaped sound, so that nobody shapes it twice. Raises RecipeError,
    UnreadableAudio, StorageError and errors of the engine.
    """
    if recipe is None or recipe.changes_nothing:
        open_store(settings()).fetch(sample.sp404_key, target)
        return None
    fitted = fit_to(sample, recipe)
    kept = renders.find_render(sample.id, fitted)
    if kept is not None:
        try:
            open_store(settings()).fetch(kept.store_key, target)
        except ObjectMissingError:
            pass  # it made room for newer ones just now
        else:
            renders.touch(kept)
            return kept
    return _shape(sample, fitted, target, wanted)


def render_at_44100(sample: Sample, recipe: RenderRecipe | None, target: Path, wanted: StillWanted) -> Path:
    """Write the WAV of a sample at 44.1 kHz, rendered from the original; it is not kept."""
    fitted = fit_to(sample, recipe) if recipe is not None else RenderRecipe()
    order = RenderOrder(recipe=fitted.to_dict(), rate_hz=44_100, limit_s=settings().job_limit_s)
    _run(sample.original_key, order, target, wanted)
    return target


def _shape(sample: Sample, recipe: RenderRecipe, target: Path, wanted: StillWanted) -> Render:
    order = RenderOrder(recipe=recipe.to_dict(), limit_s=settings().job_limit_s)
    sample_id, user_id = sample.id, sample.user_id
    report = _run(sample.original_key, order, target, wanted)
    size_bytes, render_id = target.stat().st_size, new_id()
    renders.make_room(user_id, size_bytes)
    key = f"made/{user_id}/{render_id}"
    open_store(settings()).put(key, target, WAV_TYPE)
    made = report.to_dict()
    render = Render(
        id=render_id,
        user_id=user_id,
        sample_id=sample_id,
        recipe=recipe.to_dict(),
        recipe_sha256=recipe.digest(),
        store_key=key,
        size_bytes=size_bytes,
        peaks=bytes(report.peaks),
        **{name: made[name] for name in KEPT_AS_MADE},
    )
    with transaction() as session:
        equal = select(Render).where(
            Render.sample_id == sample_id, Render.recipe_sha256 == render.recipe_sha256
        )
        # Of a sample that is gone meanwhile, nothing is kept; the file goes with the sweep of orphans.
        is_there = session.scalar(select(Sample.id).where(Sample.id == sample_id)) is not None
        if is_there and session.scalar(equal) is None:
            session.add(render)
    return render


def _run(key: str, order: RenderOrder, target: Path, wanted: StillWanted) -> RenderReport:
    folder = target.with_suffix(".work")
    folder.mkdir()
    db.session.commit()  # no transaction stays open while the engine works
    try:
        report = dispatch.render_file(key, folder, order, wanted)
        shutil.move(folder / RENDERED_NAME, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report
