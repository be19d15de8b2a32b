"""Fixtures of the tests of accounts."""

from __future__ import annotations

import re

import pytest

from app.models import User
from tests.auth.codes import code_of, forget_last_code
from tests.support import Browser


@pytest.fixture
def codes(as_owner: Browser, owner: User) -> list[str]:
    """Turn the second step on, and return the recovery codes."""
    as_owner.get("/settings/two-factor")
    answer = as_owner.post("/settings/two-factor", code=code_of(owner))
    assert answer.status_code == 201, answer.text
    forget_last_code(owner)
    return re.findall(r"<code>(\w{4}-\w{4}-\w{4})</code>", answer.text)


@pytest.fixture
def no_mail_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the pause that hides whether a mail is sent."""
    monkeypatch.setattr("app.auth.sign_in_views.MIN_MAILING_S", 0)
    monkeypatch.setattr("app.auth.routes.MIN_MAILING_S", 0)
