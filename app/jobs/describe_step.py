"""The step that finds words: within the budgets, kept, and never the reason that a job fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from app.ai import answer_cache, budget
from app.ai.answer_cache import QuestionSubject
from app.engine import describer
from app.extensions import db, settings
from app.integrations.openrouter import conversation
from app.integrations.openrouter.chat_client import configured_endpoint
from app.jobs import reprocess
from app.jobs.claims import Claim, LeaseLostError
from app.models import User
from app.vibe.sound_description import SoundDescription, describe_by_rules, ground_answer

log = logging.getLogger(__name__)

MAX_ASKING_S = conversation.MAX_DURATION_S + 30.0  # and the database on both sides of it


def describe_sound(claim: Claim, still_ours: Callable[[], bool]) -> dict[str, Any]:
    """A description by the plan's model where that may be asked, otherwise by rules.

    Raises SampleGoneError, and LeaseLostError before anything is paid for a job that is not ours any more.
    """
    user = db.session.get_one(User, claim.user_id)
    measured, subject = _load_subject(claim)
    asked = answer_cache.question_key(user, subject)
    shared = answer_cache.shared_question_key(asked, subject)
    keys = [answer_cache.sha256_digest(user.id, asked), shared]
    is_silent = budget.unavailable_reason(user) is not None
    db.session.commit()  # no transaction is open while a model thinks
    with (
        nullcontext(True) if is_silent else answer_cache.single_flight(keys, MAX_ASKING_S, still_ours) as mine
    ):
        if (kept := answer_cache.cached_answer(claim.user_id, asked, shared)) is not None:
            return ground_answer(kept, measured).to_dict()
        if not still_ours():
            raise LeaseLostError(claim.log_name)
        return (_describe_by_model(claim, measured, subject) if mine else None) or describe_by_rules(
            measured
        ).to_dict()


def _describe_by_model(
    claim: Claim, measured: dict[str, Any], subject: QuestionSubject
) -> dict[str, Any] | None:
    held = answer_cache.reserve_question(claim.user_id, f"ai:{claim.job_id}:{claim.token[:8]}", subject)
    db.session.commit()
    described = _ask_model(measured, held) if held is not None else None
    if held is None or described is None:
        return None
    answer_cache.settle_question(held, described)
    return described.to_dict()


def _load_subject(claim: Claim) -> tuple[dict[str, Any], QuestionSubject]:
    """What is known of the sound, and what makes the question about it: of one reading, so they agree."""
    if claim.is_upload:
        measured = claim.results["analysis"]
        return measured, QuestionSubject(claim.content_sha256 or str(measured["file_sha256"]), claim.filename)
    sample = reprocess.load_sample(claim)
    return sample.heard(), QuestionSubject.from_sample(sample)


def _ask_model(measured: dict[str, Any], held: answer_cache.Reservation) -> SoundDescription | None:
    """None when our own code broke: what was put aside stays, as nobody knows what it has cost."""
    try:
        return describer.describe_sound(measured, held.ask, configured_endpoint(settings()))
    except Exception:
        log.exception("asking a model broke")
        return None
