"""AI settings: whether a model may describe samples, which one, and what was spent."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from app.ai import budget, model_choice
from app.extensions import db, settings
from app.models import Usage, User
from app.models.base import transaction
from tests.support import Browser

LARGE, SMALL = "qwen/qwen3-235b-a22b-2507", "qwen/qwen3-8b"


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | {"OPENROUTER_API_KEY": "sk-or-test"}


def page(browser: Browser) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", browser.get("/settings/ai").text))


def test_the_chosen_model_is_asked_first(as_owner: Browser, owner: User) -> None:
    assert model_choice.models_to_ask(owner) == (LARGE, SMALL)
    assert as_owner.post("/settings/ai", ai_allowed="y", ai_model=SMALL).status_code == 303
    db.session.refresh(owner)
    assert model_choice.models_to_ask(owner) == (SMALL, LARGE)
    assert f'<option selected value="{SMALL}">' in as_owner.get("/settings/ai").text


def test_switching_models_off_keeps_the_choice(as_owner: Browser, owner: User) -> None:
    as_owner.post("/settings/ai", ai_model=SMALL)
    db.session.refresh(owner)
    assert (model_choice.models_to_ask(owner), owner.ai_model) == ((), SMALL)
    assert "You have turned AI off" in page(as_owner)
    as_owner.post("/settings/ai", ai_allowed="y", ai_model=SMALL)
    db.session.refresh(owner)
    assert model_choice.models_to_ask(owner) == (SMALL, LARGE)


def test_a_model_outside_the_plan_is_rejected(as_owner: Browser, owner: User) -> None:
    assert as_owner.post("/settings/ai", ai_allowed="y", ai_model="dear/model").status_code == 422
    db.session.refresh(owner)
    assert owner.ai_model is None


def test_a_smaller_plan_ignores_the_choice_but_keeps_it(as_freeloader: Browser, freeloader: User) -> None:
    with transaction():
        freeloader.ai_model = LARGE
    assert model_choice.models_to_ask(freeloader) == (SMALL,)
    assert f"The AI model of the Free plan is {SMALL}." in page(as_freeloader)
    as_freeloader.post("/settings/ai", ai_allowed="y")
    db.session.refresh(freeloader)
    assert freeloader.ai_model == LARGE


def test_the_page_says_what_was_spent_and_what_is_sent(
    as_owner: Browser, owner: User, stranger: User
) -> None:
    with transaction() as session:
        for number, (user, dollars) in enumerate(((owner, "0.25"), (stranger, "0.5"))):
            entry = {"kind": "ai", "entry_key": f"ai:{number}", "quantity": 1}
            session.add(Usage(user_id=user.id, cost_usd=Decimal(dollars), **entry))
    shown = page(as_owner)
    assert "In the last 24 hours $0.25 of $1.00" in shown
    assert "In the last 30 days $0.25 of $5.00" in shown
    assert "It never gets the audio." in shown


def test_a_pause_is_shown_without_its_reason(as_owner: Browser, owner: User) -> None:
    assert budget.unavailable_reason(owner) is None
    with transaction():
        switch = budget.lock_switch()
        switch.paused_at, switch.paused_because = owner.created_at, "OpenRouter refused the key (401)."
    assert "AI is paused until the people who run this service fix a problem." in page(as_owner)
    assert "401" not in page(as_owner)


def test_the_page_begins_with_why_no_model_is_asked(as_owner: Browser, owner: User) -> None:
    assert "rules describe your samples" not in page(as_owner).lower()
    as_owner.post("/settings/ai", ai_model=SMALL)
    told = page(as_owner).partition("Let AI describe")[0]
    assert "You have turned AI off in Settings &gt; AI. The built-in rules describe your samples" in told


class TestWithoutAKey:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return environ | {"OPENROUTER_API_KEY": ""}

    def test_the_page_says_so_and_hides_what_needs_a_model(self, as_owner: Browser) -> None:
        told, _, rest = page(as_owner).partition("Let AI describe my samples")
        assert "AI is not set up on this server. The built-in rules describe your samples" in told
        assert "This is free" in told
        assert "OPENROUTER_API_KEY=sk-or-… make run" in told
        assert "Save" in rest
        assert "Preferred AI model" not in rest
        assert "AI spending on your samples" not in rest

    def test_models_can_be_switched_off_before_there_is_one(self, as_owner: Browser, owner: User) -> None:
        as_owner.post("/settings/ai", ai_allowed="y")
        db.session.refresh(owner)
        assert owner.ai_allowed
        assert as_owner.post("/settings/ai").status_code == 303
        db.session.refresh(owner)
        assert not owner.ai_allowed
        assert "AI is not set up on this server." in page(as_owner)

    def test_what_was_spent_while_there_was_one_is_shown(self, as_owner: Browser, owner: User) -> None:
        with transaction() as session:
            entry = {"kind": "ai", "entry_key": "ai:1", "quantity": 1}
            session.add(Usage(user_id=owner.id, cost_usd=Decimal("0.25"), **entry))
        assert "In the last 30 days $0.25 of $5.00" in page(as_owner)

    def test_a_deployment_does_not_tell_its_users_how_it_is_started(
        self, as_owner: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(type(settings()), "embedded", False)
        assert "OPENROUTER_API_KEY" not in page(as_owner)
