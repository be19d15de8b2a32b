"""Read the rows of a backup and insert them, whatever database they came from."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import sqlalchemy as sa

from app.backup import row_format
from app.backup.backup_contents import Sealer, sealed_columns
from app.backup.backup_folder import ROWS, BackupFolder, BackupSummary
from app.backup.errors import BackupError
from app.backup.row_snapshot import ROWS_AT_ONCE


class LoadedTable(NamedTuple):
    """The kinds of a table's columns, and its rows, some at a time."""

    name: str
    kinds: dict[str, str]
    rows: Iterator[list[dict[str, Any]]]


class RowReader:
    """The rows of one backup."""

    def __init__(self, folder: BackupFolder, name: str, summary: BackupSummary, sealer: Sealer) -> None:
        self._name, self._summary, self._sealer = name, summary, sealer
        self._path = folder.path(name, ROWS)

    def check(self) -> None:
        """Read all rows, or raise BackupError if some can't be read or their number is wrong."""
        counts: Counter[str] = Counter()
        for table in self.tables():
            counts[table.name] += sum(len(rows) for rows in table.rows)
        if counts != Counter(self._summary.tables):
            raise BackupError(f"{self._name} is damaged: it has not as many rows as it says.")

    def tables(self) -> Iterator[LoadedTable]:
        """Yield each table; its rows have to be read before the next one."""
        with self._damage_named(), gzip.open(self._path, "rt") as file:
            lines = _Lines(file)
            while (head := lines.peek()) is not None:
                table = json.loads(head)
                lines.take()
                name, kinds = table["table"], table["columns"]
                yield LoadedTable(name, kinds, self._read_rows(name, kinds, lines))

    def _read_rows(self, table: str, kinds: dict[str, str], lines: _Lines) -> Iterator[list[dict[str, Any]]]:
        sealed = sealed_columns(table, kinds)
        batch: list[dict[str, Any]] = []
        with self._damage_named():  # not the one around the tables: rows are read after a table was yielded
            while (line := lines.peek()) is not None and line.startswith("["):
                lines.take()
                values = json.loads(line)
                for place in sealed:
                    values[place] = self._open(values[place])
                batch.append(row_format.decode_row(values, kinds))
                if len(batch) == ROWS_AT_ONCE:
                    yield batch
                    batch = []
        if batch:
            yield batch

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError, ValueError, LookupError, TypeError, ArithmeticError) as error:
            raise BackupError(f"{self._name} is damaged: its rows can't be read.") from error

    def _open(self, sealed: str) -> str:
        secret = self._sealer.open(sealed)
        if secret is None:
            raise BackupError(
                f"{self._name} was made with another SECRET_KEY. Restore it with that one: it opens the keys "
                "of authenticator apps and the secrets of webhooks."
            )
        return secret


class _Lines:
    """Lines of a file, of which the next can be looked at before it is taken."""

    def __init__(self, file: Iterator[str]) -> None:
        self._file = file
        self._next = next(file, None)

    def peek(self) -> str | None:
        return self._next

    def take(self) -> None:
        self._next = next(self._file, None)


def insert_rows(connection: sa.Connection, reader: RowReader) -> int:
    """Insert all rows of a backup and return how many there are."""
    count = 0
    for name, kinds, batches in reader.tables():
        table = row_format.insertable(name, kinds)
        connection.execute(sa.delete(table))  # what a migration has put into it
        for rows in batches:
            connection.execute(sa.insert(table), rows)
            count += len(rows)
        _continue_numbers(connection, name, kinds)
    return count


def _continue_numbers(connection: sa.Connection, name: str, kinds: dict[str, str]) -> None:
    """Let PostgreSQL number new rows after the restored ones; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for column in (column for column, kind in kinds.items() if kind == row_format.WHOLE):
        sequence = connection.scalar(
            sa.select(sa.func.pg_get_serial_sequence(sa.literal(name), sa.literal(column)))
        )
        if sequence is not None:
            highest = sa.select(sa.func.max(sa.column(column))).select_from(sa.table(name)).scalar_subquery()
            # With no row yet, the next number is 1.
            connection.execute(
                sa.select(sa.func.setval(sequence, sa.func.coalesce(highest, 1), highest.is_not(None)))
            )
