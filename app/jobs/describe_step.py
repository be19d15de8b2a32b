"""The describing step: words for a sound, by a model within the budgets, otherwise by rules.

Whatever goes wrong with a model, the job still gets a description.
"""

from __future__ import annotations

import logging
from contextlib import nullcontext

from app.ai import answer_cache, budget
from app.ai.answer_cache import QuestionSubject
from app.audio.result import Analysis, Measurement
from app.engine import describer
from app.extensions import db, settings
from app.integrations.openrouter import conversation
from app.integrations.openrouter.chat_client import configured_endpoint
from app.jobs import purposes, reprocess
from app.jobs.lease import Claim, LeaseLostError
from app.jobs.model_places import PLACES
from app.jobs.purposes import Stage, Step, StepInput
from app.models import User
from app.models.job import DESCRIBED
from app.vibe.sound_description import SoundDescription, describe_by_rules, ground_answer

log = logging.getLogger(__name__)

MAX_ASKING_S = conversation.MAX_DURATION_S + 30.0  # and the database before and after it


def describe_sound(work: StepInput) -> SoundDescription:
    """Return a description by the plan's model if it may be asked, otherwise by rules.

    Raises SampleGoneError, ModelsBusyError when the job has to wait for its turn to ask, and LeaseLostError
    rather than paying for a job that another worker has.
    """
    claim = work.claim
    user = db.session.get_one(User, claim.user_id)
    measured, subject = _load_subject(work)
    asked = answer_cache.question_key(user, subject)
    shared = answer_cache.shared_question_key(asked, subject)
    keys = [answer_cache.sha256_digest(user.id, asked), shared]
    may_ask = budget.unavailable_reason(user) is None and not PLACES.is_paused
    if may_ask:
        db.session.commit()  # no transaction is open while a model thinks
        work.save()
    with (
        PLACES.take(settings().worker_slots) if may_ask else nullcontext(),
        answer_cache.single_flight(keys, MAX_ASKING_S, work.is_held)
        if may_ask
        else nullcontext(True) as is_first,
    ):
        if (cached := answer_cache.cached_answer(claim.user_id, asked, shared)) is not None:
            return ground_answer(cached, measured)
        if not work.is_held():
            raise LeaseLostError(claim.log_name)
        by_model = _describe_by_model(claim, measured, subject) if may_ask and is_first else None
        return by_model or describe_by_rules(measured)


def _describe_by_model(claim: Claim, measured: Analysis, subject: QuestionSubject) -> SoundDescription | None:
    """Reserve the cost, ask, and settle it; None when no model may be asked or ours is the mistake."""
    reserved = answer_cache.reserve_question(claim.user_id, f"ai:{claim.job_id}:{claim.token[:8]}", subject)
    db.session.commit()
    if reserved is None:
        return None
    with PLACES.timed():
        described = _ask_model(measured, reserved)
    if described is None:
        return None
    answer_cache.settle_question(reserved, described)
    return described


def _load_subject(work: StepInput) -> tuple[Analysis, QuestionSubject]:
    """Return the measurement and the subject of the question, both from one reading, so that they agree."""
    claim = work.claim
    if purposes.find_purpose(claim.purpose).is_about_sample:
        sample = reprocess.load_sample(claim)
        return sample.corrected_analysis(), QuestionSubject.from_sample(sample)
    measurement = Measurement.from_dict(work.results[purposes.ANALYSIS])
    content_sha256 = claim.content_sha256 or measurement.file_sha256
    return measurement.analysis, QuestionSubject(content_sha256, claim.filename)


def _ask_model(measured: Analysis, reserved: answer_cache.Reservation) -> SoundDescription | None:
    """Return the model's description; None when our own code broke.

    The reservation then stays, because what the call has cost is unknown.
    """
    try:
        return describer.describe_sound(measured, reserved.ask, configured_endpoint(settings()))
    except Exception:
        log.exception("asking a model broke")
        return None


DESCRIBE = Step(
    stages=(Stage(DESCRIBED, "Writing the description."),),
    result_key=purposes.DESCRIPTION,
    run=lambda work: describe_sound(work).to_dict(),
    is_wanted=lambda claim: claim.ai_analysis,
    saves_when_waiting=True,
)
