"""The purposes of jobs about samples that exist: analyse one again, or describe it again."""

from __future__ import annotations

from app.audio.result import Measurement
from app.jobs.describe_step import DESCRIBE as DESCRIBE_STEP
from app.jobs.measure_step import MEASURE
from app.jobs.purposes import ANALYSIS, DESCRIPTION, FORMER_AI_ALLOWED, DailyLimit, Purpose, Results, Wording
from app.jobs.reprocess import lock_sample
from app.models import AudioFeatures, Job, Sample
from app.models.sample_vector import replace_vector
from app.notify.batch_mail import BatchWording
from app.vibe.sound_description import BY_RULES

ANALYSE, DESCRIBE = "analyse", "describe"
SAMPLE_UNCHANGED = "The sample has not changed."
# They cost no upload of the plan, but the engine and models work for them all the same.
REPROCESS_LIMIT = DailyLimit(
    allowed=lambda plan: plan.again,
    message="On the {plan} plan you can analyse or describe {allowed:,} samples again every 24 hours, and "
    "you have {left:,} left. Select fewer, or try again tomorrow.",
)


def finish_analysis(job: Job, results: Results) -> Sample:
    """Give the sample its new measurement.

    A description by rules follows it. A model's description stays, because a model is asked on request only.
    """
    sample, measurement = lock_sample(job), Measurement.from_dict(results[ANALYSIS])
    sample.measure(AudioFeatures.from_measurement(measurement), bytes(measurement.analysis.bars))
    replace_vector(sample, measurement.analysis)
    return sample


def finish_description(job: Job, results: Results) -> Sample:
    """Give the sample its new description.

    Rules that stand in for a model which could not be asked do not replace a model's earlier description.
    """
    sample, described = lock_sample(job), results[DESCRIPTION]
    ai_allowed = job.ai_allowed and job.results.get(FORMER_AI_ALLOWED, True)
    if described["source"] != BY_RULES:
        sample.describe(described)
    elif sample.is_by_rules or not sample.described or not ai_allowed:
        sample.describe_by_rules()  # from today's values: it may have been measured or corrected since
    return sample


def _wording(done: str, noun: str) -> Wording:
    return Wording(
        waiting=f"New {noun} requested",
        completed=done.capitalize(),
        unsuccessful=f"New {noun} requested",
        cancelled=f"Cancelled. {SAMPLE_UNCHANGED}",
        plural="analyses",
        file_refused=SAMPLE_UNCHANGED,
        tries_used_up=f"{SAMPLE_UNCHANGED} Try again, now or later.",
        file_unavailable=SAMPLE_UNCHANGED,
        mail=BatchWording("sample", done, done, ("was", "were")),
    )


ANALYSE_PURPOSE = Purpose(
    name=ANALYSE,
    steps=(MEASURE,),
    finish=finish_analysis,
    wording=_wording("analysed again", "analysis"),
    is_about_sample=True,
    renders_wav=True,
    is_delayed_on_free=True,  # the engine's work waits like an upload; describing starts at once
    daily_limit=REPROCESS_LIMIT,
)
DESCRIBE_PURPOSE = Purpose(
    name=DESCRIBE,
    steps=(DESCRIBE_STEP,),
    finish=finish_description,
    wording=_wording("described again", "description"),
    is_about_sample=True,
    shows_description=True,
    daily_limit=REPROCESS_LIMIT,
)
