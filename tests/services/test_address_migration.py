"""Addresses of earlier versions get today's spelling, on both databases, and nobody loses an account."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, upgrade

from app import create_app
from app.config import Settings
from app.extensions import db
from app.models.user_lookup import find_user

SECRET = "a secret for tests, long enough to be taken"
# id and creation minute, the address an earlier version stored, and today's
ACCOUNTS = [
    ("01", "plain@example.com", "plain@example.com"),
    ("02", "demo@localhost", "demo@localhost"),
    ("03", "a@bücher.example", "a@xn--bcher-kva.example"),
    ("04", "b@bu\u0308cher.example", "b@xn--bcher-kva.example"),
    ("05", "c@bücher。example", "c@xn--bcher-kva.example"),
    ("06", "d@xn--bcher-kva.example", "d@xn--bcher-kva.example"),
    # Two accounts of one address: the one that has today's spelling keeps it, whichever is older.
    ("07", "e@bücher.example", "e@bücher.example"),
    ("08", "e@xn--bcher-kva.example", "e@xn--bcher-kva.example"),
    # None has it: the older one gets it.
    ("09", "f@bücher.example", "f@xn--bcher-kva.example"),
    ("10", "f@bücher。example", "f@bücher。example"),
    ("11", "nonsense", "nonsense"),
]


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def empty_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    values = {"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET}
    if request.param == "PostgreSQL":
        values["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    app = create_app(Settings.from_env(values))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def test_addresses_get_one_spelling(empty_app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    upgrade(revision="0016")
    with db.engine.begin() as connection:
        for user_id, old, _ in ACCOUNTS:
            _insert_user(connection, user_id, old)
    for _ in range(2):  # again after going back
        with caplog.at_level(logging.WARNING, "alembic.runtime.migration"):
            caplog.clear()
            upgrade()
        warned = [record.getMessage() for record in caplog.records if "two spellings" in record.getMessage()]
        assert [text.partition(" have")[0] for text in warned] == ["accounts 08 and 07", "accounts 09 and 10"]
        for user_id, old, new in ACCOUNTS:
            user = find_user(old)
            assert user is not None
            assert (user.id, user.email) == (user_id, new)
        db.session.remove()
        downgrade(revision="0016")


def test_the_previous_version_writes_into_the_new_schema(empty_app: Flask) -> None:
    upgrade()
    now = "2026-01-02 03:04:05"
    with db.engine.begin() as connection:
        _insert_user(connection, "01", "a@bücher.example")
        row = {"id": "1", "user_id": "01", "purpose": "change", "email": "b@bücher.example"}
        marks = sa.text(
            "INSERT INTO mail_links (id, user_id, purpose, email, expires_at, created_at) "
            f"VALUES (:id, :user_id, :purpose, :email, '{now}', '{now}')"
        )
        connection.execute(marks, row)
    found = find_user("a@bücher.example")
    assert found is not None, "what the previous version stores meanwhile is found by its own spelling"


def _insert_user(connection: sa.Connection, user_id: str, email: str) -> None:
    at = f"2026-01-02 03:{user_id}:00"
    connection.execute(
        sa.text(
            "INSERT INTO users (id, email, is_admin, timezone, key_notation, autoplay, mail_on_completion, "
            "session_epoch, created_at) "
            f"VALUES (:id, :email, false, 'UTC', 'musical', true, true, 0, '{at}')"
        ),
        {"id": user_id, "email": email},
    )
