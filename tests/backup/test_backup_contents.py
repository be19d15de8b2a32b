"""A backup has all tables in order, the files that their rows need, and its secrets sealed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.backup.backup_contents import (
    LEFT_OUT,
    Sealer,
    named_keys,
    saved_tables,
    sealed_columns,
)
from app.extensions import Base
from app.models.job import CANCELLED, COMPLETED, FAILED, PENDING, PROCESSING

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_each_table_comes_after_those_it_refers_to() -> None:
    tables = saved_tables()
    assert {each.name for each in tables} == Base.metadata.tables.keys() - LEFT_OUT
    for place, table in enumerate(tables):
        before = {each.name for each in tables[: place + 1]}
        assert {key.column.table.name for key in table.foreign_keys} <= before | LEFT_OUT.keys(), table.name


@pytest.mark.parametrize(
    ("state", "kept_until", "is_needed"),
    [
        (PENDING, None, True),
        (PROCESSING, None, True),
        (FAILED, NOW + SECOND, True),
        (FAILED, NOW, False),
        (FAILED, NOW - SECOND, False),
        (FAILED, None, False),
        (COMPLETED, None, False),
        (CANCELLED, None, False),
        (PENDING, NOW - SECOND, True),
    ],
)
def test_a_jobs_file_is_needed_while_the_job_may_run(
    state: str, kept_until: datetime | None, is_needed: bool
) -> None:
    row = {"state": state, "kept_until": kept_until, "incoming_key": "incoming/x.wav"}
    assert list(named_keys("processing_jobs", row, NOW)) == ["incoming/x.wav"] * is_needed


@pytest.mark.parametrize(
    ("table", "row", "keys"),
    [
        ("samples", {"original_key": "a", "sp404_key": "b"}, ["a", "b"]),
        ("samples", {"original_key": None, "sp404_key": "b"}, ["b"]),
        ("data_exports", {"ready_at": NOW, "storage_key": "zip"}, ["zip"]),
        ("data_exports", {"ready_at": None, "storage_key": "zip"}, []),
        ("account_closings", {"archive_key": None}, []),
        ("account_closings", {"archive_key": "zip"}, ["zip"]),
        ("users", {"id": "1"}, []),
    ],
)
def test_the_files_that_a_row_names(table: str, row: dict[str, Any], keys: list[str]) -> None:
    assert list(named_keys(table, row, NOW)) == keys


def test_only_the_columns_with_secrets_are_sealed() -> None:
    assert sealed_columns("two_factors", ["id", "secret", "user_id", "secret"]) == [1, 3]
    assert sealed_columns("webhook_endpoints", ["secret"]) == [0]
    assert sealed_columns("users", ["id", "secret"]) == []


def test_a_secret_opens_with_the_newest_and_any_earlier_key() -> None:
    old, both, new = Sealer(["old"]), Sealer(["old", "new"]), Sealer(["new"])
    assert old.seal("s3cret") not in ("s3cret", old.seal("s3cret"))
    assert (both.open(old.seal("s3cret")), both.open(new.seal("s3cret"))) == ("s3cret", "s3cret")
    assert new.open(both.seal("s3cret")) == "s3cret"
    assert old.open(both.seal("s3cret")) is None
    assert new.open("not sealed at all") is None
