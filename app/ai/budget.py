"""Budgets for asking models: reserve the most a question can cost, then settle what it did cost.

The reservation is made under a lock before a model is asked. So budgets hold however many jobs run at once,
and after a crash the reservation still counts, so that no cost is lost.
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

WORDS_KEY_PREFIX = "ai:words:"  # for words in a search; every other key names a job
DAY, MONTH = timedelta(days=1), timedelta(days=30)
PAUSE_REASONS = {401: "OpenRouter refused the key (401).", 402: "OpenRouter's credit is used up (402)."}


def may_ask(user: User, usd: Decimal) -> bool:
    """Return whether to offer this user a question to a model.

    Only the user's own budgets are looked at here; the service's is checked when they ask.
    """
    return unavailable_reason(user) is None and budget_left_usd(user.id) >= usd


def reserve_budget(user_id: str, key: str, usd: Decimal) -> tuple[str, ...] | None:
    """Reserve the most a question may cost and return the models to ask; None when none may be asked now."""
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
    """Give back the reservation, record what each call cost and keep the answers, in one transaction.

    A call that OpenRouter refused for a reason only an operator can fix pauses all questions to models.
    """
    with transaction() as session:
        switch = lock_switch()
        quota.add_usage(user_id, AI, f"{key}:settled", 0, cost_usd=-usd)
        for number, call in enumerate(calls, start=1):
            _record_call(user_id, f"{key}:{number}", call)
            if call["status"] in PAUSE_REASONS and switch.paused_at is None:
                switch.paused_at, switch.paused_because = utcnow(), PAUSE_REASONS[call["status"]]
                log.error("questions to models are paused: %s", switch.paused_because)
        for answer in answers:
            session.merge(answer)


def spent_usd(since: timedelta, user_id: str | None = None) -> Decimal:
    """Return what was spent or is reserved, by one user or by the whole service."""
    query = select(func.coalesce(func.sum(Usage.cost_usd), 0)).where(
        Usage.kind == AI, Usage.effective_at >= utcnow() - since
    )
    if user_id is not None:
        query = query.where(Usage.user_id == user_id)
    return Decimal(str(db.session.scalar(query)))


def has_models(user: User) -> bool:
    """Return whether there is a model to ask for this user, whether or not they want one."""
    return settings().openrouter_api_key is not None and bool(model_choice.offered_models(user))


def unavailable_reason(user: User) -> str | None:
    """Return the sentence that tells this user why no model is asked, or None when one may be."""
    if not user.ai_allowed:
        return "You have turned AI off in Settings > AI."
    if not has_models(user):
        return "AI is not set up on this server."
    if pause_reason() is not None:
        return "AI is paused until the people who run this service fix a problem."
    return None


def budget_left_usd(user_id: str) -> Decimal:
    """Return what may still be spent for this user by their own budgets.

    The service's budget is left out: a user should not be able to read it from this figure.
    """
    return max(min(limit - used for _, used, limit in user_budgets(user_id)), Decimal(0))


def user_budgets(user_id: str) -> list[tuple[str, Decimal, Decimal]]:
    """Return each of the user's budgets: its span in words, what was spent in it, and its limit."""
    spans = {DAY: "24 hours", MONTH: "30 days"}
    own = [(since, limit) for since, budget_user_id, limit in _budgets(user_id) if budget_user_id is not None]
    return [(spans[since], spent_usd(since, user_id), limit) for since, limit in own]


def pause_reason() -> str | None:
    """Return why an operator has to act before models are asked again, or None when they are not paused."""
    return db.session.scalar(select(AiSwitch.paused_because).where(AiSwitch.paused_at.is_not(None)))


def resume_asking() -> None:
    """Let models be asked again after a pause."""
    with transaction():
        switch = lock_switch()
        switch.paused_at = switch.paused_because = None


def lock_switch() -> AiSwitch:
    """Lock and return the one row that every decision about budgets and locks goes through."""
    found: AiSwitch = db.session.scalars(
        select(AiSwitch)
        .where(AiSwitch.id == SWITCH_ID)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    return found


def _fits_budgets(user_id: str, usd: Decimal) -> bool:
    """Return whether this much more stays within every budget of the user and of the service."""
    return all(
        spent_usd(since, budget_user_id) + usd <= limit for since, budget_user_id, limit in _budgets(user_id)
    )


def _budgets(user_id: str) -> list[tuple[timedelta, str | None, Decimal]]:
    """Return each budget's span, its user (None for the whole service) and its limit in US dollars."""
    config = settings()
    budgets = (
        (DAY, user_id, config.ai_user_day_usd),
        (MONTH, user_id, config.ai_user_month_usd),
        (DAY, None, config.ai_service_day_usd),
        (MONTH, None, config.ai_service_month_usd),
    )
    return [(since, budget_user_id, Decimal(str(limit))) for since, budget_user_id, limit in budgets]


def _record_call(user_id: str, key: str, call: dict[str, Any]) -> None:
    """Add a call to a model to the ledger, with its cost, and what is known of it beside that row."""
    entry = quota.add_usage(user_id, AI, key, 1, cost_usd=Decimal(call["cost_usd"]))
    same = ("model", "attempt", "prompt_tokens", "completion_tokens", "is_estimated", "latency_ms")
    values = {name: call[name] for name in (*same, "generation_id")}
    db.session.add(AiCall(usage_id=entry.id, outcome=call["outcome"][:40], **values))
