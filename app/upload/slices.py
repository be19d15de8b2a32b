"""Make samples of the slices of a sample. Each one counts as an upload."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from app.audio.render.chop import chop_recipes
from app.audio.render.recipe import RenderRecipe
from app.audio.render.stretch_length import stretch_length
from app.billing import plans, quota
from app.billing.plans import Plan
from app.jobs import purposes, reprocess, scheduler
from app.models import Batch, Job, Sample, User
from app.models.base import new_id, transaction
from app.shaping.chops import Chops, source_cuts, source_frames
from app.shaping.sound_names import slice_name
from app.upload.slice_purpose import PARENT, RECIPE, SLICE, SLICE_PURPOSE

HEADER_BYTES, SAMPLE_BYTES, MOST_CHANNELS = 44, 2, 2


def queue_slices(user: User, sample: Sample, chops: Chops) -> list[Job]:
    """Queue a job for each slice, all of them or none; the caller wakes the workers.

    While the same slices are being cut, asking again returns those jobs. Raises QuotaExceededError when the
    plan has no room for them.
    """
    recipes, plan = slice_recipes(sample, chops), plans.plan_for_user(user)
    batch = Batch(id=str(uuid4()), user_id=user.id, expected=len(recipes))
    jobs = [
        _build_job(user, sample, plan, batch.id, number, recipe)
        for number, recipe in enumerate(recipes, start=1)
    ]
    with transaction() as session:
        quota.lock_account(user.id)  # of two requests at once, the second finds the jobs of the first
        if under_way := _under_way(user, [job.choices for job in jobs]):
            return under_way
        session.add(batch)
        session.flush()
        for job in jobs:
            quota.charge_upload(user, job)
            session.add(job)
    return jobs


def _under_way(user: User, wanted: list[dict[str, Any] | None]) -> list[Job]:
    """Return the unfinished jobs for exactly these slices; empty when one of them has none."""
    jobs = [job for job in reprocess.unfinished_jobs_for(user, SLICE) if job.choices in wanted]
    return jobs if all(choices in [job.choices for job in jobs] for choices in wanted) else []


def slice_recipes(sample: Sample, chops: Chops) -> list[RenderRecipe]:
    """Return the recipe of each slice of the original, without cuts that its rate can't tell apart."""
    return chop_recipes(source_cuts(sample, chops), source_frames(sample))


def slices_size_bytes(sample: Sample, chops: Chops) -> int:
    """Return the size of all slices together, which the storage of the plan must have room for."""
    return sum(_size_bytes(sample, recipe) for recipe in slice_recipes(sample, chops))


def _size_bytes(sample: Sample, recipe: RenderRecipe) -> int:
    part = (recipe.end or source_frames(sample)) - recipe.start
    frames = stretch_length(part, sample.features.sample_rate, recipe).final
    channels = min(sample.features.channels, MOST_CHANNELS)
    return HEADER_BYTES + SAMPLE_BYTES * channels * max(frames, recipe.min_frames)


def _build_job(
    user: User, sample: Sample, plan: Plan, batch_id: str, number: int, recipe: RenderRecipe
) -> Job:
    job_id = new_id()
    return Job(
        id=job_id,
        purpose=SLICE,
        user_id=user.id,
        batch_id=batch_id,
        filename=f"{slice_name(sample, number)}.wav",
        format="WAV",
        size_bytes=_size_bytes(sample, recipe),
        incoming_key=f"incoming/{user.id}/{job_id}.wav",
        tier=plan.tier,
        priority=purposes.priority_for(plan, SLICE_PURPOSE),
        run_at=scheduler.first_run_time(plan, SLICE_PURPOSE),
        ai_allowed=user.ai_allowed,
        choices={PARENT: sample.id, RECIPE: recipe.to_dict()},
    )
