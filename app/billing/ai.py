"""What models may cost. The most a description can cost is reserved before anybody is asked, under a lock,
and settled afterwards: so budgets hold for any number of jobs at once, and a crash loses no cost.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from app.billing import plans, quota
from app.extensions import db, settings
from app.integrations import prompt, vibe_schema
from app.integrations.vibe import LOCAL, Ask, Described
from app.models import AiAnswer, AiCall, AiSwitch, Usage, User
from app.models.ai import THE_ONE
from app.models.base import transaction, utcnow
from app.models.usage import AI

log = logging.getLogger(__name__)

DAY, MONTH = timedelta(days=1), timedelta(days=30)
PAUSES = {401: "OpenRouter refused the key (401).", 402: "OpenRouter's credit is used up (402)."}


@dataclass(frozen=True)
class Reservation:
    """Leave to ask, and what is put aside for it."""

    user_id: str
    key: str  # `ai:` and the job's id, and the attempt
    question: str
    ask: Ask
    usd: Decimal


def question(user: User, content_sha256: str) -> tuple[str, tuple[str, ...]]:
    """What makes two questions the same one, and the models of the user's plan."""
    models = models_of(user)
    parts = (content_sha256, *models, f"p{prompt.PROMPT_VERSION}", f"s{vibe_schema.SCHEMA_VERSION}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest(), models


def models_of(user: User) -> tuple[str, ...]:
    """The models of the user's plan, the first to ask first."""
    chosen: str = getattr(settings(), plans.for_user(user).models)
    return tuple(name.strip() for name in chosen.split(",") if name.strip())


def may_ask(user: User, usd: Decimal) -> bool:
    """Whether somebody's question could be put to a model now; nothing is put aside by looking."""
    return _is_allowed(user) and paused_because() is None and _has_room(user.id, usd)


def put_aside(user_id: str, key: str, usd: Decimal) -> tuple[str, ...] | None:
    """Put aside the most a question may cost; the models to ask, or None when nobody may be asked now."""
    with transaction() as session:
        if _locked_switch().paused_at is not None:
            return None
        user = session.get_one(User, user_id)
        if not _is_allowed(user) or not _has_room(user_id, usd):
            return None
        quota.add(user_id, AI, f"{key}:reserved", 0, cost_usd=usd)
        return models_of(user)


def pay(
    user_id: str, key: str, usd: Decimal, calls: list[dict[str, Any]], answers: Iterable[AiAnswer]
) -> None:
    """What was put aside given back, a row for each call, and the answers kept; all or nothing."""
    with transaction() as session:
        switch = _locked_switch()
        quota.add(user_id, AI, f"{key}:settled", 0, cost_usd=-usd)
        for number, call in enumerate(calls, start=1):
            _record(user_id, f"{key}:{number}", call)
            if call["status"] in PAUSES and switch.paused_at is None:
                switch.paused_at, switch.paused_because = utcnow(), PAUSES[call["status"]]
                log.error("no model is asked any more: %s", switch.paused_because)
        for answer in answers:
            session.merge(answer)


def paid_already(user_id: str, asked: str) -> dict[str, Any] | None:
    """The answer this user has paid for. Nobody gets another user's: it may show their file name."""
    found = db.session.get(AiAnswer, (user_id, asked))
    return dict(found.answer) if found is not None else None


def reserve(user_id: str, key: str, content_sha256: str, name: str) -> Reservation | None:
    """Put aside the most a description may cost; None when nobody may be asked now."""
    here = settings()
    usd = Decimal(str(here.vibe_sample_max_usd))
    models = put_aside(user_id, key, usd)
    if models is None:
        return None
    asked, _ = question(db.session.get_one(User, user_id), content_sha256)
    prices = (str(here.vibe_max_prompt_usd), str(here.vibe_max_completion_usd))
    return Reservation(user_id, key, asked, Ask(models, prompt.PROMPT_VERSION, str(usd), *prices, name), usd)


def settle(held: Reservation, described: Described) -> None:
    """The reservation given back, a row for each call, and the answer kept when it was a model's."""
    answer = AiAnswer(user_id=held.user_id, question=held.question, answer=described.to_dict())
    kept = [answer] if described.source != LOCAL else []
    pay(held.user_id, held.key, held.usd, described.calls, kept)


def spent(since: timedelta, user_id: str | None = None) -> Decimal:
    """What was paid or is put aside, of one user or of the whole service."""
    query = select(func.coalesce(func.sum(Usage.cost_usd), 0)).where(
        Usage.kind == AI, Usage.effective_at >= utcnow() - since
    )
    if user_id is not None:
        query = query.where(Usage.user_id == user_id)
    return Decimal(str(db.session.scalar(query)))


def paused_because() -> str | None:
    """Why no model is asked, when an operator has to do something about it."""
    return db.session.scalar(select(AiSwitch.paused_because).where(AiSwitch.paused_at.is_not(None)))


def resume() -> None:
    with transaction():
        switch = _locked_switch()
        switch.paused_at = switch.paused_because = None


def _locked_switch() -> AiSwitch:
    found: AiSwitch = db.session.scalars(
        select(AiSwitch)
        .where(AiSwitch.id == THE_ONE)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    return found


def _has_room(user_id: str, usd: Decimal) -> bool:
    here = settings()
    budgets = (
        (DAY, user_id, here.ai_user_day_usd),
        (MONTH, user_id, here.ai_user_month_usd),
        (DAY, None, here.ai_service_day_usd),
        (MONTH, None, here.ai_service_month_usd),
    )
    return all(spent(since, whose) + usd <= Decimal(str(most)) for since, whose, most in budgets)


def _is_allowed(user: User) -> bool:
    return settings().openrouter_api_key is not None and user.ai_allowed and bool(models_of(user))


def _record(user_id: str, key: str, call: dict[str, Any]) -> None:
    entry = quota.add(user_id, AI, key, 1, cost_usd=Decimal(call["cost_usd"]))
    same = ("model", "attempt", "prompt_tokens", "completion_tokens", "is_estimated", "latency_ms")
    values = {name: call[name] for name in (*same, "generation_id")}
    db.session.add(AiCall(usage_id=entry.id, outcome=call["outcome"][:40], **values))
