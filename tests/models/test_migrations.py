"""Migrations that move data, run over rows as an older version has left them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, upgrade

from app import create_app
from app.config import Settings
from app.extensions import db

NOW = "2026-01-02 03:04:05"
TEMPO, KEY, BOTH, NONE = ("bpm",), ("key",), ("bpm", "key"), ()
VIBE = {"moods": ["dark"]}


@pytest.fixture
def empty_app(tmp_path: Path) -> Iterator[Flask]:
    app = create_app(Settings.from_env({"DATA_DIR": str(tmp_path)}))
    with app.app_context():
        yield app
        db.engine.dispose()


def insert(table: str, **values: Any) -> None:
    """A row as the schema of the moment has it: what is not given is the plainest value of its type."""
    columns = sa.inspect(db.engine).get_columns(table)
    plain = {str: "", int: 0, float: 0.0, bool: False, bytes: b""}
    missing = {
        column["name"]: NOW if column["name"].endswith("_at") else plain.get(column["type"].python_type, "{}")
        for column in columns
        if not column["nullable"] and column["default"] is None
    }
    row = missing | values
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join(f":{name}" for name in row)
    with db.engine.begin() as connection:
        connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), row)


def rows(columns: str) -> dict[str, Any]:
    with db.engine.connect() as connection:
        found = connection.execute(sa.text(f"SELECT id, {columns} FROM samples")).all()
    return {row[0]: tuple(row[1:]) if len(row) > 2 else row[1] for row in found}


def test_tempo_and_key_of_the_user_become_corrections(empty_app: Flask) -> None:
    upgrade(revision="0013")
    insert("users", id="u", email="owner@example.com")
    for corrected in (TEMPO, KEY, BOTH, NONE):
        insert(
            "samples",
            id="+".join(corrected) or "none",
            user_id="u",
            bpm=None if corrected == KEY else 93.5,
            bpm_source="user" if "bpm" in corrected else "detected",
            key="A minor" if corrected != BOTH else None,
            key_source="user" if "key" in corrected else None,
            vibe=json.dumps(VIBE),
        )
    kept = rows("bpm, bpm_source, key, key_source")
    corrections = {
        "bpm": {"bpm": 93.5},
        "key": {"key": "A minor"},
        "bpm+key": {"bpm": 93.5, "key": None},
        "none": {},
    }
    for _ in range(2):  # again after going back, which keeps the values in force
        upgrade()
        assert {name: json.loads(found) for name, found in rows("corrections").items()} == corrections
        assert {name: json.loads(found) for name, found in rows("described").items()} == dict.fromkeys(
            corrections, VIBE
        )
        assert rows("bpm, bpm_source, key, key_source") == kept
        downgrade(revision="0013")
        assert {name: json.loads(found) for name, found in rows("vibe").items()} == dict.fromkeys(
            corrections, VIBE
        )
        assert rows("bpm, bpm_source, key, key_source") == kept


def test_jobs_about_samples_do_not_outlive_the_program_that_knows_them(empty_app: Flask) -> None:
    upgrade()
    insert("users", id="u", email="owner@example.com")
    insert("batches", id="b", user_id="u")
    for number, purpose in enumerate(("upload", "describe", "analyse")):
        insert("processing_jobs", id=purpose, user_id="u", batch_id="b", purpose=purpose)
        insert("job_attempts", id=number, job_id=purpose, token=purpose)
    downgrade(revision="0013")
    with db.engine.connect() as connection:
        for table, column in (("processing_jobs", "id"), ("job_attempts", "job_id")):
            assert connection.execute(sa.text(f"SELECT {column} FROM {table}")).scalars().all() == ["upload"]
