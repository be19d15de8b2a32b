"""Test the base of all models: times in UTC, write transactions that lose nothing, rebuilt tables."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from flask import Flask
from sqlalchemy import func, select

from app.extensions import db
from app.models import Usage, User
from app.models.base import foreign_keys_off, new_id, transaction


def test_a_time_comes_back_as_the_same_moment_in_utc(app: Flask, owner: User) -> None:
    noon = datetime(2026, 3, 29, 12, tzinfo=timezone(timedelta(hours=2)))
    with transaction():
        owner.email_verified_at = noon
    db.session.expire_all()
    assert owner.email_verified_at == noon
    assert owner.email_verified_at.tzinfo == UTC


def test_a_time_without_its_zone_is_refused(app: Flask, owner: User) -> None:
    with pytest.raises(sa.exc.StatementError, match="a time needs its zone"), transaction():
        owner.email_verified_at = datetime(2026, 3, 29, 12)  # noqa: DTZ001 - that is the mistake


def test_no_update_is_lost_between_reading_and_writing(app: Flask, owner: User) -> None:
    """Eight threads each read a counter and write it back one higher."""
    user_id = owner.id

    def raise_by_one() -> None:
        with app.app_context(), transaction():
            user = db.session.get_one(User, user_id)
            user.session_epoch += 1

    threads = [threading.Thread(target=raise_by_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.commit()
    assert owner.session_epoch == 8


def test_a_transaction_that_fails_leaves_nothing(app: Flask, owner: User) -> None:
    twice = [Usage(user_id=owner.id, kind="upload", entry_key="x", quantity=1) for _ in range(2)]
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.add_all(twice)
    assert db.session.scalar(select(func.count()).select_from(Usage)) == 0


def test_rebuilding_a_table_keeps_what_refers_to_it(app: Flask, owner: User) -> None:
    with transaction() as session:
        session.add(Usage(user_id=owner.id, kind="upload", entry_key="x", quantity=1))
    db.session.remove()
    with db.engine.connect() as connection, foreign_keys_off(connection):
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("users", recreate="always") as batch:
            batch.add_column(sa.Column("nickname", sa.String(20)))
        connection.commit()
    assert db.session.scalar(select(func.count()).select_from(Usage)) == 1
    assert db.session.scalar(sa.text("PRAGMA foreign_keys")) == 1


def test_ids_sort_by_time() -> None:
    ids = [new_id() for _ in range(3)]
    assert len(set(ids)) == 3
    assert all(len(made) == 26 for made in ids)
