"""Who is given a kept answer of a model, who may ask one, and what was spent on them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from flask import Flask

from app.ai import answer_cache, budget, cost_estimate
from app.extensions import db
from app.models import AiAnswer, AiCall, SingleFlightLock, Usage, User
from app.models.base import transaction, utcnow

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
PATIENCE_S = 60.0


def keep_answer(user: User, question: str, shared: str, text: str) -> None:
    with transaction() as session:
        found = {"shared_key": shared, "answer": {"text": text}}
        session.add(AiAnswer(user_id=user.id, question=question, **found))


def text_of(user: User, question: str, shared: str = "other words") -> str | None:
    answer = answer_cache.cached_answer(user.id, question, shared)
    return answer["text"] if answer is not None else None


def test_an_answer_is_ones_own_or_to_exactly_the_same_words(owner: User, stranger: User) -> None:
    keep_answer(owner, "one", "words of one", "mine")
    keep_answer(owner, "two", "words of two", "mine too")
    keep_answer(stranger, "one", "words of a stranger", "theirs")
    assert [text_of(owner, name) for name in ("one", "two", "three")] == ["mine", "mine too", None]
    assert [text_of(stranger, name) for name in ("one", "two", "three")] == ["theirs", None, None]
    both = ("one", "two")
    assert answer_cache.answered_questions(stranger.id, both) == {"one"}
    assert answer_cache.answered_questions(owner.id, ["two"]) == {"two"}
    assert text_of(stranger, "two", "words of two") == "mine too"
    assert answer_cache.answered_questions(stranger.id, both) == {*both}


def may_ask(question: str) -> bool:
    """Return whether nobody else is asking this question."""
    with answer_cache.single_flight([question], PATIENCE_S, still_wanted=lambda: False) as is_mine:
        return is_mine


def test_a_question_waits_only_while_the_same_one_is_being_asked(app: Flask) -> None:
    with transaction() as session:
        for name, until in (("expired", utcnow() - SECOND), ("asked elsewhere", utcnow() + DAY)):
            session.add(SingleFlightLock(question=name, asker="another", until=until))
    assert may_ask("expired")
    with answer_cache.single_flight(["asked here"], PATIENCE_S) as is_mine:
        assert is_mine
        names = ("another question", "asked here", "asked elsewhere")
        assert [may_ask(name) for name in names] == [True, False, False]
    assert may_ask("asked here")
    assert not may_ask("asked elsewhere")


def spend(user: User, usd: str, at: datetime, kind: str = "ai", key: str = "ai:job") -> Usage:
    with transaction() as session:
        entry = Usage(user_id=user.id, kind=kind, entry_key=f"{key}:{usd}", quantity=1)
        entry.cost_usd, entry.effective_at = Decimal(usd), at
        session.add(entry)
    return entry


def test_a_budget_counts_what_was_spent_on_models_of_late(owner: User, stranger: User) -> None:
    now = utcnow()
    spend(owner, "0.5", now)
    spend(owner, "2", now - DAY - SECOND)
    spend(owner, "4", now, kind="export")
    spend(stranger, "0.25", now)
    assert budget.spent_usd(DAY, owner.id) == Decimal("0.5")
    assert budget.spent_usd(2 * DAY, owner.id) == Decimal("2.5")
    assert budget.spent_usd(DAY) == Decimal("0.75")


def test_an_estimate_is_made_of_descriptions_that_the_model_gave(owner: User) -> None:
    calls = {
        "0.001": ("maker/one", "answered", "ai:job"),
        "0.003": ("maker/one", "answered", "ai:job"),
        "0.02": ("maker/two", "answered", "ai:job"),
        "0.04": ("maker/one", "timeout", "ai:job"),
        "0.08": ("maker/one", "answered", budget.WORDS_KEY_PREFIX.removesuffix(":")),
    }
    figures = dict.fromkeys(("attempt", "prompt_tokens", "completion_tokens", "latency_ms"), 1)
    figures["is_estimated"] = False
    for usd, (model, outcome, key) in calls.items():
        entry = spend(owner, usd, utcnow(), key=key)
        with transaction() as session:
            session.add(AiCall(usage_id=entry.id, model=model, outcome=outcome, **figures))
    db.session.expire_all()
    models = ("maker/one", "maker/two", "maker/three")
    means = [cost_estimate._recent_mean_usd(model) for model in models]
    assert means == [Decimal("0.002"), Decimal("0.02"), None]
