"""What models may cost. The most a question can cost is put aside before anybody is asked, under a lock, and
paid afterwards: so budgets hold for any number of jobs at once, and a crash loses no cost.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from app.ai import model_choice
from app.billing import quota
from app.extensions import db, settings
from app.models import AiAnswer, AiCall, AiSwitch, Usage, User
from app.models.ai_calls import SWITCH_ID
from app.models.base import transaction, utcnow
from app.models.usage import AI

log = logging.getLogger(__name__)

WORDS_KEY_PREFIX = "ai:words:"  # what a search asked about; the other keys name a job
DAY, MONTH = timedelta(days=1), timedelta(days=30)
PAUSE_REASONS = {401: "OpenRouter refused the key (401).", 402: "OpenRouter's credit is used up (402)."}


def may_ask(user: User, usd: Decimal) -> bool:
    """Whether to offer somebody to ask a model. The service's budget decides when they do."""
    return unavailable_reason(user) is None and budget_left_usd(user.id) >= usd


def reserve_budget(user_id: str, key: str, usd: Decimal) -> tuple[str, ...] | None:
    """Put aside the most a question may cost; the models to ask, or None when nobody may be asked now."""
    with transaction() as session:
        if lock_switch().paused_at is not None:
            return None
        user = session.get_one(User, user_id)
        if not (user.ai_allowed and has_models(user)) or not _fits_budgets(user_id, usd):
            return None
        quota.add_usage(user_id, AI, f"{key}:reserved", 0, cost_usd=usd)
        return model_choice.models_to_ask(user)


def settle_budget(
    user_id: str, key: str, usd: Decimal, calls: list[dict[str, Any]], answers: Iterable[AiAnswer]
) -> None:
    """What was put aside given back, a row for each call, and the answers kept; all or nothing."""
    with transaction() as session:
        switch = lock_switch()
        quota.add_usage(user_id, AI, f"{key}:settled", 0, cost_usd=-usd)
        for number, call in enumerate(calls, start=1):
            _record_call(user_id, f"{key}:{number}", call)
            if call["status"] in PAUSE_REASONS and switch.paused_at is None:
                switch.paused_at, switch.paused_because = utcnow(), PAUSE_REASONS[call["status"]]
                log.error("no model is asked any more: %s", switch.paused_because)
        for answer in answers:
            session.merge(answer)


def spent_usd(since: timedelta, user_id: str | None = None) -> Decimal:
    """What was paid or is put aside, of one user or of the whole service."""
    query = select(func.coalesce(func.sum(Usage.cost_usd), 0)).where(
        Usage.kind == AI, Usage.effective_at >= utcnow() - since
    )
    if user_id is not None:
        query = query.where(Usage.user_id == user_id)
    return Decimal(str(db.session.scalar(query)))


def has_models(user: User) -> bool:
    """There is somebody to ask for this user, whether they want it or not."""
    return settings().openrouter_api_key is not None and bool(model_choice.offered_models(user))


def unavailable_reason(user: User) -> str | None:
    """Why no model is asked for this user, in their words; None when one may be."""
    if not user.ai_allowed:
        return "You have switched models off in the settings."
    if not has_models(user):
        return "No model is set up here."
    if pause_reason() is not None:
        return "Asking is paused until whoever runs this service has mended it."
    return None


def budget_left_usd(user_id: str) -> Decimal:
    """What may still be spent for this user, by their own budgets: the service's is nobody's business."""
    return max(min(most - used for _, used, most in user_budgets(user_id)), Decimal(0))


def user_budgets(user_id: str) -> list[tuple[str, Decimal, Decimal]]:
    """What was spent for a user, and what may be."""
    spans = {DAY: "24 hours", MONTH: "30 days"}
    own = [(since, most) for since, whose, most in _budgets(user_id) if whose is not None]
    return [(spans[since], spent_usd(since, user_id), most) for since, most in own]


def pause_reason() -> str | None:
    """Why no model is asked, when an operator has to do something about it."""
    return db.session.scalar(select(AiSwitch.paused_because).where(AiSwitch.paused_at.is_not(None)))


def resume_asking() -> None:
    with transaction():
        switch = lock_switch()
        switch.paused_at = switch.paused_because = None


def lock_switch() -> AiSwitch:
    found: AiSwitch = db.session.scalars(
        select(AiSwitch)
        .where(AiSwitch.id == SWITCH_ID)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    return found


def _fits_budgets(user_id: str, usd: Decimal) -> bool:
    return all(spent_usd(since, whose) + usd <= most for since, whose, most in _budgets(user_id))


def _budgets(user_id: str) -> list[tuple[timedelta, str | None, Decimal]]:
    here = settings()
    budgets = (
        (DAY, user_id, here.ai_user_day_usd),
        (MONTH, user_id, here.ai_user_month_usd),
        (DAY, None, here.ai_service_day_usd),
        (MONTH, None, here.ai_service_month_usd),
    )
    return [(since, whose, Decimal(str(most))) for since, whose, most in budgets]


def _record_call(user_id: str, key: str, call: dict[str, Any]) -> None:
    entry = quota.add_usage(user_id, AI, key, 1, cost_usd=Decimal(call["cost_usd"]))
    same = ("model", "attempt", "prompt_tokens", "completion_tokens", "is_estimated", "latency_ms")
    values = {name: call[name] for name in (*same, "generation_id")}
    db.session.add(AiCall(usage_id=entry.id, outcome=call["outcome"][:40], **values))
