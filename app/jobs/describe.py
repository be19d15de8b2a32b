"""The step that finds words: within the budgets, kept, and never the reason that a job fails."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import select

from app.billing import ai_answers
from app.extensions import db, settings
from app.integrations import vibe
from app.integrations.openrouter import server_of
from app.jobs.claim import Claim
from app.models import Tag, User

log = logging.getLogger(__name__)


def sound(claim: Claim, measured: dict[str, Any]) -> dict[str, Any]:
    """A description by the plan's model where that may be asked, otherwise by rules."""
    user = db.session.get_one(User, claim.user_id)
    content_sha256 = claim.content_sha256 or str(measured["file_sha256"])
    asked, _ = ai_answers.question(user, content_sha256)
    tags = _tags(claim)
    db.session.commit()  # no transaction is open while a model thinks
    with ai_answers.one_at_a_time(asked):
        shared = ai_answers.shared_key(asked, claim.filename, tags)
        if (kept := ai_answers.answered_before(claim.user_id, asked, shared)) is not None:
            return vibe.grounded(kept, measured).to_dict()
        return _described(claim, measured, content_sha256, tags)


def _described(
    claim: Claim, measured: dict[str, Any], content_sha256: str, tags: tuple[str, ...]
) -> dict[str, Any]:
    key = f"ai:{claim.job_id}:{claim.token[:8]}"
    held = ai_answers.reserve(claim.user_id, key, content_sha256, claim.filename, tags)
    db.session.commit()
    described = _asked(measured, held) if held is not None else None
    if held is None or described is None:
        return vibe.describe(measured).to_dict()
    ai_answers.settle(held, described)
    return described.to_dict()


def _tags(claim: Claim) -> tuple[str, ...]:
    """The user's own, of the sample that the job is about; an upload has none yet."""
    of_sample = select(Tag.name).where(Tag.sample_id == claim.sample_id).order_by(Tag.name)
    return tuple(db.session.scalars(of_sample))


def _asked(measured: dict[str, Any], held: ai_answers.Reservation) -> vibe.Described | None:
    """None when our own code broke: what was put aside stays, as nobody knows what it has cost."""
    try:
        return vibe.describe(measured, held.ask, server_of(settings()))
    except Exception:
        log.exception("asking a model broke")
        return None
