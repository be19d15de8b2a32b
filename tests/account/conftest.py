"""Provide an account that has a row in every table, and the fake Stripe that it pays through."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app import create_app
from app.config import Settings
from app.extensions import db, limiter
from app.models import User
from tests.account.full_account import (
    EMAIL,
    FullAccount,
    add_customer,
    describe_account,
    environment,
    make_full_account,
)
from tests.fake_stripe.server import FakeStripe
from tests.support import ApiScript, Browser


@pytest.fixture
def stripe() -> Iterator[FakeStripe]:
    with FakeStripe() as served:
        yield served


@pytest.fixture(scope="session")
def full_folder(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """Make the account once; each test gets a copy of its database and store."""
    folder = tmp_path_factory.mktemp("full") / "instance"
    folder.mkdir()
    shutil.copy(migrated, folder / "library.db")
    with FakeStripe() as stripe:
        app = create_app(Settings.from_env(environment(folder, stripe)))
        with app.app_context():
            limiter.reset()
            make_full_account(app, EMAIL, add_customer(stripe.world)["id"])
            db.session.remove()
            db.engine.dispose()
    return folder


@pytest.fixture
def full(app: Flask, stripe: FakeStripe, full_folder: Path) -> FullAccount:
    add_customer(stripe.world)
    data_dir = app.config["SETTINGS"].data_dir
    db.session.remove()
    db.engine.dispose()
    shutil.copytree(full_folder, data_dir, dirs_exist_ok=True)
    user = db.session.scalars(sa.select(User).where(User.email == EMAIL)).one()
    return describe_account(user, Browser(app, user), ApiScript(app, user))
