"""Calls to models, answers that were paid for, locks on open questions, and the switch for all asking."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, UtcDateTime, utcnow
from app.models.usage import Usage

SWITCH_ID = 1


class AiCall(Model):
    """One call to a model. Its row of the ledger holds what it cost."""

    __tablename__ = "ai_calls"

    usage_id: Mapped[int] = mapped_column(ForeignKey("api_usage.id", ondelete="CASCADE"), primary_key=True)
    model: Mapped[str] = mapped_column(String(120))
    attempt: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(40))
    prompt_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    is_estimated: Mapped[bool]  # the cost was not reported, so the ledger has the most it can have cost
    latency_ms: Mapped[int]
    generation_id: Mapped[str | None] = mapped_column(String(80))

    usage: Mapped[Usage] = relationship()


class AiAnswer(Model):
    """An answer that was paid for. It belongs to its user, whose own words were part of the question."""

    __tablename__ = "ai_answers"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    # A hash of the content, the models and the versions of prompt and schema.
    question: Mapped[str] = mapped_column(String(64), primary_key=True)
    # A hash of everything in the question, the user's words too: another user with exactly the same question
    # may have the answer.
    shared_key: Mapped[str | None] = mapped_column(String(64), index=True)
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


class SingleFlightLock(Model):
    """The lock on a question that is being asked, until it is answered or its asker must be dead."""

    __tablename__ = "ai_asking"

    question: Mapped[str] = mapped_column(String(64), primary_key=True)
    asker: Mapped[str] = mapped_column(String(26), index=True)
    until: Mapped[datetime] = mapped_column(UtcDateTime)


class AiSwitch(Model):
    """One row, locked by every decision about the service's budget. A refused key pauses all asking."""

    __tablename__ = "ai_switch"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_because: Mapped[str | None] = mapped_column(String(200))
