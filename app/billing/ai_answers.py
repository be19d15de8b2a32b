"""Descriptions that models give: what makes two questions the same, and that none is paid for twice."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app.billing import ai, ai_choice
from app.extensions import db, settings
from app.integrations import prompt, vibe_schema
from app.integrations.vibe import Ask, Described
from app.models import AiAnswer, User
from app.models.base import transaction

LOCKS = [threading.Lock() for _ in range(64)]


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


def shared_key(asked: str, name: str, tags: Iterable[str]) -> str:
    """Of a question with the user's words in it: whoever asks exactly this has sent all of it themselves."""
    return _digest([asked, json.dumps([name, *tags])])


@contextmanager
def one_at_a_time(asked: str) -> Iterator[None]:
    """Of one question put twice at once in one process, the second waits for the answer of the first."""
    with LOCKS[int(asked[:8], 16) % len(LOCKS)]:
        yield


def answered_before(user_id: str, asked: str, shared: str) -> dict[str, Any] | None:
    """What a model said that costs nothing now: to the user, or to somebody who asked the very same.

    The latter becomes their own. Nobody else gets a user's answer: it may show their words.
    """
    if (own := db.session.get(AiAnswer, (user_id, asked))) is not None:
        return dict(own.answer)
    same = db.session.scalar(select(AiAnswer.answer).where(AiAnswer.shared_key == shared).limit(1))
    if same is None:
        return None
    with transaction() as session:
        ai.locked_switch()  # as whoever settles: two jobs don't add the same answer at once
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
    models = ai.put_aside(user_id, key, usd)
    if models is None:
        return None
    asked, _ = question(db.session.get_one(User, user_id), content_sha256)
    prices = (str(here.vibe_max_prompt_usd), str(here.vibe_max_completion_usd))
    ask = Ask(models, prompt.PROMPT_VERSION, str(usd), *prices, name, tags)
    return Reservation(user_id, key, asked, shared_key(asked, name, tags), ask, usd)


def settle(held: Reservation, described: Described) -> None:
    """The reservation given back, a row for each call, and the answer kept when a model gave one."""
    kept = []
    if described.answered is not None:
        found = {"shared_key": held.shared_key, "answer": described.answered}
        kept.append(AiAnswer(user_id=held.user_id, question=held.question, **found))
    ai.pay(held.user_id, held.key, held.usd, described.calls, kept)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
