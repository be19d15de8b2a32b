"""Fixtures of an app with its own fake Stripe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.models import User
from tests.billing.shop import Shop
from tests.fake_stripe.server import FakeStripe


@pytest.fixture
def fake() -> Iterator[FakeStripe]:
    with FakeStripe() as served:
        yield served


@pytest.fixture
def environ(tmp_path: Path, fake: FakeStripe) -> dict[str, str]:
    return fake.settings | {"DATA_DIR": str(tmp_path / "instance"), "SECRET_KEY": "k" * 32}


@pytest.fixture
def shop(app: Flask, fake: FakeStripe, freeloader: User) -> Shop:
    """A producer on the Free plan who is a customer at the fake Stripe."""
    return Shop(app, fake, freeloader)
