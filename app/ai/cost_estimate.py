"""Estimate what it will cost to have models describe some samples, before any model is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select

from app.ai import answer_cache, budget, model_choice
from app.ai.answer_cache import QuestionSubject
from app.extensions import db, settings
from app.integrations.openrouter.chat_client import MICRO_USD, MaxPrice
from app.integrations.openrouter.conversation import request_schema
from app.models import AiCall, Sample, Usage, User
from app.vibe import vibe_prompt
from app.vibe.vibe_schema import answer_model

RECENT_CALLS = 200


@dataclass(frozen=True)
class CostEstimate:
    """The cost of describing some samples. With an `unavailable_reason` no model is asked."""

    unavailable_reason: str | None
    answered: frozenset[str]  # ids of samples with an answer that was paid for before
    models: tuple[str, ...]
    free: int  # samples that a paid answer is used for again
    to_ask: int
    each_usd: Decimal
    is_measured: bool  # from the model's latest calls; otherwise from the length of the question
    each_most_usd: Decimal
    left_usd: Decimal  # what the user's budgets still allow

    @property
    def affordable(self) -> int:
        """How many questions the budgets allow if each costs what is expected.

        Before each one the most it may cost is reserved, so the last one needs that much left.
        """
        if self.left_usd < self.each_most_usd:
            return 0
        if not self.each_usd:
            return self.to_ask
        return min(int((self.left_usd - self.each_most_usd) / self.each_usd) + 1, self.to_ask)

    @property
    def by_rules(self) -> int:
        """How many samples the budgets do not cover, so that rules describe them."""
        return self.to_ask - self.affordable

    @property
    def expected_usd(self) -> Decimal:
        """Return the cost of the affordable questions if each costs what is expected."""
        return self.affordable * self.each_usd

    @property
    def most_usd(self) -> Decimal:
        """The most that can be spent: every question at its limit, and never more than is left."""
        return min(self.to_ask * self.each_most_usd, self.left_usd)


def estimate_cost(user: User, samples: Sequence[Sample]) -> CostEstimate:
    """Estimate the cost of describing samples. Samples with the same bytes share one question."""
    asked = {
        sample.id: answer_cache.question_key(user, QuestionSubject.from_sample(sample)) for sample in samples
    }
    models, reason = model_choice.models_to_ask(user), budget.unavailable_reason(user)
    paid = answer_cache.answered_questions(user.id, asked.values())
    open_questions = set(asked.values()) - paid if reason is None else set()
    measured = _recent_mean_usd(models[0]) if reason is None else None
    most = Decimal(str(settings().vibe_sample_max_usd))
    return CostEstimate(
        unavailable_reason=reason,
        answered=frozenset(sample_id for sample_id, question in asked.items() if question in paid),
        models=models,
        free=len(samples) - len(open_questions) if reason is None else 0,
        to_ask=len(open_questions),
        each_usd=measured if measured is not None else min(_single_question_usd(samples[0]), most),
        is_measured=measured is not None,
        each_most_usd=most,
        left_usd=budget.budget_left_usd(user.id),
    )


def _recent_mean_usd(model: str) -> Decimal | None:
    """Return the mean cost of the model's latest descriptions, for any user; None when there are none."""
    recent = (
        select(Usage.cost_usd)
        .join(AiCall, AiCall.usage_id == Usage.id)
        .where(
            AiCall.model == model,
            AiCall.outcome == "answered",
            ~Usage.entry_key.startswith(budget.WORDS_KEY_PREFIX),
        )
        .order_by(Usage.id.desc())
        .limit(RECENT_CALLS)
        .subquery()
    )
    mean = db.session.scalar(select(func.avg(recent.c.cost_usd)))
    return None if mean is None else Decimal(str(mean)).quantize(MICRO_USD)


def _single_question_usd(sample: Sample) -> Decimal:
    """Return the most that one question costs, answered at the first try at the highest price allowed."""
    config = settings()
    price = MaxPrice(Decimal(str(config.vibe_max_prompt_usd)), Decimal(str(config.vibe_max_completion_usd)))
    measured = sample.corrected_analysis()
    asked = vibe_prompt.build_messages(measured, sample.filename, sample.tag_names)
    return price.max_cost_usd(asked, request_schema(answer_model(measured.kind)))
