"""The rows of a backup: whole, in batches, and opened with the key that sealed them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.backup.backup_contents import Sealer
from app.backup.backup_folder import ROWS, BackupFolder, BackupSummary
from app.backup.errors import BackupError
from app.backup.row_loading import RowReader, insert_rows
from app.backup.row_snapshot import ROWS_AT_ONCE

SEALER = Sealer(["key"])
NAME = "2026-11-30T04-00-00.000Z"
Reader = Callable[..., RowReader]


def make_reader(root: Path, *lines: Any, tables: dict[str, int] | None = None, cut: int = 0) -> RowReader:
    """Write lines as a backup's rows, and return their reader."""
    path = BackupFolder(root).path(NAME, ROWS)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = gzip.compress("".join(f"{json.dumps(line)}\n" for line in lines).encode())
    path.write_bytes(data[: len(data) - cut])
    return RowReader(BackupFolder(root), NAME, BackupSummary("", "", tables=tables or {}), SEALER)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return partial(make_reader, tmp_path)


def head(table: str, **columns: str) -> dict[str, Any]:
    return {"table": table, "columns": columns}


@pytest.mark.parametrize("count", [0, 1, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 2 * ROWS_AT_ONCE])
def test_rows_come_in_batches_and_none_twice(reader: Reader, count: int) -> None:
    lines = [head("a", id="whole"), *([number] for number in range(count)), head("b", name="text"), ["last"]]
    made = reader(*lines, tables={"a": count, "b": 1})
    made.check()
    found = [(name, kinds, list(batches)) for name, kinds, batches in made.tables()]
    sizes = [len(batch) for batch in found[0][2]]
    assert sizes == [ROWS_AT_ONCE] * (count // ROWS_AT_ONCE) + [count % ROWS_AT_ONCE] * bool(
        count % ROWS_AT_ONCE
    )
    assert [row["id"] for batch in found[0][2] for row in batch] == list(range(count))
    assert found[0][:2] == ("a", {"id": "whole"})
    assert found[1] == ("b", {"name": "text"}, [[{"name": "last"}]])
    with sa.create_engine("sqlite://").begin() as connection:
        connection.execute(sa.text("CREATE TABLE a (id INTEGER)"))
        connection.execute(sa.text("CREATE TABLE b (name TEXT)"))
        connection.execute(sa.text("INSERT INTO b VALUES ('put there by a migration')"))
        assert insert_rows(connection, made) == count + 1
        assert connection.scalar(sa.text("SELECT count(*) FROM a")) == count
        assert connection.scalars(sa.text("SELECT name FROM b")).all() == ["last"]


@pytest.mark.parametrize(
    "tables",
    [{"a": 1}, {"a": 3}, {"a": 2, "b": 1}, {"b": 2}],
    ids=["fewer", "more", "one more table", "other"],
)
def test_the_number_of_rows_has_to_be_right(reader: Reader, tables: dict[str, int]) -> None:
    made = reader(head("a", id="whole"), [1], [2], tables=tables)
    with pytest.raises(BackupError, match=f"{NAME} is damaged: it has not as many rows as it says"):
        made.check()


@pytest.mark.parametrize(
    "lines",
    [
        [[1]],
        ["a"],
        [{"table": "a"}],
        [{"columns": {}}],
        [head("a", id="whole"), [1, 2]],
        [head("a", id="whole"), []],
        [head("a", at="time"), ["noon"]],
        [head("a", at="time"), [12]],
        [head("a", cost="amount"), ["much"]],
        [head("two_factors", id="whole", secret="text"), [1]],
    ],
)
def test_lines_of_another_form_are_refused(reader: Reader, lines: list[Any]) -> None:
    with pytest.raises(BackupError, match=f"{NAME} is damaged: its rows can't be read"):
        reader(*lines, tables={"a": 1}).check()


def test_a_file_that_is_cut_or_gone_is_refused(reader: Reader) -> None:
    made = reader(head("a", id="whole"), [1], tables={"a": 1}, cut=9)
    with pytest.raises(BackupError, match="its rows can't be read"):
        made.check()
    made._path.unlink()
    with pytest.raises(BackupError, match="its rows can't be read"):
        made.check()


def test_secrets_open_with_the_key_that_sealed_them(reader: Reader) -> None:
    columns = {"id": "whole", "secret": "text"}
    lines = [head("two_factors", **columns), [1, SEALER.seal("one")], [2, SEALER.seal("two")]]
    (table,) = (list(batches) for _, _, batches in reader(*lines).tables())
    assert table == [[{"id": 1, "secret": "one"}, {"id": 2, "secret": "two"}]]
    lines.append([3, Sealer(["another key"]).seal("three")])
    with pytest.raises(BackupError, match=f"{NAME} was made with another SECRET_KEY"):
        reader(*lines).check()
