"""Fill a database directly, in bulk, in the order in which all owners together would have uploaded."""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Protocol

import psycopg

from app.models import punctuation
from benchmarks.library_scale import tables
from benchmarks.library_scale.samples import Owner, Row, make_rows
from benchmarks.library_scale.sounds import Sound

BLOCK = 5_000


class Target(Protocol):
    """A database that takes rows."""

    def insert(self, table: str, rows: Iterable[tables.Values]) -> None: ...

    def finish(self) -> None: ...


class SqliteTarget:
    """The SQLite file of a data folder. An interrupted run leaves a file that can't be used."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-800000"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.create_function(
            punctuation.BlankPunctuation.name, 1, punctuation.blank_punctuation, deterministic=True
        )

    def insert(self, table: str, rows: Iterable[tables.Values]) -> None:
        columns = tables.COLUMNS[table]
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({_listed(columns)}) VALUES ({marks})"
        self._connection.executemany(statement, (tuple(map(_for_sqlite, row)) for row in rows))

    def finish(self) -> None:
        self._connection.commit()
        self._connection.execute("ANALYZE")
        self._connection.commit()
        self._connection.close()


class PostgresTarget:
    """A PostgreSQL database. It is vacuumed at the end, as autovacuum does in any library that has grown."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url)

    def insert(self, table: str, rows: Iterable[tables.Values]) -> None:
        into = f"COPY {table} ({_listed(tables.COLUMNS[table])}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(into) as copy:
            for row in rows:
                copy.write_row(row)

    def finish(self) -> None:
        self._connection.commit()
        self._connection.autocommit = True
        self._connection.execute("VACUUM ANALYZE")
        self._connection.close()


def fill(target: Target, owners: Sequence[Owner], sounds: Sequence[Sound]) -> None:
    """Insert the owners with everything that belongs to their samples."""
    for table, values in tables.owner_rows(owners, datetime.now(UTC)).items():
        target.insert(table, values)
    libraries = (make_rows(owner, sounds) for owner in owners)
    for block in _blocks(heapq.merge(*libraries, key=lambda row: row.id)):
        for table, values in tables.sample_rows(block).items():
            target.insert(table, values)
    target.finish()


def analyze(database: str | Path) -> None:
    """Let a database count its rows, so that it plans for them."""
    if isinstance(database, Path):
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("ANALYZE")
            connection.commit()
        return
    with psycopg.connect(database, autocommit=True) as server:
        server.execute("VACUUM ANALYZE")


def _blocks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while block := list(islice(rows, BLOCK)):
        yield block


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _for_sqlite(value: object) -> object:
    """Return a time as SQLAlchemy stores it in SQLite: in UTC, without a zone."""
    return value.isoformat(" ", "microseconds")[:26] if isinstance(value, datetime) else value
