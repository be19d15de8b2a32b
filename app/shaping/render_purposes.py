"""The purposes of jobs that shape a sound: for good, and for somebody who listens to it now."""

from __future__ import annotations

from typing import Any

from flask import url_for
from sqlalchemy import select

from app.audio.errors import UnreadableAudio
from app.audio.render.recipe import read_recipe
from app.billing import plans
from app.billing.quota import format_size
from app.engine import dispatch
from app.engine.contract import RENDERED_NAME, RenderOrder
from app.extensions import db, settings
from app.integrations.storage import ObjectMissingError, open_store
from app.jobs.measure_step import ORIGINAL_MISSING, WAV_TYPE
from app.jobs.purposes import DailyLimit, Purpose, Results, Stage, Step, StepInput, Wording
from app.jobs.reprocess import lock_sample
from app.models import Job, Render, Sample, User
from app.models.base import utcnow
from app.models.job import READY, SHAPED
from app.shaping import renders

RENDER, PREVIEW = "render", "preview"
SHAPED_SOUND = "shaped"  # the step's result
SOUND_UNCHANGED = "The sample itself has not changed."
RENDER_LIMIT = DailyLimit(
    allowed=lambda plan: plan.renders,
    message="On the {plan} plan you can shape {allowed:,} sounds every 24 hours, and you have {left:,} left. "
    "Choose fewer, or try again tomorrow. Sounds of up to 30 s that you shape on their page are not counted.",
)
KEPT_AS_MADE = ("size_bytes", "frames", "channels", "bpm", "loudness_db", "done")
KEPT_AS_MADE = ("size_bytes", "frames", "channels", "bpm", "loudness_db", "done")
GO_FIRST = -5  # a preview starts before the other jobs of its tier


def shape_sound(work: StepInput) -> dict[str, Any]:
    """Render the recipe of the job and put the WAV into the store, in place of the oldest ones."""
    claim = work.claim
    order = RenderOrder(about=claim.job_id, recipe=claim.choices["recipe"], limit_s=settings().job_limit_s)
    try:
        answer = dispatch.render_file(claim.source_key, work.folder, order, work.is_held)
    except ObjectMissingError as error:
        raise UnreadableAudio(ORIGINAL_MISSING) from error
    made = work.folder / RENDERED_NAME
    size_bytes = made.stat().st_size
    _check_room(claim.user_id, size_bytes)
    renders.make_room(claim.user_id, size_bytes)
    open_store(settings()).put(claim.made_key, made, WAV_TYPE)
    return answer.to_dict() | {"size_bytes": size_bytes}


def _check_room(user_id: str, size_bytes: int) -> None:
    plan = plans.plan_for_user(db.session.get_one(User, user_id))
    db.session.commit()  # no transaction stays open while a file is stored
    if size_bytes > plan.kept_renders_bytes:
        raise UnreadableAudio(
            f"The shaped sound has {format_size(size_bytes)}, and the {plan.label} plan keeps "
            f"{format_size(plan.kept_renders_bytes)} of shaped sounds. Use a shorter part."
        )


def finish_render(job: Job, results: Results) -> Sample:
    """Keep what was made; when an equal one was made meanwhile, that one stays."""
    sample, made, choices = lock_sample(job), results[SHAPED_SOUND], job.choices or {}
    recipe = read_recipe(choices["recipe"])
    equal = select(Render).where(Render.sample_id == sample.id, Render.recipe_sha256 == recipe.digest())
    kept = db.session.scalar(equal)
    if kept is not None:
        kept.used_at = utcnow()
        return sample
    db.session.add(
        Render(
            id=job.id,
            user_id=job.user_id,
            sample_id=sample.id,
            recipe=recipe.to_dict(),
            recipe_sha256=recipe.digest(),
            store_key=job.made_key,
            peaks=bytes(made["peaks"]),
            **{name: made[name] for name in KEPT_AS_MADE},
        )
    )
    renders.trim(job.user_id)  # others may have been made at the same time
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
LAST_STAGE = Stage(READY, "Keeping the shaped sound.")
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
