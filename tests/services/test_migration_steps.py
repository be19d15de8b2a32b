"""Each migration only expands: what it runs on PostgreSQL breaks no older code and holds no long lock."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import Script, ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade

from app.extensions import db
from scripts.migration import MIGRATIONS
from scripts.migration_rules import RunStatement, broken_rules

pytestmark = pytest.mark.services
# Written before the rules were checked: some of these rename columns, or make indexes under a lock.
LAST_UNCHECKED = "0025"


def test_migrations_expand_and_hold_no_long_lock(postgres_app: Flask) -> None:
    downgrade(revision=LAST_UNCHECKED)
    scripts = ScriptDirectory(str(MIGRATIONS)).iterate_revisions("head", LAST_UNCHECKED)
    broken = {}
    for script in reversed(list(scripts)):
        contract = getattr(script.module, "contract", "")
        if lines := broken_rules(_statements_of(script), is_contract=bool(contract)):
            broken[script.revision] = lines
    assert broken == {}


def _statements_of(script: Script) -> list[RunStatement]:
    """Run a migration, and return what PostgreSQL was asked to do."""
    seen: list[RunStatement] = []

    def note(connection: Any, _: Any, sql: str, *__: Any) -> None:
        seen.append(RunStatement(sql, connection.connection.dbapi_connection.autocommit))

    sa.event.listen(db.engine, "before_cursor_execute", note)
    upgrade(revision=script.revision)
    sa.event.remove(db.engine, "before_cursor_execute", note)
    assert any("alembic_version" in statement.sql for statement in seen)
    return seen
