"""The rows of a backup: all of one moment, with their numbers, and none of another version's schema."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.account import closing
from app.auth import two_factor_login
from app.backup.backup_contents import Sealer, saved_tables
from app.backup.errors import BackupError
from app.backup.row_snapshot import RowSnapshot, known_revisions, newest_revision, stored_revision, write_rows
from app.extensions import db
from app.models import Job, User
from app.models.base import transaction, utcnow
from tests.support import waiting_jobs

SEALER = Sealer(["key"])


def snapshot(target: Path) -> tuple[RowSnapshot, dict[str, list[list[object]]]]:
    """Write all rows, and return the summary and the rows that are in the file."""
    made = write_rows(target, SEALER, utcnow())
    found: dict[str, list[list[object]]] = {}
    rows: list[list[object]] = []
    for line in gzip.decompress(target.read_bytes()).decode().splitlines():
        read = json.loads(line)
        if isinstance(read, dict):
            rows = found.setdefault(read["table"], [])
        else:
            rows.append(read)
    return made, found


def test_every_row_is_written_and_counted(app: Flask, owner: User, stranger: User, tmp_path: Path) -> None:
    made, found = snapshot(tmp_path / "rows")
    assert made.tables == {name: len(rows) for name, rows in found.items()}
    assert list(found) == [table.name for table in saved_tables()]
    for table in saved_tables():
        count = db.session.scalar(sa.select(sa.func.count()).select_from(table))
        assert made.tables[table.name] == count, table.name
    assert (made.tables["users"], made.revision) == (2, newest_revision())
    assert len(found["users"][0]) == len(User.__table__.columns)


def test_open_accounts_and_the_files_of_rows_are_noted(
    app: Flask, owner: User, stranger: User, tmp_path: Path
) -> None:
    (job,) = waiting_jobs(owner, 1)
    with transaction() as session:
        session.get_one(Job, job).incoming_key = "incoming/x.wav"
    left = owner.id
    closing.close_account(stranger)
    made, found = snapshot(tmp_path / "rows")
    assert (made.accounts, made.keys) == ([left], {"incoming/x.wav"})
    assert len(found["users"]) == 2  # what is left of a closed account is in the backup


def test_secrets_are_sealed_in_the_file(app: Flask, owner: User, tmp_path: Path) -> None:
    secret = two_factor_login.begin_setup(owner).secret
    _, found = snapshot(tmp_path / "rows")
    (row,) = found["two_factors"]
    assert secret not in row
    assert secret in [SEALER.open(str(value)) for value in row]


def test_the_schema_has_to_be_this_versions(app: Flask, tmp_path: Path) -> None:
    assert {newest_revision(), "0001", "0036"} <= known_revisions()
    for change, said in (
        ("UPDATE alembic_version SET version_num = '0036'", "0036"),
        ("DELETE FROM alembic_version", "None"),
        ("DROP TABLE alembic_version", "None"),
    ):
        with db.engine.begin() as connection:
            connection.execute(sa.text(change))
            assert str(stored_revision(connection)) == said
        with pytest.raises(BackupError, match=f"The database is at revision {said} and this version at "):
            write_rows(tmp_path / "rows", SEALER, utcnow())
