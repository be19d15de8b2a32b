"""Nulls, wrong types, NUL, long, deep and broken values on every operation: no 5xx, nothing undocumented.

`HOSTILE_SHARE=4` sends all of them instead of a seeded sample; tests/services does the same on PostgreSQL.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from app.api import openapi
from app.extensions import limiter
from tests.api import hostile
from tests.support import ApiScript, Browser, finished_job, kick


@pytest.fixture
def sample_id(app: Flask, as_owner: Browser, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(limiter, "enabled", False)
    return finished_job(as_owner, "kick.wav", kick()).id


def test_every_operation_answers_as_documented_whatever_is_sent(script: ApiScript, sample_id: str) -> None:
    share = min(hostile.SHARE, 1)
    statuses = hostile.walk(script, sample_id, share)
    assert sum(statuses.values()) > 2000 * share
    assert {200, 202, 400, 404, 415, 422} <= statuses.keys(), "some calls get through, and most are refused"


@pytest.mark.parametrize(
    "field", ["name", "tags", "liked", "kind", "vibe", "revert", "vibe.moods", "vibe.tags"]
)
def test_null_is_refused_where_the_document_does_not_list_it(
    script: ApiScript, sample_id: str, field: str
) -> None:
    outer, _, inner = field.partition(".")
    body: Any = {outer: {inner: None} if inner else None}
    answer = script.call("PATCH", f"/api/samples/{sample_id}", json=body)
    assert answer.status_code == 422
    (error,) = answer.get_json()["errors"]
    assert error["field"] == outer
    assert "can't be null. Leave" in error["message"]


@pytest.mark.parametrize("field", ["sound", "bpm", "key"])
def test_null_says_that_the_sound_has_none_where_the_document_lists_it(
    script: ApiScript, sample_id: str, field: str
) -> None:
    answer = script.call("PATCH", f"/api/samples/{sample_id}", json={field: None})
    assert (answer.status_code, answer.get_json()[field]) == (200, None)


def test_the_document_names_the_limits_and_no_null_that_is_refused() -> None:
    schemas = openapi.document("")["components"]["schemas"]
    fields = schemas["SamplePatch"]["properties"]
    assert (fields["tags"]["maxItems"], fields["name"]["maxLength"]) == (20, 200)
    assert fields["revert"]["maxItems"] == 15
    assert {name for name, field in fields.items() if "null" in json.dumps(field)} == {"sound", "bpm", "key"}
