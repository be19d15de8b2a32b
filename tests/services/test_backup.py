"""The drill on PostgreSQL and a bucket: back to the same, and over to SQLite and a folder."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import insert

from app.backup import making, restoring
from app.extensions import db
from app.models import AuditEntry
from tests.backup.drill import all_objects, all_rows, check_the_same, fill_service, service
from tests.services.conftest import s3_client

pytestmark = pytest.mark.services


def own_bucket(s3_settings: dict[str, str], name: str) -> dict[str, str]:
    s3_client(s3_settings).create_bucket(Bucket=name)
    return s3_settings | {"S3_BUCKET": name}


def test_a_service_is_restored_on_servers_and_on_one_machine(
    tmp_path: Path, postgres_url: str, postgres_server: str, s3_settings: dict[str, str]
) -> None:
    folder, new_url = tmp_path / "backups", f"{postgres_server}/restored"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE restored")
    first = {"DATABASE_URL": postgres_url} | own_bucket(s3_settings, "lost")
    with service(first | {"DATA_DIR": str(tmp_path / "first")}) as app:
        account, running = fill_service(app)
        lost, lost_objects = all_rows(), all_objects(tmp_path)
        assert making.make_backup(folder, 30)[1].missing == []
        assert making.make_backup(folder, 30)[2] == 0
    again = {"DATABASE_URL": new_url} | own_bucket(s3_settings, "restored")
    for number, values in enumerate((again, {})):
        with service(values | {"DATA_DIR": str(tmp_path / f"new {number}")}, migrated=False) as app:
            restoring.restore_backup(folder, None, lambda _: None)
            assert all_objects(tmp_path) == lost_objects
            check_the_same(app, lost, account.user_id, running)
            with db.engine.begin() as connection:  # new rows are numbered after the restored ones
                connection.execute(insert(AuditEntry).values(actor="x", action="x", subject="x", detail={}))
