"""What models may cost. The most a description can cost is reserved before anybody is asked, under a lock,
and settled afterwards: so budgets hold for any number of jobs at once, and a crash loses no cost.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from app.billing import ai_choice, quota
from app.extensions import db, settings
from app.integrations import prompt, vibe_schema
from app.integrations.vibe import LOCAL, Ask, Described
from app.models import AiAnswer, AiCall, AiSwitch, Usage, User
from app.models.ai import THE_ONE
from app.models.base import transaction, utcnow
from app.models.usage import AI

log = logging.getLogger(__name__)

DAY, MONTH = timedelta(days=1), timedelta(days=30)
LOCKS = [threading.Lock() for _ in range(64)]
PAUSES = {401: "OpenRouter refused the key (401).", 402: "OpenRouter's credit is used up (402)."}


@dataclass(frozen=True)
class Reservation:
    """Leave to ask, and what is put aside for it."""

    user_id: str
    key: str  # `ai:` and the job's id, and the attempt
    question: str
    shared_key: str
    ask: Ask
    usd: Decimal


def question(user: User, content_sha256: str) -> tuple[str, tuple[str, ...]]:
    """What makes two questions the same one, and the models that may answer it."""
    models = ai_choice.models_for(user)
    parts = (content_sha256, *models, f"p{prompt.PROMPT_VERSION}", f"s{vibe_schema.SCHEMA_VERSION}")
    return _digest(parts), models


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
        return models_for(user)


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


def shared_key(asked: str, name: str, tags: Iterable[str]) -> str:
    """Of a question with the user's words in it: whoever asks exactly this has sent all of it themselves."""
    return _digest([asked, json.dumps([name, *tags])])


@contextmanager
def one_at_a_time(asked: str) -> Iterator[None]:
    """Of the same question twice at once in one process, the second waits for the answer of the first."""
    with LOCKS[int(asked[:8], 16) % len(LOCKS)]:
        yield


def answered_before(user_id: str, asked: str, shared: str) -> dict[str, Any] | None:
    """An answer that costs nothing: the user's own, or that of somebody who asked the very same.

    The latter becomes their own. Nobody else gets a user's answer: it may show their words.
    """
    if (own := db.session.get(AiAnswer, (user_id, asked))) is not None:
        return dict(own.answer)
    same = db.session.scalar(select(AiAnswer.answer).where(AiAnswer.shared_key == shared).limit(1))
    if same is None:
        return None
    with transaction() as session:
        _locked_switch()  # as whoever settles: two jobs don't add the same answer at once
        session.merge(AiAnswer(user_id=user_id, question=asked, shared_key=shared, answer=same))
    return dict(same)


def has_paid(user_id: str, asked: Iterable[str]) -> set[str]:
    """Which of these questions the user has an answer to."""
    own = select(AiAnswer.question).where(AiAnswer.user_id == user_id, AiAnswer.question.in_(asked))
    return set(db.session.scalars(own))


def reserve(
    user_id: str, key: str, content_sha256: str, name: str, tags: tuple[str, ...] = ()
) -> Reservation | None:
    """Put aside the most a description may cost; None when nobody may be asked now."""
    here = settings()
    usd = Decimal(str(here.vibe_sample_max_usd))
    models = put_aside(user_id, key, usd)
    if models is None:
        return None
    asked, _ = question(db.session.get_one(User, user_id), content_sha256)
    prices = (str(here.vibe_max_prompt_usd), str(here.vibe_max_completion_usd))
    ask = Ask(models, prompt.PROMPT_VERSION, str(usd), *prices, name, tags)
    return Reservation(user_id, key, asked, shared_key(asked, name, tags), ask, usd)


def settle(held: Reservation, described: Described) -> None:
    """The reservation given back, a row for each call, and the answer kept when it was a model's."""
    found = {"shared_key": held.shared_key, "answer": described.to_dict()}
    kept = [AiAnswer(user_id=held.user_id, question=held.question, **found)]
    pay(held.user_id, held.key, held.usd, described.calls, kept if described.source != LOCAL else [])


def spent(since: timedelta, user_id: str | None = None) -> Decimal:
    """What was paid or is put aside, of one user or of the whole service."""
    query = select(func.coalesce(func.sum(Usage.cost_usd), 0)).where(
        Usage.kind == AI, Usage.effective_at >= utcnow() - since
    )
    if user_id is not None:
        query = query.where(Usage.user_id == user_id)
    return Decimal(str(db.session.scalar(query)))


def silence(user: User) -> str | None:
    """Why no model is asked for this user, in their words; None when one may be."""
    if not user.ai_allowed:
        return "You have switched models off in the settings."
    if settings().openrouter_api_key is None or not ai_choice.offered(user):
        return "No model is set up here."
    if paused_because() is not None:
        return "Asking is paused until whoever runs this service has mended it."
    return None


def left(user_id: str) -> Decimal:
    """What may still be spent for this user now, by each budget."""
    return max(min(most - spent(since, whose) for since, whose, most in _budgets(user_id)), Decimal(0))


def own_budgets(user_id: str) -> list[tuple[str, Decimal, Decimal]]:
    """What was spent for a user, and what may be."""
    spans = {DAY: "24 hours", MONTH: "30 days"}
    own = [(since, most) for since, whose, most in _budgets(user_id) if whose is not None]
    return [(spans[since], spent(since, user_id), most) for since, most in own]


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
    return all(spent(since, whose) + usd <= most for since, whose, most in _budgets(user_id))


def _budgets(user_id: str) -> list[tuple[timedelta, str | None, Decimal]]:
    here = settings()
    budgets = (
        (DAY, user_id, here.ai_user_day_usd),
        (MONTH, user_id, here.ai_user_month_usd),
        (DAY, None, here.ai_service_day_usd),
        (MONTH, None, here.ai_service_month_usd),
    )
    return [(since, whose, Decimal(str(most))) for since, whose, most in budgets]


def _is_allowed(user: User) -> bool:
    return settings().openrouter_api_key is not None and bool(models_for(user))


def _record(user_id: str, key: str, call: dict[str, Any]) -> None:
    entry = quota.add(user_id, AI, key, 1, cost_usd=Decimal(call["cost_usd"]))
    same = ("model", "attempt", "prompt_tokens", "completion_tokens", "is_estimated", "latency_ms")
    values = {name: call[name] for name in (*same, "generation_id")}
    db.session.add(AiCall(usage_id=entry.id, outcome=call["outcome"][:40], **values))


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
