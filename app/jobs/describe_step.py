"""The step that finds words: within the budgets, kept, and never the reason that a job fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from app.ai import answers, budget
from app.ai.answers import Subject
from app.engine import describer
from app.extensions import db, settings
from app.integrations.openrouter import conversation
from app.integrations.openrouter.client import server_of
from app.jobs import reprocess
from app.jobs.claim import Claim, LeaseLostError
from app.models import User
from app.vibe.description import Described, describe_by_rules, grounded

log = logging.getLogger(__name__)

LONGEST_S = conversation.LONGEST_S + 30.0  # and the database on both sides of it


def sound(claim: Claim, still_ours: Callable[[], bool]) -> dict[str, Any]:
    """A description by the plan's model where that may be asked, otherwise by rules.

    Raises SampleGoneError, and LeaseLostError before anything is paid for a job that is not ours any more.
    """
    user = db.session.get_one(User, claim.user_id)
    measured, subject = _heard(claim)
    asked = answers.question(user, subject)
    shared = answers.shared_key(asked, subject)
    keys = [answers.digest(user.id, asked), shared]
    is_silent = budget.silence(user) is not None
    db.session.commit()  # no transaction is open while a model thinks
    with nullcontext(True) if is_silent else answers.one_at_a_time(keys, LONGEST_S, still_ours) as mine:
        if (kept := answers.answered_before(claim.user_id, asked, shared)) is not None:
            return grounded(kept, measured).to_dict()
        if not still_ours():
            raise LeaseLostError(claim.log_name)
        return (_by_model(claim, measured, subject) if mine else None) or describe_by_rules(
            measured
        ).to_dict()


def _by_model(claim: Claim, measured: dict[str, Any], subject: Subject) -> dict[str, Any] | None:
    held = answers.reserve(claim.user_id, f"ai:{claim.job_id}:{claim.token[:8]}", subject)
    db.session.commit()
    described = _asked(measured, held) if held is not None else None
    if held is None or described is None:
        return None
    answers.settle(held, described)
    return described.to_dict()


def _heard(claim: Claim) -> tuple[dict[str, Any], Subject]:
    """What is known of the sound, and what makes the question about it: of one reading, so they agree."""
    if claim.is_upload:
        measured = claim.results["analysis"]
        return measured, Subject(claim.content_sha256 or str(measured["file_sha256"]), claim.filename)
    sample = reprocess.sample_of(claim)
    return sample.heard(), Subject.of(sample)


def _asked(measured: dict[str, Any], held: answers.Reservation) -> Described | None:
    """None when our own code broke: what was put aside stays, as nobody knows what it has cost."""
    try:
        return describer.describe(measured, held.ask, server_of(settings()))
    except Exception:
        log.exception("asking a model broke")
        return None
