"""Write the rows of all tables as they are at one moment, while the service goes on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import current_app

from app.backup import row_format
from app.backup.backup_contents import Sealer, named_keys, saved_tables, sealed_columns
from app.backup.errors import BackupError
from app.extensions import db
from app.models import User

ROWS_AT_ONCE = 1000
COMPRESSION = 4


@dataclass
class RowSnapshot:
    """A summary of the rows written: their schema and number, the objects they name, the accounts."""

    revision: str
    tables: dict[str, int] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    accounts: list[str] = field(default_factory=list)


def newest_revision() -> str:
    """Return the revision that this version's models are made for."""
    return str(_scripts().get_current_head())


def known_revisions() -> set[str]:
    """Return the revisions that this version can migrate from."""
    return {script.revision for script in _scripts().walk_revisions()}


def stored_revision(connection: sa.Connection) -> str | None:
    """Return the revision of the database, or None if it has none yet."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return revision


def write_rows(target: Path, sealer: Sealer, now: datetime) -> RowSnapshot:
    """Write every row to a file, all as of one moment, or raise BackupError."""
    with _one_moment() as connection, gzip.open(target, "wt", compresslevel=COMPRESSION) as file:
        revision = stored_revision(connection)
        if revision != newest_revision():
            raise BackupError(
                f"The database is at revision {revision} and this version at {newest_revision()}: make the "
                "backup with the version that migrated the database."
            )
        snapshot = RowSnapshot(revision)
        for table in saved_tables():
            snapshot.tables[table.name] = _write_table(connection, table, file, sealer, snapshot, now)
    return snapshot


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(current_app.extensions["migrate"].migrate.get_config())


@contextmanager
def _one_moment() -> Iterator[sa.Connection]:
    """Give a connection that sees the database as it was at its first query.

    SQLite's read transactions are like this in WAL mode; PostgreSQL's are from REPEATABLE READ on. Neither
    keeps anybody from writing.
    """
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        yield connection


def _write_table(
    connection: sa.Connection,
    table: sa.Table,
    file: IO[str],
    sealer: Sealer,
    snapshot: RowSnapshot,
    now: datetime,
) -> int:
    kinds = row_format.column_kinds(table)
    file.write(json.dumps({"table": table.name, "columns": kinds}) + "\n")
    sealed = sealed_columns(table.name, kinds)
    count = 0
    query = row_format.select_rows(table, kinds).execution_options(yield_per=ROWS_AT_ONCE)
    for row in connection.execute(query):
        named = dict(zip(kinds, row, strict=True))
        snapshot.keys.update(named_keys(table.name, named, now))
        if table.name == User.__tablename__ and named["closed_at"] is None:
            snapshot.accounts.append(named["id"])
        values = row_format.encode_row(row, kinds)
        for place in sealed:
            values[place] = sealer.seal(values[place])
        file.write(json.dumps(values) + "\n")
        count += 1
    return count
