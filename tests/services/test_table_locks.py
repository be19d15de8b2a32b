"""A migration that has to wait for its tables holds up nobody who writes to them."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade

from app.extensions import db

pytestmark = pytest.mark.services
# What an autovacuum holds for as long as it takes. A migration's triggers and columns have to wait for it.
AS_AUTOVACUUM = "LOCK TABLE samples IN SHARE UPDATE EXCLUSIVE MODE"
WRITE = "UPDATE samples SET name = name"
BEFORE, REVISION = "0034", "0035"  # which adds columns to `samples` and makes its trigger again
BUSY_S = 6.0


def test_writers_do_not_wait_with_a_migration(postgres_app: Flask, postgres_url: str) -> None:
    downgrade(revision=BEFORE)
    db.session.remove()
    with psycopg.connect(postgres_url) as busy, psycopg.connect(postgres_url, autocommit=True) as writer:
        busy.execute(AS_AUTOVACUUM)
        release = threading.Timer(BUSY_S, busy.rollback)
        migration = threading.Thread(target=_migrate, args=(postgres_app,))
        waits: list[float] = []
        release.start()
        migration.start()
        while migration.is_alive():
            began = time.monotonic()
            writer.execute(WRITE)
            waits.append(time.monotonic() - began)
            time.sleep(0.01)
        migration.join()
        release.join()
        assert writer.execute("SELECT version_num FROM alembic_version").fetchone() == (REVISION,)
    assert max(waits) < BUSY_S / 2, "a writer waited as long as the migration"


def _migrate(app: Flask) -> None:
    with app.app_context():
        upgrade(revision=REVISION)
        db.session.remove()
