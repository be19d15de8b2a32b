"""What was asked of models: each call, each answer that was paid for, and whether the service asks at all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, UtcDateTime, utcnow
from app.models.usage import Usage

SWITCH_ID = 1


class AiCall(Model):
    """One call, beside its row of the ledger, which holds what it cost."""

    __tablename__ = "ai_calls"

    usage_id: Mapped[int] = mapped_column(ForeignKey("api_usage.id", ondelete="CASCADE"), primary_key=True)
    model: Mapped[str] = mapped_column(String(120))
    attempt: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(40))
    prompt_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    is_estimated: Mapped[bool]  # nobody said what it cost: the most it can have
    latency_ms: Mapped[int]
    generation_id: Mapped[str | None] = mapped_column(String(80))

    usage: Mapped[Usage] = relationship()


class AiAnswer(Model):
    """An answer that was paid for. It is its owner's: their own words were part of the question."""

    __tablename__ = "ai_answers"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    # Of the content, the models and the versions of prompt and schema.
    question: Mapped[str] = mapped_column(String(64), primary_key=True)
    # Of everything that was asked, the user's own words too: whoever asks exactly this may have the answer.
    shared_key: Mapped[str | None] = mapped_column(String(64), index=True)
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


class SingleFlightLock(Model):
    """A question that is being asked right now, until it is answered or its asker must be dead."""

    __tablename__ = "ai_asking"

    question: Mapped[str] = mapped_column(String(64), primary_key=True)
    asker: Mapped[str] = mapped_column(String(26), index=True)
    until: Mapped[datetime] = mapped_column(UtcDateTime)


class AiSwitch(Model):
    """One row: whoever decides about the service's budget locks it, and an operator's trouble stops all."""

    __tablename__ = "ai_switch"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_because: Mapped[str | None] = mapped_column(String(200))
