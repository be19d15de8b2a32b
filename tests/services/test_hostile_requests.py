"""On PostgreSQL, which rejects NUL and large numbers in values, nothing answers 5xx whatever is sent."""

from __future__ import annotations

import pytest
from flask import Flask

from app.auth import accounts
from app.extensions import limiter
from app.models import Subscription, User
from app.models.base import transaction
from tests import hostile_forms
from tests.api import hostile
from tests.support import PASSWORD, ApiScript, Browser, finished_job, kick

pytestmark = pytest.mark.services


@pytest.fixture
def producer(postgres_app: Flask, monkeypatch: pytest.MonkeyPatch) -> User:
    monkeypatch.setattr(limiter, "enabled", False)
    user = accounts.register_user("owner@example.com", PASSWORD, "UTC")
    with transaction():
        user.subscription = Subscription(plan="pro", status="active")
    return user


def test_every_operation_answers_as_documented_whatever_is_sent(postgres_app: Flask, producer: User) -> None:
    sample_id = finished_job(Browser(postgres_app, producer), "kick.wav", kick()).id
    share = min(hostile.SHARE / 2, 1)
    statuses = hostile.walk(ApiScript(postgres_app, producer), sample_id, share)
    assert sum(statuses.values()) > 2000 * share


def test_no_page_breaks_whatever_its_form_is_sent(postgres_app: Flask, producer: User) -> None:
    share = min(hostile.SHARE / 4, 1)
    statuses = hostile_forms.walk(postgres_app, producer, share)
    assert sum(statuses.values()) > 5000 * share
