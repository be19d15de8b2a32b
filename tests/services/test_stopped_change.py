"""Changing an address, and stopping that from the old one at the same moment, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select

from app import create_app
from app.auth import accounts, address_change
from app.auth.requesters import Requester
from app.config import Settings
from app.extensions import db
from app.models import MailLink
from app.models.user_session import CHANGE, STOP
from app.notify import signed_tokens
from tests.support import PASSWORD

SECRET = "a secret for tests, long enough to be taken"
ROUNDS = 4


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    values = {"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET}
    if request.param == "PostgreSQL":
        values["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    app = create_app(Settings.from_env(values))
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        upgrade()
        yield app
        db.session.remove()
        db.engine.dispose()


def test_a_stop_wins_over_a_change_at_the_same_moment(served: Flask) -> None:
    for number in range(ROUNDS):
        old = f"owner{number}@example.com"
        user = accounts.register_user(old, PASSWORD, "UTC")
        address_change.request_email_change(user, f"thief{number}@example.com", Requester("", ""))
        paths = [f"/confirm-change/{_token(user.id, CHANGE)}", f"/stop-change/{_token(user.id, STOP)}"]
        db.session.commit()
        statuses = _post_at_once(served, paths)
        db.session.refresh(user)
        assert user.email == old, statuses
        assert statuses[1] == 303
        assert statuses[0] in (303, 404)
        assert accounts.authenticate(old, PASSWORD) is None
        assert accounts.authenticate(f"thief{number}@example.com", PASSWORD) is None


def _token(user_id: str, purpose: str) -> str:
    own = select(MailLink).where(MailLink.user_id == user_id, MailLink.purpose == purpose)
    return signed_tokens.link_token(db.session.scalars(own).one())


def _post_at_once(app: Flask, paths: list[str]) -> list[int]:
    barrier, statuses = Barrier(len(paths)), [0] * len(paths)

    def post(place: int) -> None:
        client = app.test_client()
        barrier.wait(10)
        statuses[place] = client.post(paths[place]).status_code

    threads = [Thread(target=post, args=(place,)) for place in range(len(paths))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return statuses
