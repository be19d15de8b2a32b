"""The step that finds words: within the budgets, kept, and never the reason that a job fails."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import Any

from app.billing import ai, ai_answers
from app.billing.ai_answers import Subject
from app.extensions import db, settings
from app.integrations import asking, vibe
from app.integrations.openrouter import server_of
from app.jobs.claim import Claim
from app.models import Sample, User

log = logging.getLogger(__name__)

LONGEST_S = asking.LONGEST_S + 30.0  # and the database on both sides of it


def sound(claim: Claim, measured: dict[str, Any]) -> dict[str, Any]:
    """A description by the plan's model where that may be asked, otherwise by rules."""
    user = db.session.get_one(User, claim.user_id)
    subject = _subject(claim, claim.content_sha256 or str(measured["file_sha256"]))
    asked = ai_answers.question(user, subject)
    shared = ai_answers.shared_key(asked, subject)
    alone = ai_answers.one_at_a_time([ai_answers.digest(user.id, asked), shared], LONGEST_S)
    is_silent = ai.silence(user) is not None
    db.session.commit()  # no transaction is open while a model thinks
    with nullcontext() if is_silent else alone:
        if (kept := ai_answers.answered_before(claim.user_id, asked, shared)) is not None:
            return vibe.grounded(kept, measured).to_dict()
        return _described(claim, measured, subject)


def _described(claim: Claim, measured: dict[str, Any], subject: Subject) -> dict[str, Any]:
    held = ai_answers.reserve(claim.user_id, f"ai:{claim.job_id}:{claim.token[:8]}", subject)
    db.session.commit()
    described = _asked(measured, held) if held is not None else None
    if held is None or described is None:
        return vibe.describe(measured).to_dict()
    ai_answers.settle(held, described)
    return described.to_dict()


def _subject(claim: Claim, content_sha256: str) -> Subject:
    """With the user's own words of the sample that the job is about; an upload has none yet."""
    sample = db.session.get(Sample, claim.sample_id or "")
    if sample is None:
        return Subject(content_sha256, claim.filename)
    return Subject(content_sha256, claim.filename, tuple(sample.tag_names), sample.own_figures)


def _asked(measured: dict[str, Any], held: ai_answers.Reservation) -> vibe.Described | None:
    """None when our own code broke: what was put aside stays, as nobody knows what it has cost."""
    try:
        return vibe.describe(measured, held.ask, server_of(settings()))
    except Exception:
        log.exception("asking a model broke")
        return None
