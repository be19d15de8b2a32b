"""What describing some sounds will cost, told before anybody is asked."""

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
from app.vibe.vibe_schema import Vibe

RECENT_CALLS = 200


@dataclass(frozen=True)
class CostEstimate:
    """`silence` says why no model is asked; then nothing is paid."""

    silence: str | None
    answered: frozenset[str]  # samples whose question was paid for before, asked or not
    models: tuple[str, ...]
    free: int  # have an answer that was paid for before
    to_ask: int
    each_usd: Decimal
    is_measured: bool  # by the model's latest calls; otherwise by the length of the question
    each_most_usd: Decimal
    left_usd: Decimal  # of the budgets

    @property
    def affordable(self) -> int:
        """So many the budgets allow, when each costs what is expected: the most is put aside for each."""
        if self.left_usd < self.each_most_usd:
            return 0
        if not self.each_usd:
            return self.to_ask
        return min(int((self.left_usd - self.each_most_usd) / self.each_usd) + 1, self.to_ask)

    @property
    def by_rules(self) -> int:
        return self.to_ask - self.affordable

    @property
    def expected_usd(self) -> Decimal:
        return self.affordable * self.each_usd

    @property
    def most_usd(self) -> Decimal:
        return min(self.to_ask * self.each_most_usd, self.left_usd)


def estimate_cost(user: User, samples: Sequence[Sample]) -> CostEstimate:
    """Of samples with the same bytes one is asked about, and the others get its answer."""
    asked = {sample.id: answer_cache.question_key(user, QuestionSubject.of(sample)) for sample in samples}
    models, silence = model_choice.models_to_ask(user), budget.unavailable_reason(user)
    paid = answer_cache.answered_questions(user.id, asked.values())
    open_questions = set(asked.values()) - paid if silence is None else set()
    measured = _recent_mean_usd(models[0]) if silence is None else None
    most = Decimal(str(settings().vibe_sample_max_usd))
    return CostEstimate(
        silence=silence,
        answered=frozenset(sample_id for sample_id, question in asked.items() if question in paid),
        models=models,
        free=len(samples) - len(open_questions) if silence is None else 0,
        to_ask=len(open_questions),
        each_usd=measured if measured is not None else min(_single_question_usd(samples[0]), most),
        is_measured=measured is not None,
        each_most_usd=most,
        left_usd=budget.budget_left_usd(user.id),
    )


def _recent_mean_usd(model: str) -> Decimal | None:
    """By its latest descriptions for anybody; None when there are none."""
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
    """The most one question costs that is answered at once, at the highest price a provider may take."""
    here = settings()
    price = MaxPrice(Decimal(str(here.vibe_max_prompt_usd)), Decimal(str(here.vibe_max_completion_usd)))
    asked = vibe_prompt.build_messages(sample.corrected_analysis(), sample.filename, sample.tag_names)
    return price.max_cost_usd(asked, request_schema(Vibe))
