"""Migrations that move data, run on rows as an older version left them."""

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
from app.search import folded_rows

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
    """Insert a row into the schema of the moment, with the plainest value for each column not given."""
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


def rows(columns: str, table: str = "samples") -> dict[str, Any]:
    with db.engine.connect() as connection:
        found = connection.execute(sa.text(f"SELECT id, {columns} FROM {table}")).all()
    return {row[0]: tuple(row[1:]) if len(row) > 2 else row[1] for row in found}


def test_a_users_tempo_and_key_become_corrections(empty_app: Flask) -> None:
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


OLD_RESULTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "no words": {"vibe": {}},
    "measured, no words": {"analysis": {"bpm": 93.0}, "vibe": {}},
    "described": {"analysis": {"bpm": 93.0}, "vibe": VIBE},
    "a model": {"wants_model": True},
    "no model": {"wants_model": False},
}


def test_what_a_job_is_asked_to_do_moves_from_its_results_into_columns(empty_app: Flask) -> None:
    upgrade(revision="0015")
    insert("users", id="u", email="owner@example.com")
    insert("batches", id="b", user_id="u")
    for name, results in OLD_RESULTS.items():
        insert("processing_jobs", id=name, user_id="u", batch_id="b", results=json.dumps(results))
    for _ in range(2):  # again after going back
        upgrade(revision="0016")
        asked = rows("ai_analysis, ai_allowed", "processing_jobs")
        assert {name for name, (words, _) in asked.items() if not words} == {"no words", "measured, no words"}
        assert {name for name, (_, model) in asked.items() if not model} == {"no model"}
        results_now = rows("results", "processing_jobs")
        assert {name: json.loads(found) for name, found in results_now.items()} == OLD_RESULTS
        downgrade(revision="0015")


def test_the_previous_version_writes_jobs_into_the_new_schema(empty_app: Flask) -> None:
    """It knows none of the new columns, and gives every job what only uploads have."""
    upgrade(revision="0015")
    known = {column["name"] for column in sa.inspect(db.engine).get_columns("processing_jobs")}
    upgrade(revision="0016")
    insert("users", id="u", email="owner@example.com")
    insert("batches", id="b", user_id="u")
    needed = {
        column["name"]
        for column in sa.inspect(db.engine).get_columns("processing_jobs")
        if not column["nullable"] and column["default"] is None
    }
    assert needed <= known
    insert("processing_jobs", id="old", user_id="u", batch_id="b")
    assert rows("ai_analysis, ai_allowed", "processing_jobs") == {"old": (1, 1)}


def test_jobs_without_a_file_survive_going_back(empty_app: Flask) -> None:
    upgrade(revision="0016")
    insert("users", id="u", email="owner@example.com")
    insert("batches", id="b", user_id="u")
    insert("processing_jobs", id="j", user_id="u", batch_id="b", ai_analysis=False, ai_allowed=False)
    assert rows("format, size_bytes, incoming_key", "processing_jobs") == {"j": (None, None, None)}
    downgrade(revision="0015")
    assert rows("format, size_bytes, incoming_key", "processing_jobs") == {"j": ("", 0, "")}
    assert json.loads(rows("results", "processing_jobs")["j"]) == {"vibe": {}, "wants_model": False}


def test_going_back_removes_jobs_that_the_older_version_does_not_know(empty_app: Flask) -> None:
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


def test_search_texts_are_folded_in_batches_and_again_after_the_previous_version(
    empty_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade(revision="0016")
    known = [column["name"] for column in sa.inspect(db.engine).get_columns("samples")]
    insert("users", id="u", email="owner@example.com")
    insert("samples", id="00000", user_id="u", search_text="café 0\nstraße.wav")
    new = {"id": ":id", "search_text": ":text"}
    copied = ", ".join(new.get(name, name) for name in known)
    copies = [{"id": f"{number:05}", "text": f"café {number}\nstraße.wav"} for number in range(1, 1203)]
    with db.engine.begin() as connection:
        from_first = f"SELECT {copied} FROM samples WHERE id = '00000'"
        connection.execute(sa.text(f"INSERT INTO samples ({', '.join(known)}) {from_first}"), copies)
    upgrade(revision="0017")
    expected = {f"{number:05}": f"cafe {number}\nstrasse.wav" for number in range(1203)}
    assert rows("folded_text") == expected

    # The previous version inserts and changes rows without the new columns.
    needed = [each for each in sa.inspect(db.engine).get_columns("samples") if not each["nullable"]]
    assert {each["name"] for each in needed if each["default"] is None} <= {*known}
    insert("samples", id="new", user_id="u", search_text="łódź")
    with db.engine.begin() as connection:
        connection.execute(sa.text("UPDATE samples SET search_text = 'plain' WHERE id = '00001'"))
        connection.execute(sa.text("UPDATE samples SET search_text = 'été' WHERE id = '00002'"))
    monkeypatch.setattr(folded_rows, "BATCH_SIZE", 100)
    for _ in range(2):
        folded_rows.fold_changed_rows()
        assert rows("folded_text") == expected | {"new": "lodz", "00001": "plain", "00002": "ete"}
    downgrade(revision="0016")
    upgrade(revision="0017")
    assert rows("folded_text")["new"] == "lodz"


def test_the_previous_version_enqueues_webhooks_into_the_new_schema(empty_app: Flask) -> None:
    """It knows neither an endpoint's standing nor the endpoint of a message."""
    upgrade(revision="0016")
    tables = ("webhook_endpoints", "outbox")
    known = {name: {column["name"] for column in sa.inspect(db.engine).get_columns(name)} for name in tables}
    upgrade()
    insert("users", id="u", email="owner@example.com")
    for name, row in (
        ("webhook_endpoints", {"id": "e", "user_id": "u"}),
        ("outbox", {"id": 1, "key": "hook:d", "user_id": "u", "kind": "webhook"}),
    ):
        needed = {
            column["name"]
            for column in sa.inspect(db.engine).get_columns(name)
            if not column["nullable"] and column["default"] is None
        }
        assert needed <= known[name]
        insert(name, **row)
    assert rows("failures, spent_s, paused_until, sending_until", "webhook_endpoints") == {
        "e": (0, 0.0, None, None)
    }
    downgrade(revision="0016")
    assert rows("kind", "outbox") == {1: "webhook"}
    assert set(rows("url", "webhook_endpoints")) == {"e"}


def test_the_previous_version_exports_and_closes_on_the_new_schema(empty_app: Flask) -> None:
    """It knows none of the new columns and no table of closings."""
    upgrade(revision="0016")
    known = {column["name"] for column in sa.inspect(db.engine).get_columns("data_exports")}
    upgrade(revision="0021")
    insert("users", id="u", email="owner@example.com")
    needed = {
        column["name"]
        for column in sa.inspect(db.engine).get_columns("data_exports")
        if not column["nullable"] and column["default"] is None
    }
    assert needed <= known
    insert("data_exports", id="e", user_id="u", then_delete=True)
    assert rows("tries, storage_key, failed_at", "data_exports") == {"e": (0, None, None)}


def test_going_back_leaves_a_closing_to_the_previous_version(empty_app: Flask) -> None:
    upgrade(revision="0021")
    addresses = {
        "closed": "closed@closed.invalid",
        "again": "again@closed.invalid",
        "new": "again@example.com",
    }
    for user_id, email in addresses.items():
        insert("users", id=user_id, email=email)
    for user_id, step in {"closed": "subscriptions", "again": "objects"}.items():
        insert("account_closings", user_id=user_id, email=f"{user_id}@example.com", step=step)
    insert("data_exports", id="failed", user_id="new", failed_at=NOW)
    downgrade(revision="0016")
    assert rows("email", "users") == {
        "closed": "closed@example.com",
        "again": "again@closed.invalid",  # the address belongs to another account by now
        "new": "again@example.com",
    }
    assert rows("user_id, then_delete, ready_at", "data_exports") == {
        "closed": ("closed", 1, None),
        "again": ("again", 1, None),
    }
