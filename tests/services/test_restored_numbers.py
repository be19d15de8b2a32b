"""PostgreSQL numbers new rows after those that were restored."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from app.backup.row_loading import insert_rows
from tests.backup.test_row_loading import head, make_reader

pytestmark = pytest.mark.services


def test_new_rows_follow_the_restored_ones(postgres_url: str, tmp_path: Path) -> None:
    """A table without rows begins with 1; columns that the database does not number are left alone."""
    columns = {"name": "text", "size": "whole", "id": "whole"}
    lines = [head("a", **columns), ["x", 9, 3], ["y", 1, 7], ["z", 2, 5], head("b", id="whole")]
    reader = make_reader(tmp_path, *lines)
    engine = sa.create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE a (name TEXT, size INTEGER, id SERIAL)"))
        connection.execute(sa.text("CREATE TABLE b (id SERIAL)"))
        connection.execute(sa.text("INSERT INTO b DEFAULT VALUES"))
        assert insert_rows(connection, reader) == 3
        for table, numbers in (("a", [8, 9]), ("b", [1, 2])):
            added = sa.text(f"INSERT INTO {table} DEFAULT VALUES RETURNING id")
            assert [connection.scalar(added) for _ in numbers] == numbers
    engine.dispose()
