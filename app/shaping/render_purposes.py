"""The purposes of jobs that shape a sound: for good, and for somebody who listens to it now."""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.audio.render.recipe import read_recipe
from app.engine.contract import RENDERED_NAME, RenderOrder
from app.extensions import settings
from app.jobs.purposes import DailyLimit, Purpose, Results, Stage, Step, StepInput, Wording
from app.jobs.reprocess import lock_sample
from app.models import Job, Sample, usage
from app.models.job import READY, SHAPED
from app.shaping import render_making

RENDER, PREVIEW = "render", "preview"
SHAPED_SOUND = "shaped"  # the step's result
SOUND_UNCHANGED = "The sample itself has not changed."
RENDER_LIMIT = DailyLimit(
    allowed=lambda plan: plan.renders,
    message="On the {plan} plan you can shape {allowed:,} sounds every 24 hours, and you have {left:,} left. "
    "Choose fewer, or try again tomorrow. You can still listen to shaped sounds of up to 30 s.",
    usage_kind=usage.RENDER,
)
GO_FIRST = -5  # a preview starts before the other jobs of its tier


def shape_sound(work: StepInput) -> dict[str, Any]:
    """Render the recipe of the job and put the WAV into the store."""
    claim = work.claim
    order = RenderOrder(about=claim.job_id, recipe=claim.choices["recipe"], limit_s=settings().job_limit_s)
    made = render_making.make_file(claim.source_key, order, work.folder, work.is_held)
    render_making.store_file(claim.user_id, claim.made_key, work.folder / RENDERED_NAME)
    return made


def finish_render(job: Job, results: Results) -> Sample:
    """Note what was made, beside the sample it was made of."""
    sample, recipe = lock_sample(job), read_recipe((job.choices or {})["recipe"])
    made = results[SHAPED_SOUND]
    render = render_making.new_render(job.id, job.user_id, sample.id, recipe, job.made_key, made)
    render_making.add_render(render)
    return sample


SHAPE = Step(
    stages=(Stage(SHAPED, "Shaping the sound."),),
    result_key=SHAPED_SOUND,
    run=shape_sound,
)
WORDING = Wording(
    waiting="To be shaped",
    completed="Shaped",
    unsuccessful="To be shaped",
    cancelled=f"Cancelled. {SOUND_UNCHANGED}",
    plural="shaped sounds",
    file_refused=SOUND_UNCHANGED,
    tries_used_up=f"{SOUND_UNCHANGED} Try again, now or later.",
    file_unavailable=SOUND_UNCHANGED,
    mail=None,
)
LAST_STAGE = Stage(READY, "Storing the shaped sound.")
RENDER_PURPOSE = Purpose(
    name=RENDER,
    steps=(SHAPE,),
    finish=finish_render,
    wording=WORDING,
    is_about_sample=True,
    daily_limit=RENDER_LIMIT,
    result_label="Listen",
    result_address=lambda job: url_for("shaping.progress", sample_id=job.sample_id, job_id=job.id),
    last_stage=LAST_STAGE,
)
PREVIEW_PURPOSE = Purpose(
    name=PREVIEW,
    steps=(SHAPE,),
    finish=finish_render,
    wording=WORDING,
    is_about_sample=True,
    is_preview=True,
    priority_offset=GO_FIRST,
    last_stage=LAST_STAGE,
)
