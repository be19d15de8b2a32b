"""Old rows become textures only where that is certain, on both databases; corrected rows stay as they are."""

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

SECRET = "a secret for tests, long enough to be taken"
STEADY, MOVING = {"mean": 0.2, "std": 0.02}, {"mean": 0.2, "std": 0.1}
NOISE, DRUMS = {"mean": 0.3, "std": 0.0}, {"mean": 0.12, "std": 0.0}
# name: level, flatness, kind, corrections, and whether it becomes a texture
ROWS: dict[str, tuple[dict[str, float], dict[str, float], str, dict[str, Any], bool]] = {
    "hiss": (STEADY, NOISE, "loop", {}, True),
    "hiss with own key": (STEADY, NOISE, "loop", {"key": None}, True),
    "shaker": (MOVING, NOISE, "loop", {}, False),
    "drone": (STEADY, DRUMS, "loop", {}, False),
    "hit": (STEADY, NOISE, "one-shot", {}, False),
    "own kind": (STEADY, NOISE, "loop", {"kind": "loop"}, False),
    "own sound": (STEADY, NOISE, "loop", {"sound": "bass"}, False),
    "own tempo": (STEADY, NOISE, "loop", {"bpm": 96.0}, False),
}


@pytest.fixture(params=["SQLite", pytest.param("PostgreSQL", marks=pytest.mark.services)])
def old_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    values = {"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET}
    if request.param == "PostgreSQL":
        values["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    app = create_app(Settings.from_env(values))
    with app.app_context():
        upgrade(revision="0021")
        _insert("users", {"id": "u", "email": "owner@example.com"})
        for name, (level, flatness, kind, corrections, _) in ROWS.items():
            _insert_sample(name, level, flatness, kind, corrections)
        yield app
        db.session.remove()
        db.engine.dispose()


def test_steady_noise_becomes_a_texture_and_goes_back(old_app: Flask) -> None:
    before = _state()
    for _ in range(2):
        upgrade(revision="0022")
        after = _state()
        changed = {name for name in ROWS if after[name] != before[name]}
        assert changed == {name for name, row in ROWS.items() if row[4]}
        for name in changed:
            sample, measured, text = after[name]
            assert sample[:4] == ("texture", None, None, None)
            assert (measured["kind"], measured["bpm"], measured["beats"]) == ("texture", None, [])
            assert text == f"{name}\nloop.wav\ntexture\n\nloop"  # a tag "loop" is the user's own
        downgrade(revision="0021")
        assert _state() == before


def test_new_classes_go_back_to_old_ones(old_app: Flask) -> None:
    upgrade(revision="0022")
    with db.engine.begin() as connection:
        for name, kind, sound, own in (
            ("hit", "one-shot", "open hat", {"sound": "closed hat"}),
            ("shaker", "texture", None, {"kind": "texture"}),
            ("drone", "loop", "chords", {}),
        ):
            values = {"id": name, "kind": kind, "sound": sound, "own": json.dumps(own)}
            text = "UPDATE samples SET kind = :kind, sound = :sound, corrections = :own WHERE id = :id"
            connection.execute(sa.text(text), values)
    downgrade(revision="0021")
    state = _state()
    assert (state["hit"][0][1], state["hit"][0][4]) == ("hi-hat", {"sound": "hi-hat"})
    assert (state["shaker"][0][0], state["shaker"][0][4]) == ("loop", {"kind": "loop"})
    assert state["drone"][0][1] is None


def _insert_sample(
    name: str, level: dict[str, float], flatness: dict[str, float], kind: str, corrections: dict[str, Any]
) -> None:
    text = f"{name}\nloop.wav\n{kind}\n\nloop"
    tempo = {"bpm": 96.0, "bpm_source": "detected"}
    row = tempo | {"id": name, "user_id": "u", "name": name, "kind": kind, "search_text": text}
    _insert("samples", row | {"folded_text": text, "corrections": json.dumps(corrections)})
    measured = tempo | {"kind": kind, "bpm_confidence": 0.9, "beats": [0.1], "downbeats": [0.1]}
    measured["spectral"] = {"rms": level, "flatness": flatness}
    features = {"sample_id": name, "bpm": 96.0, "bpm_confidence": 0.9, "measured": json.dumps(measured)}
    _insert("audio_features", features)


def _insert(table: str, values: dict[str, Any]) -> None:
    """Insert a row with the plainest value for each column not given."""
    plain = {str: "", int: 0, float: 0.0, bool: False, bytes: b""}
    missing = {
        column["name"]: "2026-01-02 03:04:05"
        if column["name"].endswith("_at")
        else plain.get(column["type"].python_type, "{}")
        for column in sa.inspect(db.engine).get_columns(table)
        if not column["nullable"] and column["default"] is None
    }
    row = missing | values
    marks = ", ".join(f":{name}" for name in row)
    names = ", ".join(f'"{name}"' for name in row)
    with db.engine.begin() as connection:
        connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), row)


def _state() -> dict[str, Any]:
    """Return, by sample, the columns, the measurement and the search text."""
    columns = "s.id, s.kind, s.sound, s.bpm, s.bpm_source, s.corrections, f.measured, s.search_text"
    joined = f"SELECT {columns} FROM samples s JOIN audio_features f ON f.sample_id = s.id"
    with db.engine.connect() as connection:
        rows = connection.execute(sa.text(joined)).all()
    return {row[0]: ((*row[1:5], _plain(row[5])), _plain(row[6]), row[7]) for row in rows}


def _plain(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
